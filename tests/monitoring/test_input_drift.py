from __future__ import annotations

import pandas as pd
import pytest

from monitoring.input_drift import InputDrift, input_drift, watched_features
from tests.monitoring.conftest import DATA, houses

DRAWS = 99
REFERENCE = houses(1000, seed=11)


def compared(current: pd.DataFrame) -> InputDrift:
    return input_drift(REFERENCE, current, watched_features(DATA), REFERENCE["sold"], DRAWS)


def test_dates_and_texts_are_not_watched() -> None:
    assert watched_features(DATA) == ["size", "quarter", "x"]


def test_a_later_month_of_the_same_town_is_no_drift() -> None:
    assert compared(houses(200, seed=12, since="2026-06-01", days=30)).p > 0.05


def test_the_feature_that_moved_is_the_first() -> None:
    found = compared(houses(200, seed=12).assign(size=lambda rows: rows["size"] / 10.764))
    assert found.p == 1 / 100
    assert found.features[0].name == "size"


def test_how_far_values_moved_is_told_in_standard_deviations() -> None:
    moved = compared(REFERENCE.assign(x=lambda rows: rows["x"] + 0.5 * rows["x"].std(ddof=0)))
    found = {each.name: each.wasserstein for each in moved.features}
    assert found["x"] is not None
    assert abs(found["x"] - 0.5) < 1e-9
    assert found["size"] == 0
    assert found["quarter"] is None


def test_another_mix_of_categories_is_found() -> None:
    rows = houses(400, seed=12)
    rows.loc[:150, "quarter"] = "f"
    found = compared(rows)
    assert (found.features[0].name, found.p) == ("quarter", 1 / 100)


def test_missing_values_count_as_a_value() -> None:
    rows = houses(400, seed=12)
    rows.loc[:100, "x"] = float("nan")
    assert compared(rows).p == 1 / 100


@pytest.mark.e2e
def test_unchanged_months_raise_no_more_alarms_than_asked_for() -> None:
    # 24 months at 5 %: 5 and more would come once in 200 times.
    alarms = sum(compared(houses(150, seed=seed, days=30)).p < 0.05 for seed in range(40, 64))
    assert alarms <= 4


def test_rows_without_dates_are_drawn_one_by_one() -> None:
    assert input_drift(REFERENCE, houses(200, seed=12), ["size", "x"], None, DRAWS).p > 0.05
