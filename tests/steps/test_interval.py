"""The interval holds the promised share of rows that it has not seen, and says when it cannot promise it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from steps.boosting import by_row, predict
from steps.failure import JobError
from steps.features import Features
from steps.interval import Interval, chance_in_coverage, coverage, fewest_rows, fit, from_json
from steps.model import Model, load
from steps.settings import Column
from steps.shard import Shard
from steps.starting_point import Boosting, Part

BOOSTING = Boosting(
    {
        "objective": "reg:squarederror",
        "tree_method": "hist",
        "max_depth": 3,
        "learning_rate": 0.1,
        "nthread": 1,
        "subsample": 0.7,
        "min_child_weight": 5,
        "seed": 0,
    },
    rounds=100,
    early_stopping_rounds=20,
)


def features(signs: Mapping[str, int] | None = None) -> Features:
    return Features(
        names=("x", "other"),
        inputs={"x": Column(type="number"), "other": Column(type="number")},
        derived={},
        levels={},
        fill={"x": 0.0, "other": 0.0},
        target="y",
        target_unit="",
        target_scale="linear",
        target_range=(-1e9, 1e9),
        signs=dict(signs or {}),
    )


def part(rows: int, seed: int) -> Part:
    """Rows whose noise grows with x: an interval of one width would be too wide here and too narrow there."""
    random = np.random.default_rng(seed)
    x, other = random.uniform(0, 1, rows), random.uniform(0, 1, rows)
    target = x + random.normal(0, 0.05 + 0.5 * x)
    return Part(pd.DataFrame({"x": x, "other": other}), target, np.zeros(rows), Shard.whole(rows))


def fitted(rows: tuple[int, int], known: Features, **options: Any) -> tuple[Interval, Any]:
    train, validation = part(rows[0], 1), part(rows[1], 2)
    booster, _ = BOOSTING.fit(train, validation, known)
    return fit(train, validation, known, BOOSTING, booster, options.pop("coverage", 0.9), **options), booster


def bounds(interval: Interval, booster: Any, of: Part) -> tuple[np.ndarray, np.ndarray]:
    values = by_row(of.table.to_numpy())
    return interval.bounds(values, of.start, predict(booster, values, of.start).astype(float))


@pytest.fixture(scope="module", name="found")
def a_fitted_interval() -> tuple[Interval, Any]:
    return fitted((3000, 1000), features())


def test_covers_the_wanted_share_of_new_rows_and_adapts_to_their_noise(found: tuple[Interval, Any]) -> None:
    new = part(8000, 3)
    low, high = bounds(*found, new)
    assert 0.87 < coverage(new.target, low, high) < 0.93
    calm, noisy = new.table["x"].to_numpy() < 0.2, new.table["x"].to_numpy() > 0.8
    assert 0.84 < coverage(new.target[calm], low[calm], high[calm]) < 0.98
    assert np.mean((high - low)[noisy]) > 2.5 * np.mean((high - low)[calm])


def test_a_smaller_margin_would_not_cover(found: tuple[Interval, Any]) -> None:
    interval, booster = found
    new = part(8000, 3)
    narrow = replace(interval, margins=(0.7 * interval.margins[0],))
    assert coverage(new.target, *bounds(narrow, booster, new)) < 0.82


def test_the_margin_is_the_least_that_covers_the_share_of_the_calibration_rows(found: tuple[Interval, Any]) -> None:
    interval, booster = found
    calibrated = part(1000, 2)
    for margin, inside in ((interval.margins[0] * (1 + 1e-9), 901), (interval.margins[0] * (1 - 1e-6), 900)):
        low, high = bounds(replace(interval, margins=(margin,)), booster, calibrated)
        # 0.9 of 1001, rounded up
        assert np.sum((calibrated.target >= low) & (calibrated.target <= high)) == inside


@pytest.mark.e2e
def test_the_expected_residual_is_measured_by_trees_that_have_not_seen_the_row() -> None:
    """Trees that know their rows by heart leave them no residual: the width would say nothing of new rows."""
    train, validation, known = part(300, 1), part(300, 2), features()
    greedy = Boosting({**BOOSTING.parameters, "max_depth": 12, "min_child_weight": 0, "subsample": 1.0}, 300, 300)
    booster, _ = greedy.fit(train, validation, known)
    interval = fit(train, validation, known, greedy, booster, 0.9)
    low, high = bounds(interval, booster, part(2000, 3))
    assert 0.85 < coverage(part(2000, 3).target, low, high) < 0.95


def test_what_a_rule_is_about_does_not_change_the_width() -> None:
    """So both bounds keep the rule that the prediction keeps."""
    interval, _ = fitted((1000, 300), features({"x": 1}))
    new = part(500, 3)
    raised = by_row(new.table.assign(x=1.0).to_numpy())
    values = by_row(new.table.to_numpy())
    np.testing.assert_array_equal(interval.expected(values), interval.expected(raised))
    free, _ = fitted((1000, 300), features())
    assert not np.array_equal(free.expected(values), free.expected(raised))


def test_bands_of_the_prediction_are_calibrated_each_for_itself(found: tuple[Interval, Any]) -> None:
    """What the booster misses of a band, its own margin makes good."""
    interval, booster = fitted((3000, 1000), features(), bands=4)
    assert (len(interval.margins), len(interval.edges), interval.by_band, found[0].by_band) == (4, 3, True, False)
    calibrated = part(1000, 2)
    values = by_row(calibrated.table.to_numpy())
    band = np.searchsorted(interval.edges, predict(booster, values, calibrated.start), side="right")
    low, high = bounds(interval, booster, calibrated)
    inside = (calibrated.target >= low) & (calibrated.target <= high)
    assert [int((band == number).sum()) for number in range(4)] == pytest.approx([250] * 4, abs=2)
    assert [int(inside[band == number].sum()) for number in range(4)] == pytest.approx([226] * 4, abs=2)


def test_a_band_without_rows_has_the_margin_of_all() -> None:
    """Predictions that are all the same leave every band but one empty."""
    train, validation, known = part(400, 1), part(100, 2), features()
    flat = Boosting({**BOOSTING.parameters, "learning_rate": 1e-6}, 1, 1)
    booster, _ = flat.fit(train, validation, known)
    interval = fit(train, validation, known, flat, booster, 0.9, bands=2)
    assert all(math.isfinite(margin) and margin > 0 for margin in interval.margins)


def test_a_target_without_any_error_has_a_narrow_interval() -> None:
    train, validation, known = part(400, 1), part(100, 2), features()
    flat = [Part(each.table, np.zeros(len(each.target)), each.start, each.shard) for each in (train, validation)]
    booster, _ = BOOSTING.fit(*flat, known)
    low, high = bounds(fit(*flat, known, BOOSTING, booster, 0.9), booster, flat[1])
    assert np.isfinite(low).all()
    assert (high - low).max() < 1e-6


def test_the_bounds_of_an_interval_belong_to_it() -> None:
    actual, lower, upper = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 0.0]), np.array([2.0, 3.0, 3.0])
    assert coverage(actual, lower, upper) == pytest.approx(2 / 3)


def test_too_few_rows_for_the_coverage_are_refused_with_the_number_needed() -> None:
    with pytest.raises(JobError, match=r"8 rows, too few for an interval that covers 90%: it needs 9"):
        fitted((100, 8), features())
    with pytest.raises(
        JobError, match=r"17 rows, too few .* covers 90% in each of 2 bands: it needs 18.*interval\.bands"
    ):
        fitted((100, 17), features(), bands=2)
    assert fitted((100, 9), features())[0].margins[0] < np.inf
    assert (fewest_rows(0.9), fewest_rows(0.99), fewest_rows(0.5)) == (9, 99, 1)


def test_rows_needed_to_measure_a_coverage() -> None:
    assert chance_in_coverage(0.9, 1800, 1800) == pytest.approx(0.02)
    assert chance_in_coverage(0.5, 100, 10**9) == pytest.approx(0.1, rel=1e-3)


def test_json_gives_the_interval_back(found: tuple[Interval, Any]) -> None:
    interval = found[0]
    assert from_json(interval.to_json(), interval.booster) == interval


def test_bounds_hold_the_prediction(model_folder: Path, typed_rents: pd.DataFrame) -> None:
    model: Model = load(model_folder)
    lower, upper = model.predict_interval(typed_rents)
    predicted = model.predict(typed_rents)
    assert (lower <= predicted).all()
    assert (predicted <= upper).all()
    assert 0.8 < coverage(typed_rents["rent"].to_numpy(), lower, upper) <= 1
