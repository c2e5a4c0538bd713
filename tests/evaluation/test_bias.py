"""A segment that is valued worse than the others is found, with an interval, and a small one is marked."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation import clarify
from evaluation.bias import SegmentError, _sums_of, segment_errors
from evaluation.segments import Grouping


def measured(min_rows: int = 50) -> list[SegmentError]:
    """400 rows of which the last 100 are over-valued by 30 %, the others wrong by 10 % either way."""
    actual = np.linspace(100, 200, 400)
    error = np.where(np.arange(400) % 2 == 0, 0.1, -0.1)
    error[300:] = 0.3
    codes = np.repeat([0, 1, 2], [270, 30, 100])
    return segment_errors(
        actual, actual * (1 + error), [Grouping("place", ("north", "islet", "south"), codes)], min_rows
    )


def test_each_segment_is_compared_with_the_other_rows() -> None:
    north, islet, south = measured()
    assert south.mape == pytest.approx(0.3)
    assert south.valuation == pytest.approx(0.3)
    assert south.mape_ratio == pytest.approx(3.0)
    assert north.valuation == pytest.approx(0, abs=1e-3)
    assert north.mape_ratio == pytest.approx(0.1 / ((30 * 0.1 + 100 * 0.3) / 130))
    assert south.mape_ratio_interval is not None
    assert south.mape_ratio_interval[0] <= 3.0 + 1e-9
    assert [north.rows, islet.rows, south.rows] == [270, 30, 100]
    assert [north.small, islet.small, south.small] == [False, True, False]


def test_interval_of_the_ratio_is_that_of_two_means() -> None:
    random = np.random.default_rng(3)
    actual = np.full(2000, 100.0)
    predicted = actual + random.normal(0, 10, 2000)
    found = segment_errors(actual, predicted, [Grouping("half", ("a", "b"), np.arange(2000) % 2)], 1)[0]
    low, high = found.mape_ratio_interval or (0, 0)
    spread = np.abs(predicted - actual).std() / np.abs(predicted - actual).mean()
    assert high - low == pytest.approx(2 * 1.96 * spread * np.sqrt(2 / 1000), rel=0.15)
    assert low < 1 < high


def test_rows_that_no_error_is_relative_to_and_segments_without_rows_are_left_out() -> None:
    actual = np.array([0.0, 10.0, 10.0, 10.0])
    groupings = [Grouping("g", ("zero", "ten"), np.array([0, 1, 1, 1]))]
    zero, ten = segment_errors(actual, np.array([5.0, 11.0, 11.0, 11.0]), groupings, 1)
    assert (zero.rows, zero.mape, zero.mape_ratio) == (0, None, None)
    assert ten.mape == pytest.approx(0.1)
    assert ten.mape_ratio is None  # there are no others


def test_report_has_the_layout_of_clarify() -> None:
    report = clarify.bias(measured(), "price", 150.0)
    part = report["post_training_bias_metrics"]
    assert (part["label"], part["label_value_or_threshold"]) == ("price", "150")
    south = part["facets"]["place"][2]
    assert south["value_or_threshold"] == "south"
    values = {metric["name"]: metric["value"] for metric in south["metrics"]}
    assert values["MAPE_RATIO"] == pytest.approx(3.0)
    assert values["DI"] > 1  # valued above the median more often than the others
    assert all(set(metric) == {"name", "description", "value"} for metric in south["metrics"])


def test_segments_of_many_rows_are_measured_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measured()
    monkeypatch.setattr("steps.batches.ROWS", 150)
    for one, other in zip(whole, measured(), strict=True):
        assert (one.rows, one.mape, one.valuation, one.mape_ratio) == (
            other.rows,
            other.mape,
            other.valuation,
            other.mape_ratio,
        )
        assert one.mape_ratio_interval is not None
        assert other.mape_ratio_interval == pytest.approx(one.mape_ratio_interval, rel=0.1)


def test_the_sums_of_segments_are_those_of_counting_row_after_row() -> None:
    random = np.random.default_rng(2)
    columns, counts = random.normal(0, 1, (500, 3)), random.poisson(1.0, (4, 500))
    codes = [random.integers(0, 3, 500), random.integers(0, 5, 500)]
    found = _sums_of(columns, np.column_stack([codes[0], codes[1] + 3]), 8)(counts)
    for number, one in enumerate(counts):
        by_column = [
            np.concatenate(
                [np.bincount(own, column * one, minlength=size) for own, size in zip(codes, (3, 5), strict=True)]
            )
            for column in columns.T
        ]
        np.testing.assert_array_equal(found[number].T, by_column)
