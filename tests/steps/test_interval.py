"""The interval holds the promised share of rows that it has not seen, and says when it cannot promise it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steps.boosting import by_row
from steps.failure import JobError
from steps.interval import Interval, chance_in_coverage, coverage, fewest_rows, fit
from steps.model import Model, load

Part = tuple[pd.DataFrame, np.ndarray, np.ndarray]
PARAMETERS = {
    "objective": "reg:squarederror",
    "tree_method": "hist",
    "max_depth": 5,
    "learning_rate": 0.05,
    "nthread": 2,
}
PARAMETERS |= {"subsample": 0.7, "min_child_weight": 5, "seed": 0}


def part(rows: int, seed: int) -> Part:
    """Rows whose noise grows with x: an interval of one width would be too wide here and too narrow there."""
    random = np.random.default_rng(seed)
    x = random.uniform(0, 1, rows)
    target = x + random.normal(0, 0.05 + 0.5 * x)
    return pd.DataFrame({"x": x}), target, np.zeros(rows)


@pytest.fixture(scope="module")
def interval() -> Interval:
    return fit(part(3000, 1), part(1000, 2), coverage=0.9, parameters=PARAMETERS)


def test_covers_the_wanted_share_of_new_rows_and_adapts_to_their_noise(interval: Interval) -> None:
    table, target, start = part(8000, 3)
    low, high = interval.bounds(by_row(table.to_numpy()), start)
    assert 0.87 < coverage(target, low, high) < 0.93
    calm, noisy = table["x"] < 0.2, table["x"] > 0.8
    assert 0.84 < coverage(target[calm], low[calm], high[calm]) < 0.98
    assert np.mean((high - low)[noisy]) > 2.5 * np.mean((high - low)[calm])


def test_calibration_repairs_quantiles_that_are_too_narrow(interval: Interval) -> None:
    table, target, start = part(8000, 3)
    assert (
        coverage(target, *replace(interval, margin=interval.margin - 0.1).bounds(by_row(table.to_numpy()), start))
        < 0.85
    )


def test_the_margin_is_the_least_that_covers_the_share_of_the_calibration_rows(interval: Interval) -> None:
    table, target, start = part(1000, 2)
    low, high = replace(interval, margin=0.0).bounds(table, start)
    outside = np.maximum(low - target, target - high)
    assert np.sum(outside <= interval.margin) == 901  # 0.9 of 1001, rounded up
    assert interval.margin in outside


def test_the_bounds_of_an_interval_belong_to_it() -> None:
    actual, lower, upper = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 0.0]), np.array([2.0, 3.0, 3.0])
    assert coverage(actual, lower, upper) == pytest.approx(2 / 3)


def test_too_few_rows_for_the_coverage_are_refused_with_the_number_needed() -> None:
    with pytest.raises(JobError, match=r"8 rows, too few for an interval that covers 90%: it needs 9"):
        fit(part(100, 1), part(8, 2), coverage=0.9, parameters=PARAMETERS)
    assert fit(part(100, 1), part(9, 2), coverage=0.9, parameters=PARAMETERS).margin < np.inf
    assert (fewest_rows(0.9), fewest_rows(0.99), fewest_rows(0.5)) == (9, 99, 1)


def test_rows_needed_to_measure_a_coverage() -> None:
    assert chance_in_coverage(0.9, 1800, 1800) == pytest.approx(0.02)
    assert chance_in_coverage(0.5, 100, 10**9) == pytest.approx(0.1, rel=1e-3)


def test_bounds_hold_the_prediction(model_folder: Path, typed_rents: pd.DataFrame) -> None:
    model: Model = load(model_folder)
    lower, upper = model.predict_interval(typed_rents)
    predicted = model.predict(typed_rents)
    assert (lower <= predicted).all()
    assert (predicted <= upper).all()
    assert 0.8 < coverage(typed_rents["rent"].to_numpy(), lower, upper) <= 1
