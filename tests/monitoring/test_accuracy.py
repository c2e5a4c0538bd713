from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from monitoring.accuracy import accuracy_checks, place_changes
from monitoring.checks import Check
from monitoring.sales import scored
from monitoring.sample import Sample
from monitoring.statistics import level, measured
from steps.model import Model
from steps.settings import MonitoringSettings
from tests.monitoring.conftest import houses

WANTED = MonitoringSettings()
COLUMNS = ("actual", "predicted", "lower", "upper")


def checks(reference: Sample, current: Sample, place: str | None = "quarter") -> dict[str, Check]:
    return {
        check.name.partition(" ")[0]: check for check in accuracy_checks(reference, current, WANTED, place, "new sales")
    }


def moved(sample: Sample, factor: float) -> Sample:
    return replace(sample, actual=sample.actual * factor)


@pytest.fixture(scope="module")
def current(model: Model) -> Sample:
    return scored(houses(300, seed=3, since="2026-06-01", days=30), model)


def test_unchanged_prices_change_no_check(reference: Sample, current: Sample) -> None:
    assert all(check.outcome(0.01) == "ok" for check in checks(reference, current).values())


def test_prices_that_rise_by_a_twentieth_move_the_level_and_not_the_spread(reference: Sample, current: Sample) -> None:
    found = checks(reference, moved(current, 1.05))
    assert found["level"].outcome(0.01) == "changed"
    assert found["level"].serious
    assert found["error"].outcome(0.01) == "ok"
    before = checks(reference, current)["level"].size or 0.0
    assert found["level"].size == pytest.approx((1 + before) / 1.05 - 1)
    assert "below the prices" in found["level"].sentence


def test_a_small_change_of_the_level_is_no_reason_to_retrain(reference: Sample, current: Sample) -> None:
    assert not checks(reference, moved(current, 1.02))["level"].serious


def test_wider_errors_at_the_same_level_are_found_beside_it(reference: Sample, current: Sample) -> None:
    random = np.random.default_rng(0)
    wider = replace(current, actual=current.actual * np.exp(random.normal(0, 0.2, len(current))))
    found = checks(reference, wider)
    assert found["error"].outcome(0.01) == "changed"
    assert found["error"].serious
    assert found["coverage"].outcome(0.01) == "changed"


def test_answers_without_an_interval_are_not_taken_for_misses(reference: Sample, current: Sample) -> None:
    bare = replace(current, lower=np.full(len(current), np.nan), upper=np.full(len(current), np.nan))
    assert checks(reference, bare)["coverage"].outcome(0.01) == "not enough data"
    assert measured(bare)["coverage"]["value"] is None
    bare.lower[0], bare.upper[0] = 1.0, 2.0
    found = "Not enough data: 1 of the new sales has an interval where 20 are needed."
    assert checks(reference, replace(bare))["coverage"].sentence == found


def test_one_place_that_moved_is_named(reference: Sample, current: Sample) -> None:
    there = (current.rows["quarter"] == "c").to_numpy()
    found = checks(reference, replace(current, actual=np.where(there, current.actual * 1.2, current.actual)))
    assert found["places"].outcome(0.01) == "changed"
    assert "quarter c" in found["places"].sentence


def test_a_place_with_too_few_sales_is_not_judged(reference: Sample, current: Sample) -> None:
    few = current.take(np.flatnonzero((current.rows["quarter"] != "c").to_numpy())[:100])
    seven = current.take(np.flatnonzero((current.rows["quarter"] == "c").to_numpy())[:7])
    both = Sample(
        pd.concat([few.rows, seven.rows], ignore_index=True),
        *(np.concatenate([getattr(few, name), getattr(seven, name)]) for name in COLUMNS),
    )
    assert {name for name, *_ in place_changes(reference, both, WANTED, "quarter")} == {"a", "b", "d", "e"}


def test_fewer_sales_than_asked_for_are_not_enough_data(reference: Sample, current: Sample) -> None:
    assert checks(reference, current.take(np.arange(50)))["level"].p is not None
    found = checks(reference, current.take(np.arange(49)))
    assert {check.outcome(0.01) for check in found.values()} == {"not enough data"}
    assert "49 new sales where 50 are needed" in found["level"].sentence
    assert "1 new sale where 50 are needed" in checks(reference, current.take(np.arange(1)))["level"].sentence


def test_the_statistics_have_intervals_that_hold_them(reference: Sample) -> None:
    for name, entry in measured(reference).items():
        low, high = entry["interval"]
        assert low <= entry["value"] <= high, name


def test_the_level_is_that_of_the_median_house(current: Sample) -> None:
    assert level(replace(current, actual=current.predicted / 1.1)) == pytest.approx(0.1)


def spread(rows: int, seed: int) -> Sample:
    """Predictions whose errors are as wide as those of the default model: a COD of 11."""
    random = np.random.default_rng(seed)
    actual = np.exp(random.normal(13, 0.5, rows))
    predicted = actual * np.exp(random.laplace(0, 0.11, rows))
    return Sample(pd.DataFrame(index=range(rows)), actual, predicted, predicted * 0.8, predicted * 1.25)


@pytest.mark.e2e
@pytest.mark.parametrize(("share", "rows", "least"), [(1.03, 300, 15), (1.05, 100, 15)])
def test_changes_of_the_level_are_found_over_twenty_seeds(share: float, rows: int, least: int) -> None:
    before = spread(2000, 1)
    found = [checks(before, moved(spread(rows, 100 + seed), share), place=None)["level"] for seed in range(20)]
    assert sum(check.outcome(0.01) == "changed" for check in found) >= least


@pytest.mark.e2e
def test_an_unchanged_level_is_found_no_more_often_than_asked_for() -> None:
    before = spread(2000, 1)
    found = [checks(before, spread(100, 200 + seed), place=None)["level"] for seed in range(24)]
    assert sum(check.outcome(0.05) == "changed" for check in found) <= 4
