"""Lambda over HTTP: its REST operations, and invocations, whose bodies are events.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import base64
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore import xform_name

from local_sagemaker.errors import ServiceError, unsupported
from local_sagemaker.functions.operations import Functions
from local_sagemaker.iam.service_actions import Asked
from local_sagemaker.wire.constraints import check_request
from local_sagemaker.wire.dispatch import Caller, known_fields
from local_sagemaker.wire.http_request import HttpRequest
from local_sagemaker.wire.rest import read_request

SERVICE = "lambda"  # as it is in signatures
INVOCATION = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
LARGEST_EVENT, LOG_TAIL = 6 << 20, 4 << 10  # bytes
Answer = tuple[int, list[tuple[str, str]], bytes]
Watch = Callable[[Asked], None]
Deliver = Callable[[str, Any], None]


def answer(request: HttpRequest, functions: Functions, caller: Caller, watch: Watch, deliver: Deliver) -> Answer:
    """Answer a request to Lambda; `watch` may refuse it, `deliver` starts a call that nobody waits for."""
    path = urlsplit(request.uri).path
    if request.method == "POST" and (found := INVOCATION.fullmatch(path)):
        return _invoke(request, unquote(found[1]), functions, caller, watch, deliver)
    document = _json_of(request.read(None, "RequestEntityTooLargeException"), "The request is not JSON.")
    if not isinstance(document, dict):
        raise ServiceError("InvalidRequestContentException", "The request is not a JSON object.")
    operation, fields = read_request(SERVICE, request.method, path.rstrip("/"), request.parameters, document)
    method = getattr(functions, xform_name(operation.name), None)
    if method is None:
        raise unsupported(f"the operation {operation.name} of Lambda")
    check_request(operation.name, fields, operation.input_shape)
    _refuse_version(str(fields.get("FunctionName", "")), fields.get("Qualifier"))
    watch(Asked(request.method, path, request.query, operation.name, fields))
    body = json.dumps(known_fields(method(fields, caller), operation.output_shape)).encode()
    status = int(operation.http.get("responseCode", 200))
    return status, [("Content-Type", "application/json")], b"" if status == 204 else body


def _invoke(
    request: HttpRequest, name: str, functions: Functions, caller: Caller, watch: Watch, deliver: Deliver
) -> Answer:
    _refuse_version(name, *request.parameters.get("Qualifier", []))
    function = functions.described(name, caller)
    fields = {"FunctionName": function["FunctionName"]}
    watch(Asked("POST", request.path, request.query, "InvokeFunction", fields))
    event = _json_of(request.read(LARGEST_EVENT, "RequestTooLargeException"), "Could not parse request body into json.")
    kind = request.headers.get("X-Amz-Invocation-Type") or "RequestResponse"
    if kind == "DryRun":
        return 204, [], b""
    if kind == "Event":
        deliver(function["FunctionArn"], event)
        return 202, [], b""
    if kind != "RequestResponse":
        raise ServiceError(
            "InvalidParameterValueException", f"InvocationType {kind}: use RequestResponse, Event or DryRun."
        )
    said, log = functions.invoke(function, event)
    headers = [("Content-Type", "application/json"), ("X-Amz-Executed-Version", "$LATEST")]
    if request.headers.get("X-Amz-Log-Type") == "Tail":
        headers.append(("X-Amz-Log-Result", base64.b64encode(log.read_bytes()[-LOG_TAIL:]).decode()))
    if "error" not in said:
        return 200, headers, json.dumps(said["result"]).encode()
    error_type, _, message = str(said["error"]).partition(": ")
    body = json.dumps({"errorMessage": message, "errorType": error_type}).encode()
    return 200, [*headers, ("X-Amz-Function-Error", "Unhandled")], body


def _refuse_version(name: str, qualifier: str | None = None) -> None:
    """There are no published versions and no aliases."""
    if qualifier not in (None, "$LATEST"):
        raise ServiceError("ResourceNotFoundException", f"Function not found: {name}:{qualifier}", 404)


def _json_of(body: bytes, otherwise: str) -> Any:
    try:
        return json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise ServiceError("InvalidRequestContentException", otherwise) from None
