"""The queues of asynchronous endpoints: requests wait in the state, and go to the models as these have room.

A request leaves the state when its answer is in S3, so that one that a killed server was at is answered again.
"""

import logging
import threading
import time
from typing import Any

from local_sagemaker.asynchronous.metrics import AsyncMetrics
from local_sagemaker.asynchronous.processing import Processing
from local_sagemaker.asynchronous.requests import accepted, concurrency_of
from local_sagemaker.clock import Clock
from local_sagemaker.errors import ServiceError
from local_sagemaker.hosting.endpoint_host import EndpointHost
from local_sagemaker.hosting.model_process import ModelUnavailable
from local_sagemaker.state.record_kinds import ASYNC_REQUEST, ENDPOINT
from local_sagemaker.state.record_types import AsyncRequestRecord, Document, EndpointRecord
from local_sagemaker.state.records import Records

LOG = logging.getLogger("local_sagemaker.asynchronous")
LOOK_SECONDS = 1.0  # between two looks at requests whose models have no room, or do not serve
METRIC_SECONDS = 30.0  # between two values of what waits, so that no minute is without one


class AsyncQueue:
    """Takes requests, and has a thread that hands them on, the oldest of each endpoint first."""

    def __init__(
        self, records: Records, host: EndpointHost, processing: Processing, metrics: AsyncMetrics, clock: Clock
    ) -> None:
        self._records = records
        self._host = host
        self._processing = processing
        self._metrics = metrics
        self._clock = clock
        self._news = threading.Condition()
        self._waiting: set[str] = set()  # endpoints that may have requests
        self._busy: dict[str, set[str]] = {}  # the names of the records that are being answered, by endpoint
        self._closed = False
        self._next_metrics = 0.0

    def start(self) -> None:
        """Go on with what a server before has left, and begin to hand requests on."""
        self._waiting |= {request["EndpointName"] for request in self._records.all(ASYNC_REQUEST)}
        threading.Thread(target=self._watch, name="asynchronous", daemon=True).start()

    def close(self) -> None:
        """Begin no further request; what is being answered stays in the state until it is."""
        with self._news:
            self._closed = True
            self._news.notify()

    def take(self, endpoint: str, fields: dict[str, Any], body: bytes, region: str) -> AsyncRequestRecord:
        """Put a request into the queue of an endpoint; ValidationError where it cannot be one."""
        with self._records.lock:
            record = self._records.get(ENDPOINT, endpoint)
            config = _config(record)
            if config is None:
                raise ServiceError(
                    "ValidationError",
                    f"Endpoint {endpoint} does not support asynchronous invocations: its configuration has no "
                    "AsyncInferenceConfig.",
                )
            request = accepted(endpoint, config, fields, body, region)
            self._records.create(ASYNC_REQUEST, _name(request), request)
        with self._news:
            self._waiting.add(endpoint)
            self._news.notify()
        return request

    def _watch(self) -> None:
        while True:
            with self._news:
                if self._closed:
                    return
            try:
                for endpoint in list(self._waiting):
                    self._hand_on(endpoint)
                self._measure()
            except Exception:  # a thread that ends answers nothing any more
                LOG.exception("the asynchronous requests could not be looked at")
            with self._news:
                if not self._closed:
                    until_metrics = max(0.0, self._next_metrics - time.monotonic())
                    self._news.wait(min(LOOK_SECONDS, until_metrics) if self._waiting else until_metrics)

    def _hand_on(self, endpoint: str) -> None:
        """Begin as many requests of an endpoint as its instances have room for."""
        record = self._records.get(ENDPOINT, endpoint)
        if record is None:
            self._records.delete_all(ASYNC_REQUEST, f"{endpoint}/")
        with self._news:
            busy = set(self._busy.get(endpoint, ()))
        free = self._room(record) - len(busy) if record is not None else 0
        # As many as are being answered may stand before those that wait.
        found = self._records.find(ASYNC_REQUEST, prefix=f"{endpoint}/", limit=len(busy) + max(free, 1))
        if not found:
            with self._news:
                self._waiting.discard(endpoint)
            if self._records.count(ASYNC_REQUEST, f"{endpoint}/"):  # one has just come
                self._waiting.add(endpoint)
            return
        for request in [each.document for each in found if _name(each.document) not in busy][: max(free, 0)]:
            with self._news:
                self._busy.setdefault(endpoint, set()).add(_name(request))
            name = f"asynchronous-{endpoint}"
            threading.Thread(target=self._answer, args=(request, _variant(record)), name=name, daemon=True).start()

    def _room(self, record: EndpointRecord) -> int:
        config = _config(record)
        instances = sum(health.instances for health in self._host.health(record["EndpointName"]).values())
        return instances * concurrency_of(config or {})

    def _answer(self, request: AsyncRequestRecord, variant: str) -> None:
        try:
            self._processing.run(request, variant, self._clock.seconds(request["TtlSeconds"]))
            self._records.insist(lambda: self._records.delete(ASYNC_REQUEST, _name(request)))
        except (ModelUnavailable, LookupError) as fault:  # it waits on
            LOG.info("the request %s waits: %s", request["InferenceId"], fault)
            time.sleep(LOOK_SECONDS)
        except Exception:  # a full disk; it is tried again
            LOG.exception("the request %s could not be answered", request["InferenceId"])
            time.sleep(LOOK_SECONDS)
        finally:
            with self._news:
                self._busy[request["EndpointName"]].discard(_name(request))
                self._news.notify()

    def _measure(self) -> None:
        if time.monotonic() < self._next_metrics:
            return
        self._next_metrics = time.monotonic() + self._clock.seconds(METRIC_SECONDS)
        for record in self._records.all(ENDPOINT):
            if _config(record) is None:
                continue
            endpoint = record["EndpointName"]
            oldest = self._records.find(ASYNC_REQUEST, prefix=f"{endpoint}/", limit=1)
            age = time.time() - oldest[0].document["CreationTime"] if oldest else 0.0
            instances = sum(health.size for health in self._host.health(endpoint).values())
            self._metrics.backlog(endpoint, self._records.count(ASYNC_REQUEST, f"{endpoint}/"), instances, age)


def _config(record: EndpointRecord | None) -> Document | None:
    """The AsyncInferenceConfig by which an endpoint serves."""
    serving = (record or {}).get("Serving")
    config: Document | None = (serving or {}).get("AsyncInferenceConfig")
    return config


def _variant(record: EndpointRecord | None) -> str:
    """The variant whose metrics count what no variant was asked."""
    return str(record["Serving"]["Variants"][0]["VariantName"]) if record is not None else ""


def _name(request: AsyncRequestRecord) -> str:
    return f"{request['EndpointName']}/{request['Id']}"
