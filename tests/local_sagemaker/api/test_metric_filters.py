"""Metric filters count the lines that are logged after they were made, stream by stream."""

import time
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.metric_filters import MOST_FILTERS, MetricFilters
from local_sagemaker.errors import ServiceError
from local_sagemaker.metrics.store import MetricName, MetricStore
from local_sagemaker.processes.log_events import LogFile, LogStream
from local_sagemaker.state.database import Database
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller

CALLER = Caller("000000000000", "us-east-1")
GROUP = "/aws/sagemaker/Endpoints/houses"
METRIC = MetricName("Mine", "faults", ())


class Logged:
    """A log group whose streams are files of a folder, and the filters that read it."""

    def __init__(self, folder: Path, records: Records) -> None:
        self.folder, self.records = folder, records
        self.store = MetricStore(time.time)
        self.filters = MetricFilters(records, self._source, lambda group: group == GROUP, self.store)
        self.write("one", "fault before the filter\n")

    def write(self, stream: str, text: str) -> None:
        with (self.folder / f"{stream}.log").open("a") as log:
            log.write(text)

    def ask(self, operation: str, **request: Any) -> dict[str, Any]:
        return self.filters.operations[operation](request, CALLER)

    def put(self, name: str = "f", pattern: str = "fault", **changes: Any) -> None:
        transformation = {"metricName": "faults", "metricNamespace": "Mine", "metricValue": "2", **changes}
        self.ask(
            "PutMetricFilter",
            logGroupName=GROUP,
            filterName=name,
            filterPattern=pattern,
            metricTransformations=[transformation],
        )

    def counted(self) -> float:
        self.filters.look()
        return sum(point.total for point in self.store.points(METRIC, 0, time.time() + 1))

    def _source(self, group: str) -> Any:
        if not group.startswith("/aws/sagemaker/Endpoints/"):
            return None
        files = sorted(self.folder.glob("*.log")) if group == GROUP else []
        return lambda prefix: [LogStream(path.stem, LogFile(path), ended=False) for path in files]


@pytest.fixture
def logged(tmp_path: Path) -> Logged:
    return Logged(tmp_path, Records(Database(tmp_path / "state.db")))


def test_lines_that_match_are_counted_once_from_the_filter_on(logged: Logged) -> None:
    logged.put()
    assert logged.counted() == 0.0
    logged.write("one", "a fault\nall is well\nfa")
    assert logged.counted() == 2.0
    logged.write("one", "ult\n")  # the rest of the line
    logged.write("two", "fault\n")  # a stream that is new
    assert logged.counted() == 6.0
    assert logged.counted() == 6.0


def test_a_filter_is_read_on_by_the_next_server_and_ends_when_it_is_deleted(logged: Logged) -> None:
    logged.put()
    logged.write("one", "fault\n")
    again = Logged(logged.folder, logged.records)
    again.filters.start()
    again.filters.close()
    assert again.counted() == 0.0
    again.write("one", "fault\n")
    assert again.counted() == 2.0
    again.ask("DeleteMetricFilter", logGroupName=GROUP, filterName="f")
    again.write("one", "fault\n")
    assert again.counted() == 2.0
    with pytest.raises(ServiceError, match="metric filter does not exist"):
        again.ask("DeleteMetricFilter", logGroupName=GROUP, filterName="f")


def test_filters_are_described_by_group_name_and_metric(logged: Logged) -> None:
    logged.put("first")
    logged.put("second", metricName="others")

    def names(**request: Any) -> list[str]:
        return [each["filterName"] for each in logged.ask("DescribeMetricFilters", **request)["metricFilters"]]

    assert names() == names(logGroupName=GROUP) == ["first", "second"]
    assert names(filterNamePrefix="s") == names(metricName="others", metricNamespace="Mine") == ["second"]
    assert names(logGroupName="/other") == []
    page = logged.ask("DescribeMetricFilters", limit=1)
    rest = logged.ask("DescribeMetricFilters", limit=1, nextToken=page["nextToken"])
    assert [page["metricFilters"][0]["filterName"], rest["metricFilters"][0]["filterName"]] == ["first", "second"]
    assert "nextToken" not in rest
    assert logged.filters.count(GROUP) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metricValue": "$size"}, "numbers as metricValue"),
        ({"dimensions": {"a": "$.b"}}, "does not support dimensions"),
        ({"defaultValue": 1.0}, "does not support defaultValue"),
        ({"pattern": "{ $.level = 1 }"}, "give terms, not fields"),
    ],
)
def test_what_could_not_be_evaluated_is_refused(logged: Logged, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ServiceError, match=words):
        logged.put(**changes)
    assert logged.filters.count(GROUP) == 0


def test_a_group_that_is_not_there_or_not_read_here_is_refused(logged: Logged) -> None:
    request = {"filterName": "f", "filterPattern": "", "metricTransformations": [{}]}
    with pytest.raises(ServiceError, match="log group does not exist"):
        logged.ask("PutMetricFilter", logGroupName="/aws/sagemaker/Endpoints/nobody", **request)
    with pytest.raises(ServiceError, match="not /mine"):
        logged.ask("PutMetricFilter", logGroupName="/mine", **request)


@pytest.mark.e2e
def test_a_group_has_at_most_so_many_filters_and_each_can_be_replaced(logged: Logged) -> None:
    for number in range(MOST_FILTERS):
        logged.put(f"f{number}")
    logged.put("f0", "another")
    with pytest.raises(ServiceError, match="100 metric filters"):
        logged.put("one more")
