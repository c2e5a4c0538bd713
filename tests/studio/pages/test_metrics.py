"""Metrics of a model quality document."""

import pytest

from studio.pages.metrics import Metric, flat_numbers, metrics_of


def test_each_metric_with_its_interval() -> None:
    document = {"regression_metrics": {"r2": {"value": 0.9, "standard_deviation": 0.1}, "mae": {"value": 2}}, "x": 1}
    r2, mae = metrics_of(document)
    assert r2.interval == pytest.approx((0.704, 1.096))
    assert mae == Metric("mae", 2.0, None)
    assert mae.interval is None


@pytest.mark.parametrize(
    "document", [None, [], {"a_metrics": []}, {"a_metrics": {"b": 1}}, {"a_metrics": {"b": {"value": "NaN"}}}]
)
def test_what_is_no_metric_is_left_out(document: object) -> None:
    assert metrics_of(document) == []


def test_numbers_by_their_path_but_no_truths_and_no_infinities() -> None:
    assert dict(flat_numbers({"a": {"b": 1, "c": True}, "d": float("inf"), "e": [1]})) == {"a.b": 1.0}


def test_no_more_numbers_than_a_page_can_show() -> None:
    assert len(list(flat_numbers({str(number): number for number in range(1000)}))) == 400
