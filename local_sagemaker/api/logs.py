"""CloudWatch Logs of SageMaker's own log groups: the logs of jobs and endpoints, while they are written.

Every other log group is moto's. https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
"""

import base64
import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

from local_sagemaker.api.log_filter import LogFilter
from local_sagemaker.api.metric_filters import MetricFilters, Source
from local_sagemaker.errors import ServiceError
from local_sagemaker.hosting.endpoint_logs import EndpointLogs
from local_sagemaker.metrics.store import MetricStore
from local_sagemaker.processes.log_events import PAGE_BYTES, Event, LogStream
from local_sagemaker.state.records import Records
from local_sagemaker.targets.target_logs import TargetLogs
from local_sagemaker.wire.constraints import check_request
from local_sagemaker.wire.dispatch import Caller, Request

LARGEST_PAGE = 10_000  # events
SEARCHED_BYTES = 64 << 20  # by one FilterLogEvents: the next page goes on from there, as the service does it
STREAMS = 50  # on one page, where the request does not say
ENDPOINTS = "/aws/sagemaker/Endpoints/"


class Logs:
    """DescribeLogGroups, DescribeLogStreams, GetLogEvents and FilterLogEvents, and `filters`, which count lines.

    `groups` are the log groups of the jobs by name; every endpoint, and every build or function that an event has
    started here, has a group of its own.
    """

    def __init__(
        self,
        groups: Mapping[str, Source],
        endpoints: EndpointLogs,
        targets: TargetLogs,
        records: Records,
        store: MetricStore,
    ) -> None:
        self._groups = groups
        self._endpoints = endpoints
        self._targets = targets
        self.filters = MetricFilters(records, self._source, self._exists, store)
        self._operations: dict[str, Callable[[str, Source, Request, Caller], Request]] = {
            "DescribeLogStreams": self._describe_streams,
            "GetLogEvents": self._get_events,
            "FilterLogEvents": self._filter_events,
        }

    def call(self, operation: str, request: Request, caller: Caller) -> Request | None:
        """Answer a request about a group of SageMaker's, or about metric filters; None where it is about another."""
        group = _group(request)
        source = self._source(group)
        counts = self.filters.operations.get(operation)
        if counts is None and (operation not in self._operations or source is None):
            return None
        try:
            check_request(operation, request, self._model.operation_model(operation).input_shape)
        except ServiceError as error:
            raise _invalid(error.message) from None
        if counts is not None:
            return counts(request, caller)
        if source is None:
            return None
        return self._operations[operation](group, source, request, caller)

    def groups(self, request: Request, caller: Caller) -> list[Request]:
        """SageMaker's log groups, as DescribeLogGroups shows them, that a request asks for."""
        prefix, part = request.get("logGroupNamePrefix", ""), request.get("logGroupNamePattern", "")
        names = [*self._groups, *(f"{ENDPOINTS}{name}" for name in self._endpoints.names()), *self._targets.names()]
        described = []
        for name in names:
            source = self._source(name)
            if name.startswith(prefix) and part in name and source is not None:
                streams = list(source(""))
                if streams:
                    arn = f"arn:aws:logs:{caller.region}:{caller.account}:log-group:{name}"
                    created = min(stream.log.created or 0 for stream in streams)
                    size = sum(stream.log.size for stream in streams)
                    described.append(
                        {
                            "logGroupName": name,
                            "creationTime": created,
                            "metricFilterCount": self.filters.count(name),
                            "arn": f"{arn}:*",
                            "logGroupArn": arn,
                            "storedBytes": size,
                            "logGroupClass": "STANDARD",
                        }
                    )
        return described

    @cached_property
    def _model(self) -> ServiceModel:
        return ServiceModel(Loader().load_service_model("logs", "service-2"), "logs")

    def _source(self, group: str) -> Source | None:
        if group.startswith(ENDPOINTS):
            return partial(self._endpoints.streams, group.removeprefix(ENDPOINTS))
        return self._groups.get(group) or self._targets.source(group)

    def _exists(self, group: str) -> bool:
        """Whether there is such a log group; an endpoint's comes with it, as each image's server logs its start."""
        if group.startswith(ENDPOINTS):
            return group.removeprefix(ENDPOINTS) in self._endpoints.names()
        source = self._source(group)
        return source is not None and next(iter(source("")), None) is not None

    def _describe_streams(self, group: str, source: Source, request: Request, caller: Caller) -> Request:
        by_time = request.get("orderBy") == "LastEventTime"
        prefix = request.get("logStreamNamePrefix", "")
        if by_time and prefix:
            raise _invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
        arn = f"arn:aws:logs:{caller.region}:{caller.account}:log-group:{group}:log-stream"
        found = _streams(source, prefix)
        if by_time:
            found.sort(key=lambda stream: stream.log.last_written)
        if request.get("descending"):
            found.reverse()
        start = _decoded(request["nextToken"])["start"] if "nextToken" in request else 0
        end = start + request.get("limit", STREAMS)
        response: Request = {"logStreams": [_described(stream, arn) for stream in found[start:end]]}
        if end < len(found):
            response["nextToken"] = _encoded({"start": end})
        return response

    def _get_events(self, group: str, source: Source, request: Request, caller: Caller) -> Request:
        stream = _named(source, request["logStreamName"])
        limit = request.get("limit", LARGEST_PAGE)
        forward, position = _position(request, stream)
        end = position
        if forward:
            events, end = _page(stream.log.events(position, stream.ended), position, limit, request)
        else:
            events = [event for event in stream.log.before(position, stream.ended) if _is_within(event, request)]
            events = events[-limit:]
            end = events[-1].end if events else position
        return {
            "events": [_shown(event) for event in events],
            "nextForwardToken": f"f/{end:056d}/s",
            "nextBackwardToken": f"b/{events[0].start if events else position:056d}/s",
        }

    def _filter_events(self, group: str, source: Source, request: Request, caller: Caller) -> Request:
        if not request.get("startFromHead", True):
            raise _invalid("Local SageMaker does not support startFromHead=false in FilterLogEvents.")
        prefix, names = request.get("logStreamNamePrefix", ""), request.get("logStreamNames")
        streams = [_named(source, name) for name in names] if names is not None else _streams(source, prefix)
        wanted = LogFilter(request.get("filterPattern", ""))
        positions: dict[str, int] = _decoded(request["nextToken"]) if "nextToken" in request else {}
        lines = heapq.merge(
            *(_tagged(stream, positions.get(stream.name, 0)) for stream in streams),
            key=lambda tagged: tagged[1].timestamp,
        )
        events: list[Request] = []
        size = searched = 0
        for stream, event in lines:
            if len(events) == request.get("limit", LARGEST_PAGE) or size > PAGE_BYTES or searched > SEARCHED_BYTES:
                return {"events": events, "searchedLogStreams": [], "nextToken": _encoded(positions)}
            positions[stream.name] = event.end
            searched += event.end - event.start
            if _is_within(event, request) and wanted.matches(event.message):
                size += event.end - event.start
                identity = f"{event.timestamp:020d}{event.start:036d}"
                events.append({"logStreamName": stream.name, **_shown(event), "eventId": identity})
        return {"events": events, "searchedLogStreams": []}


def _group(request: Request) -> str:
    name = str(request.get("logGroupName") or request.get("logGroupIdentifier") or "")
    return name.partition(":log-group:")[2].removesuffix(":*") if name.startswith("arn:") else name


def _streams(source: Source, prefix: str) -> list[LogStream]:
    """The streams with a prefix, by name; ResourceNotFoundException where the group has none at all."""
    found = [stream for stream in source(prefix) if stream.name.startswith(prefix)]
    if not found:
        _check_group(source)
    return sorted(found, key=lambda stream: stream.name)


def _named(source: Source, name: str) -> LogStream:
    for stream in source(name):
        if stream.name == name:
            return stream
    _check_group(source)
    raise _missing("log stream")


def _check_group(source: Source) -> None:
    """A group comes into being with its first stream."""
    if next(iter(source("")), None) is None:
        raise _missing("log group")


def _described(stream: LogStream, arn: str) -> Request:
    created, last = stream.log.created or 0, stream.log.last_written
    return {
        "logStreamName": stream.name,
        "creationTime": created,
        "firstEventTimestamp": created,
        "lastEventTimestamp": last,
        "lastIngestionTime": last,
        "arn": f"{arn}:{stream.name}",
        "storedBytes": 0,  # the service has not counted them per stream since 2019 either
    }


def _position(request: Request, stream: LogStream) -> tuple[bool, int]:
    """Whether to read forward, and from which byte: f/BYTE/s and b/BYTE/s are the tokens."""
    token = request.get("nextToken")
    if token is None:
        forward = bool(request.get("startFromHead", False))
        return forward, 0 if forward else stream.log.size
    direction, _, rest = token.partition("/")
    number = rest.partition("/")[0]
    if direction not in ("f", "b") or not number.isdecimal():
        raise _invalid("The specified nextToken is invalid.")
    return direction == "f", int(number)


def _is_within(event: Event, request: Request) -> bool:
    start, end = request.get("startTime"), request.get("endTime")
    return (start is None or event.timestamp >= start) and (end is None or event.timestamp < end)


def _page(events: Iterable[Event], position: int, limit: int, request: Request) -> tuple[list[Event], int]:
    """The next events within the times of the request, and the byte at which the page after them begins."""
    page: list[Event] = []
    size, start = 0, position
    for event in events:
        if len(page) == limit or size > PAGE_BYTES or position - start > SEARCHED_BYTES:
            break
        position = event.end
        if _is_within(event, request):
            page.append(event)
            size += event.end - event.start
    return page, position


def _tagged(stream: LogStream, position: int) -> Iterator[tuple[LogStream, Event]]:
    return ((stream, event) for event in stream.log.events(position, stream.ended))


def _shown(event: Event) -> Request:
    return {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.timestamp}


def _encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def _decoded(token: str) -> Any:
    try:
        value = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        value = None
    if not isinstance(value, dict) or not all(isinstance(each, int) for each in value.values()):
        raise _invalid("The specified nextToken is invalid.")
    return value


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)


def _missing(what: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"The specified {what} does not exist.")
