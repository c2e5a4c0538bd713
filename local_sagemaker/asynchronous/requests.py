"""An asynchronous request as it waits: what InvokeEndpointAsync asks, and where its answer is to go.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html
"""

import base64
import time
import uuid
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.state.record_types import AsyncRequestRecord, Document

DEFAULT_TTL_SECONDS = 21_600  # in the queue
DEFAULT_TIMEOUT_SECONDS = 900  # for the model's answer
LARGEST_INLINE_BODY = 128_000  # bytes
DEFAULT_CONCURRENCY = 1  # of an instance; its model answers one request at a time


def concurrency_of(config: Document) -> int:
    """How many requests of an endpoint an instance may have at once."""
    return int(config.get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance", DEFAULT_CONCURRENCY))


def accepted(endpoint: str, config: Document, fields: dict[str, Any], body: bytes, region: str) -> AsyncRequestRecord:
    """The record of a request; `config` is the endpoint's AsyncInferenceConfig.

    ValidationError where there is not exactly one input.
    """
    location = fields.get("InputLocation")
    if (location is not None) == bool(body):
        raise ServiceError("ValidationError", "A request needs either InputLocation or Body, and not both.")
    if len(body) > LARGEST_INLINE_BODY:
        raise ServiceError("ValidationError", f"Body has {len(body)} bytes; more than {LARGEST_INLINE_BODY} go by S3.")
    output = config["OutputConfig"]
    notes = output.get("NotificationConfig", {})
    name = str(uuid.uuid4())
    return {
        "Id": name,
        "InferenceId": fields.get("InferenceId") or str(uuid.uuid4()),
        "EndpointName": endpoint,
        "Region": region,
        "InputLocation": location,
        "Body": None if location is not None else base64.b64encode(body).decode("ascii"),
        "ContentType": fields.get("ContentType"),
        "Accept": fields.get("Accept"),
        "CustomAttributes": fields.get("CustomAttributes"),
        "TtlSeconds": fields.get("RequestTTLSeconds", DEFAULT_TTL_SECONDS),
        "TimeoutSeconds": fields.get("InvocationTimeoutSeconds", DEFAULT_TIMEOUT_SECONDS),
        "OutputLocation": _place(output.get("S3OutputPath"), fields, name, ".out"),
        "FailureLocation": _place(output.get("S3FailurePath"), fields, name, "-error.out"),
        "SuccessTopic": notes.get("SuccessTopic"),
        "ErrorTopic": notes.get("ErrorTopic"),
        "IncludeInferenceResponseIn": notes.get("IncludeInferenceResponseIn", []),
        "CreationTime": time.time(),
    }


def _place(path: str | None, fields: dict[str, Any], name: str, ending: str) -> str | None:
    """Where an answer goes; what a failure is called for a Filename of the request's own, the service does not say."""
    if not path:
        return None
    file = fields.get("Filename")
    if file is None:
        file = f"{name}{ending}"
    elif ending != ".out":
        file = f"{file}{ending}"
    extension = str(fields.get("S3OutputPathExtension", "")).strip("/")
    return "/".join(part for part in (path.rstrip("/"), extension, file) if part)
