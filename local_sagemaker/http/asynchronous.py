"""InvokeEndpointAsync over HTTP: the fields of its headers, checked against botocore's shape."""

import json
import re
from http import HTTPStatus
from typing import Any

from botocore.model import Shape, StructureShape
from werkzeug.datastructures import EnvironHeaders

from local_sagemaker.asynchronous.queue import AsyncQueue
from local_sagemaker.asynchronous.requests import LARGEST_INLINE_BODY
from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.constraints import check_request
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.wire.http_request import HttpRequest
from local_sagemaker.wire.model import service_model

OPERATION = "InvokeEndpointAsync"
PREFIX = "X-Amzn-SageMaker-"
Answer = tuple[int, list[tuple[str, str]], bytes]  # status, headers and body


def enqueue(request: HttpRequest, endpoint: str, queue: AsyncQueue, caller: Caller) -> Answer:
    """Put a request into an endpoint's queue, and say where its answer will be; ServiceError where it is refused."""
    shape = service_model("sagemaker-runtime").operation_model(OPERATION).input_shape
    fields = _fields(request.headers, shape)
    try:
        check_request(OPERATION, {**fields, "EndpointName": endpoint}, shape)
    except ServiceError as fault:
        raise ServiceError("ValidationError", fault.message) from None
    body = request.read(LARGEST_INLINE_BODY, "ValidationError")
    taken = queue.take(endpoint, fields, body, caller.region)
    headers = [("Content-Type", "application/json")]
    for name in ("OutputLocation", "FailureLocation"):
        if location := taken.get(name):
            headers.append((f"{PREFIX}{name}", str(location)))
    return HTTPStatus.ACCEPTED, headers, json.dumps({"InferenceId": taken["InferenceId"]}).encode()


def _fields(headers: EnvironHeaders, shape: Shape | None) -> dict[str, Any]:
    """What the headers of a request say, by the names of the shape's members."""
    members = shape.members if isinstance(shape, StructureShape) else {}
    found: dict[str, Any] = {}
    for name, member in members.items():
        if member.serialization.get("location") == "header":
            text = headers.get(member.serialization["name"])
            if text is not None:
                whole = member.type_name == "integer" and re.fullmatch(r"-?\d+", text)
                found[name] = int(text) if whole else text
    return found
