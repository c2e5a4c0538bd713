"""The runtime API: InvokeEndpoint and InvokeEndpointAsync over HTTP, and the service's words for what goes wrong.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

import re
import time
from http import HTTPStatus
from urllib.parse import unquote

from local_sagemaker.asynchronous.queue import AsyncQueue
from local_sagemaker.errors import ServiceError
from local_sagemaker.hosting.deployment import ATTRIBUTES, AsynchronousOnly, Invocation
from local_sagemaker.hosting.endpoint_host import EndpointHost
from local_sagemaker.hosting.model_process import INVOCATION_TIMEOUT_SECONDS, ModelResponse, ModelUnavailable
from local_sagemaker.hosting.multi_model import ModelNotReady, TargetRefused
from local_sagemaker.hosting.serverless import Throttled
from local_sagemaker.http import asynchronous
from local_sagemaker.http.asynchronous import Answer
from local_sagemaker.state.record_kinds import ENDPOINT
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.wire.http_request import HttpRequest

PATH = re.compile(r"/endpoints/([^/]+)/(invocations|invocations-response-stream|async-invocations)")
OPERATIONS = {
    "invocations": "InvokeEndpoint",
    "invocations-response-stream": "InvokeEndpointWithResponseStream",
    "async-invocations": asynchronous.OPERATION,
}
PREFIX = asynchronous.PREFIX
REFUSED = {
    f"{PREFIX}Target-Container-Hostname": "direct invocation of containers (TargetContainerHostname)",
    f"{PREFIX}Inference-Component": "inference components (InferenceComponentName)",
    f"{PREFIX}Session-Id": "stateful sessions (SessionId)",
    f"{PREFIX}Enable-Explanations": "online explanations (EnableExplanations)",
}
NOT_ANSWERED = (LookupError, ModelUnavailable, Throttled, AsynchronousOnly, TargetRefused, ModelNotReady)
HAS_SERVED = ("InService", "Updating")
POLL_SECONDS = 0.02
LARGEST_BODY = 6 * 1024 * 1024  # bytes; the real-time limit of the service


class ModelError(ServiceError):
    """The model refused, failed or did not answer: an HTTP 424 that says so in four fields."""

    def __init__(self, endpoint: str, caller: Caller, log_stream: str, status: int, text: str) -> None:
        kind = "client" if 400 <= status < 500 else "server"
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        message = (
            f'Received {kind} error ({status}) from primary with message "{text}". '
            f"See {group} in account {caller.account} for more information."
        )
        super().__init__("ModelError", message, 424)
        self.fields = {
            "OriginalStatusCode": status,
            "OriginalMessage": text,
            "LogStreamArn": f"arn:aws:logs:{caller.region}:{caller.account}:log-group:{group}:log-stream:{log_stream}",
            "Message": message,
        }


def invoke(
    request: HttpRequest, host: EndpointHost, queue: AsyncQueue, records: Records, caller: Caller
) -> Answer | None:
    """Answer a request for an invocation; None where it is not one. ServiceError where it is refused."""
    asked = invocation_of(request.path)
    if asked is None:
        return None
    operation, name = asked
    _wait_for_its_return(name, host, records)
    if operation == asynchronous.OPERATION:
        if not host.serves(name):
            raise _not_served(name, "no model serves it.", records, caller)
        return asynchronous.enqueue(request, name, queue, caller)
    if operation != "InvokeEndpoint":
        raise _unsupported(f"the operation {operation}")
    for header, what in REFUSED.items():
        if request.headers.get(header):
            raise _unsupported(what)
    try:
        answered = host.invoke(name, _invocation(request))
    except NOT_ANSWERED as error:
        raise _refusal(name, error, records, caller) from None
    response = answered.response
    if not response.succeeded:
        text = response.body.decode(errors="replace")
        raise ModelError(name, caller, answered.log_stream, response.status, text)
    return HTTPStatus.OK, _headers(answered.variant, response), response.body


def _wait_for_its_return(name: str, host: EndpointHost, records: Records) -> None:
    """After a kill of the server what served is started again: a client waits for that as for a slow model."""
    deadline = time.monotonic() + INVOCATION_TIMEOUT_SECONDS
    while not host.serves(name) and not host.closed and time.monotonic() < deadline:
        endpoint = records.get(ENDPOINT, name)
        if endpoint is None or endpoint["EndpointStatus"] not in HAS_SERVED:
            return
        time.sleep(POLL_SECONDS)


def invocation_of(path: str) -> tuple[str, str] | None:
    """The operation and the endpoint that a path asks for, or None."""
    found = PATH.fullmatch(path)
    return (OPERATIONS[found[2]], unquote(found[1])) if found else None


def _invocation(request: HttpRequest) -> Invocation:
    headers = request.headers
    return Invocation(
        body=request.read(LARGEST_BODY, "ValidationError"),
        content_type=request.content_type or "application/octet-stream",
        accept=headers.get("Accept") or "*/*",
        target_variant=headers.get(f"{PREFIX}Target-Variant"),
        custom_attributes=headers.get(f"{PREFIX}Custom-Attributes"),
        inference_id=headers.get(f"{PREFIX}Inference-Id"),
        target_model=headers.get(f"{PREFIX}Target-Model") or None,
    )


def _headers(variant: str, response: ModelResponse) -> list[tuple[str, str]]:
    headers = [("Content-Type", response.content_type), ("x-Amzn-Invoked-Production-Variant", variant)]
    attributes = response.headers.get(ATTRIBUTES.lower())
    return [*headers, (ATTRIBUTES, attributes)] if attributes else headers


def _refusal(name: str, error: Exception, records: Records, caller: Caller) -> ServiceError:
    """What a client is told of an invocation that no model has answered."""
    if isinstance(error, LookupError):
        return _not_served(name, str(error), records, caller)
    if isinstance(error, ModelUnavailable):
        return ServiceError("ServiceUnavailable", str(error), 503)
    if isinstance(error, Throttled):
        return ServiceError("ThrottlingException", f"Rate exceeded: {error}.", 429)
    if isinstance(error, ModelNotReady):
        return ServiceError("ModelNotReadyException", str(error), 429)
    if isinstance(error, AsynchronousOnly):
        text = f"Endpoint {name} is asynchronous (AsyncInferenceConfig): it takes InvokeEndpointAsync alone."
        return ServiceError("ValidationError", text)
    return ServiceError("ValidationError", str(error))


def _not_served(name: str, why: str, records: Records, caller: Caller) -> ServiceError:
    endpoint = records.get(ENDPOINT, name)
    if endpoint is None:
        return ServiceError("ValidationError", f"Endpoint {name} of account {caller.account} not found.")
    return ServiceError("ValidationError", f"Endpoint {name} is {endpoint['EndpointStatus']}: {why}")


def _unsupported(what: str) -> ServiceError:
    return ServiceError("ValidationError", f"Local SageMaker does not support {what}.")
