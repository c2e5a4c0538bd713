"""One asynchronous request, from its input in S3 to its answer, or its failure, there."""

import base64
import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local_sagemaker.asynchronous import notes
from local_sagemaker.asynchronous.metrics import COUNT, MICROSECONDS, MILLISECONDS, AsyncMetrics
from local_sagemaker.asynchronous.permissions import ModelPermissions
from local_sagemaker.errors import ServiceError
from local_sagemaker.hosting.deployment import Invocation
from local_sagemaker.hosting.endpoint_host import EndpointHost
from local_sagemaker.hosting.model_process import ModelResponse, ModelUnavailable
from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.processes.storage import ObjectStore, fetch, split_s3_uri
from local_sagemaker.state.record_types import AsyncRequestRecord

LOG = logging.getLogger("local_sagemaker.asynchronous")
LARGEST_INPUT = 1 << 30  # bytes
EXPIRED, DOWNLOAD = "ExpiredRequests", "RequestDownloadFailures"
INVOCATION, UPLOAD = "InvocationFailures", "ResponseUploadFailures"
FAULTS = (EXPIRED, DOWNLOAD, INVOCATION, UPLOAD)
Publish = Callable[[str, str], None]  # the ARN of a topic, and a text


class Failed(Exception):
    """A request has no answer: the metric that counts it, its failureReason, and what the model said, if anything."""

    def __init__(self, metric: str, reason: str, response: ModelResponse | None = None) -> None:
        super().__init__(f"ClientError: {reason}")
        self.metric = metric
        self.response = response


class Processing:
    """Takes requests from the queue to their ends; used by several threads at once."""

    def __init__(
        self,
        host: EndpointHost,
        store: ObjectStore,
        publish: Publish,
        metrics: AsyncMetrics,
        permissions: ModelPermissions,
    ) -> None:
        self._host = host
        self._store = store
        self._publish = publish
        self._metrics = metrics
        self._permissions = permissions

    def run(self, request: AsyncRequestRecord, variant: str, ttl_seconds: float) -> None:
        """Answer one request; whatever goes wrong is told as the request says.

        Raises ModelUnavailable or LookupError where no model could be asked: the request is to wait on.
        """
        waited = time.time() - request["CreationTime"]
        values = {"TimeInBacklog": (waited * 1e3, MILLISECONDS)} | dict.fromkeys(FAULTS, (0.0, COUNT))
        try:
            if waited > ttl_seconds:
                raise Failed(EXPIRED, f"The request has waited longer than {request['TtlSeconds']} seconds.")
            with timed(values, "RequestDownloadLatency"):
                body = self._input(request)
            variant, response = self._ask(request, body)
            with timed(values, "ResponseUploadLatency"):
                self._keep(request, response, request.get("OutputLocation"))
            told = self._tell(request, request.get("SuccessTopic"), notes.success(request, response, time.time()))
        except Failed as failure:
            values[failure.metric] = (1.0, COUNT)
            told = self._fail(request, failure)
        values["TotalProcessingTime"] = ((time.time() - request["CreationTime"]) * 1e3, MILLISECONDS)
        values |= {"InvocationsProcessed": (1.0, COUNT), "NotificationFailures": (float(not told), COUNT)}
        self._metrics.ended(request["EndpointName"], variant, values)

    def _input(self, request: AsyncRequestRecord) -> bytes:
        inline, location = request.get("Body"), request.get("InputLocation")
        if inline is not None:
            return base64.b64decode(inline)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "input"
            try:
                self._permissions.require_input(request, str(location))
                fetch(self._store, str(location), path)
            except (ClientFault, ServiceError, OSError) as fault:
                raise Failed(DOWNLOAD, f"The input could not be read: {fault}") from None
            if path.stat().st_size > LARGEST_INPUT:
                raise Failed(DOWNLOAD, f"The input {location} is larger than {LARGEST_INPUT} bytes.")
            return path.read_bytes()

    def _stored_type(self, request: AsyncRequestRecord) -> str | None:
        """That of the input's object: the SDK gives it there, and not in the request."""
        location = request.get("InputLocation")
        return None if location is None else self._store.content_type(*split_s3_uri(location))

    def _ask(self, request: AsyncRequestRecord, body: bytes) -> tuple[str, ModelResponse]:
        answered = self._host.invoke(
            request["EndpointName"],
            Invocation(
                body,
                request.get("ContentType") or self._stored_type(request) or "application/octet-stream",
                request.get("Accept") or "*/*",
                custom_attributes=request.get("CustomAttributes"),
                inference_id=request["InferenceId"],
                timeout_seconds=float(request["TimeoutSeconds"]),
                asynchronous=True,
            ),
        )
        response = answered.response
        if not response.succeeded:
            if self._host.closed:  # then the server's end may be the reason
                raise ModelUnavailable("The server stops.")
            kind = "client" if 400 <= response.status < 500 else "server"
            raise Failed(
                INVOCATION,
                f"Received {kind} error ({response.status}) from model. See the SageMaker Endpoint logs in "
                "your account for more information.",
                response,
            )
        return answered.variant, response

    def _keep(self, request: AsyncRequestRecord, response: ModelResponse, location: str | None) -> None:
        if location is None:
            return
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "answer"
            path.write_bytes(response.body)
            try:
                self._permissions.require_output(request, location)
                self._store.upload(path, *split_s3_uri(location), response.content_type)
            except (ClientFault, ServiceError, LookupError) as fault:
                raise Failed(UPLOAD, f"The response could not be stored at {location}: {fault}") from None

    def _fail(self, request: AsyncRequestRecord, failure: Failed) -> bool:
        endpoint, reason = request["EndpointName"], str(failure)
        LOG.warning("the request %s to the endpoint %s failed: %s", request["InferenceId"], endpoint, reason)
        if failure.response is not None:
            try:
                self._keep(request, failure.response, request.get("FailureLocation"))
            except Failed as fault:
                LOG.warning("the failure of the request %s: %s", request["InferenceId"], fault)
        return self._tell(
            request, request.get("ErrorTopic"), notes.error(request, reason, failure.response, time.time())
        )

    def _tell(self, request: AsyncRequestRecord, topic: str | None, text: str) -> bool:
        if topic is None:
            return True
        try:
            self._permissions.require_topic(request, topic)
            self._publish(topic, text)
        except Exception as fault:  # a topic that is gone keeps no request
            LOG.warning("the topic %s could not be notified: %s", topic, fault)
            return False
        return True


@contextmanager
def timed(values: dict[str, tuple[float, str]], name: str) -> Iterator[None]:
    """Take the time of what is done as a metric."""
    began = time.monotonic()
    try:
        yield
    finally:
        values[name] = ((time.monotonic() - began) * 1e6, MICROSECONDS)
