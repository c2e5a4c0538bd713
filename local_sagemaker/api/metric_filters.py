"""Metric filters of CloudWatch Logs: lines of the logs of jobs and endpoints that match become values of a metric.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.api.log_filter import LogFilter
from local_sagemaker.errors import ServiceError
from local_sagemaker.metrics.store import MetricName, MetricStore
from local_sagemaker.processes.log_events import LogStream
from local_sagemaker.state.record_kinds import METRIC_FILTER
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller, Request

LOG = logging.getLogger("local_sagemaker.logs")
LOOK_SECONDS = 0.2
MOST_FILTERS = 100  # of a log group, the service's limit
PAGE = 50
Source = Callable[[str], Iterable[LogStream]]  # the streams of a group whose names start with a prefix


@dataclass
class _Reading:
    """A filter, and up to which byte each stream of its group was read; a stream that is not there is read whole."""

    document: Request
    wanted: LogFilter
    positions: dict[str, int] = field(default_factory=dict)

    def matches(self, source: Source) -> Iterator[str]:
        """The lines that are new since the last time, and wanted."""
        for stream in source(""):
            position = self.positions.get(stream.name, 0)
            if stream.log.size <= position:
                continue
            for event in stream.log.events(position, stream.ended):
                self.positions[stream.name] = event.end
                if self.wanted.matches(event.message):
                    yield event.message


class MetricFilters:
    """PutMetricFilter, DescribeMetricFilters and DeleteMetricFilter, and the thread that reads the logs for them.

    As on AWS, a filter counts what is logged after it was made; after a restart of the server what is logged since.
    """

    def __init__(
        self,
        records: Records,
        source: Callable[[str], Source | None],
        exists: Callable[[str], bool],
        store: MetricStore,
    ) -> None:
        self._records = records
        self._source = source
        self._exists = exists
        self._store = store
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._readings: dict[str, _Reading] = {}
        self.operations: dict[str, Callable[[Request, Caller], Request]] = {
            "PutMetricFilter": self._put,
            "DescribeMetricFilters": self._describe,
            "DeleteMetricFilter": self._delete,
        }

    def start(self) -> None:
        """Read on where the logs end now, and begin to look."""
        for document in self._records.all(METRIC_FILTER):
            self._readings[_key(document)] = self._reading(document)
        threading.Thread(target=self._watch, name="metric-filters", daemon=True).start()

    def close(self) -> None:
        """Look at no log any more."""
        self._closed.set()

    def count(self, group: str) -> int:
        """How many filters a log group has."""
        return sum(reading.document["logGroupName"] == group for reading in list(self._readings.values()))

    def look(self) -> None:
        """Add what was logged since the last time to the metrics."""
        with self._lock:
            for reading in self._readings.values():
                source = self._source(reading.document["logGroupName"])
                [transformation] = reading.document["metricTransformations"]
                name = MetricName(transformation["metricNamespace"], transformation["metricName"], ())
                for _ in reading.matches(source) if source is not None else ():
                    self._store.add(name, float(transformation["metricValue"]), transformation.get("unit", "None"))

    def _put(self, request: Request, caller: Caller) -> Request:
        group, key = request["logGroupName"], _key(request)
        if self._source(group) is None:
            raise _invalid(
                "Local SageMaker reads the logs of jobs, endpoints, builds and functions for metric filters, not "
                f"{group}."
            )
        if not self._exists(group):
            raise ServiceError("ResourceNotFoundException", "The specified log group does not exist.")
        _check_transformation(request["metricTransformations"][0])
        if key not in self._readings and self.count(group) >= MOST_FILTERS:
            raise ServiceError(
                "LimitExceededException", f"{group} has {MOST_FILTERS} metric filters: the most there can be."
            )
        document = {**request, "creationTime": int(time.time() * 1000)}
        reading = self._reading(document)
        self._records.put(METRIC_FILTER, key, document)
        with self._lock:
            self._readings[key] = reading
        return {}

    def _describe(self, request: Request, caller: Caller) -> Request:
        fields = ("logGroupName", "filterName", "filterPattern", "metricTransformations", "creationTime")
        found = sorted((reading.document for reading in list(self._readings.values())), key=_key)
        wanted = [
            {name: document[name] for name in fields}
            for document in found
            if request.get("logGroupName", document["logGroupName"]) == document["logGroupName"]
            and document["filterName"].startswith(request.get("filterNamePrefix", ""))
            and all(
                request.get(name, document["metricTransformations"][0][name])
                == document["metricTransformations"][0][name]
                for name in ("metricName", "metricNamespace")
            )
        ]
        token = request.get("nextToken", "0")
        if not token.isdecimal():
            raise _invalid("The specified nextToken is invalid.")
        start, limit = int(token), request.get("limit", PAGE)
        more = {"nextToken": str(start + limit)} if start + limit < len(wanted) else {}
        return {"metricFilters": wanted[start : start + limit], **more}

    def _delete(self, request: Request, caller: Caller) -> Request:
        if not self._records.delete(METRIC_FILTER, _key(request)):
            raise ServiceError("ResourceNotFoundException", "The specified metric filter does not exist.")
        with self._lock:
            self._readings.pop(_key(request), None)
        return {}

    def _reading(self, document: Request) -> _Reading:
        """A filter that begins where the logs end now."""
        source = self._source(document["logGroupName"])
        streams = source("") if source is not None else ()
        return _Reading(document, LogFilter(document["filterPattern"]), {each.name: each.log.size for each in streams})

    def _watch(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception:  # a thread that ends reads no log any more
                LOG.exception("the logs could not be read for the metric filters")


def _key(document: Request) -> str:
    return f"{document['logGroupName']}:{document['filterName']}"  # no name of a group or a filter holds a colon


def _check_transformation(transformation: Any) -> None:
    """Refuse what could never be evaluated, and what is not supported here."""
    try:
        float(transformation["metricValue"])
    except ValueError:
        raise _invalid(
            f"Local SageMaker supports numbers as metricValue, not {transformation['metricValue']!r}."
        ) from None
    for name in ("dimensions", "defaultValue"):
        if transformation.get(name):
            raise _invalid(f"Local SageMaker does not support {name} in metricTransformations.")


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)
