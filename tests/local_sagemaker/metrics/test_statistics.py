"""Statistics over the points of a period."""

import pytest

from local_sagemaker.metrics.statistics import is_statistic, statistic
from local_sagemaker.metrics.store import MetricName, MetricStore, Point, dimensions_of


def points(*values: float) -> list[Point]:
    point = Point(0.0)
    for value in values:
        point.add(value)
    return [point]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Sum", 10.0),
        ("Average", 2.5),
        ("Minimum", 1.0),
        ("Maximum", 4.0),
        ("SampleCount", 4.0),
        ("p50", 2.5),
        ("p100", 4),
    ],
)
def test_each_statistic(name: str, expected: float) -> None:
    assert statistic(name, points(4, 1, 3, 2)) == expected


def test_a_percentile_lies_between_its_two_values() -> None:
    assert statistic("p99", points(*range(101))) == pytest.approx(99.0)
    assert statistic("p99.9", points(0.0, 1.0)) == pytest.approx(0.999)


def test_where_nothing_was_measured_there_is_no_value() -> None:
    assert statistic("Sum", []) is None
    assert statistic("p50", [Point(0.0, count=2, total=3, low=1, high=2)]) is None


@pytest.mark.parametrize("name", ["tm99", "p101", "P50", "average", "p-1"])
def test_what_is_not_computed_is_known_beforehand(name: str) -> None:
    assert not is_statistic(name)
    with pytest.raises(ValueError, match="is not a statistic"):
        statistic(name, points(1.0))


def test_the_store_gives_the_points_from_a_moment_on_and_before_another() -> None:
    moment = 100.0
    store = MetricStore(lambda: moment)
    metric = MetricName("N", "m", dimensions_of({"b": "2", "a": "1"}))
    for moment in (100.02, 100.09, 101.0, 103.0):  # noqa: B007 - the store's clock
        store.add(metric, 1.0, "None")
    assert [(p.moment, p.count) for p in store.points(metric, 100, 103)] == [(100, 2), (101, 1)]
    assert store.points(MetricName("N", "m", ()), 0, 200) == []
    moment = 103.0 + 3 * 3600
    store.add(metric, 1.0, "None")
    assert [p.moment for p in store.points(metric, 0, moment + 1)] == [103, moment]


def test_a_metric_is_found_by_its_dimensions() -> None:
    metric = MetricName("N", "m", dimensions_of({"a": "1", "b": "2"}))
    assert metric.matches("N", None, {"a": None})
    assert metric.matches(None, "m", {"b": "2"})
    assert not metric.matches(None, None, {"b": "1"})
    assert not metric.matches(None, None, {"c": None})
