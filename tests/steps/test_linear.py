"""Penalised least squares finds the line, whatever the columns' units, and survives columns that repeat each other."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from steps import linear
from steps.linear import FOLDS, PENALTIES, FoldedSums, LinearModel, fit
from steps.shard import Shard

LEVELS = {"kind": ("a", "b")}
UNEVEN, KINDS = 600, {"kind": ("a", "b", "c")}


@pytest.fixture
def table() -> pd.DataFrame:
    random = np.random.default_rng(1)
    x = random.normal(size=200)
    return pd.DataFrame(
        {"x": x, "large": 1e6 + 1e4 * random.normal(size=200), "same": 2 * x, "constant": 3.0, "kind": [0.0, 1.0] * 100}
    )


def test_recovers_coefficients_in_the_units_of_the_features(table: pd.DataFrame) -> None:
    target = 5 + 2 * table["large"].to_numpy() + 7 * (table["kind"].to_numpy() == 1)
    model = fit(table.drop(columns=["x", "same"]), target, LEVELS)
    assert model.coefficients["large"] == pytest.approx(2)
    assert model.levels["kind"]["b"] - model.levels["kind"]["a"] == pytest.approx(7, rel=1e-4)
    assert model.coefficients["constant"] == 0


def test_collinear_columns_do_not_explode(table: pd.DataFrame) -> None:
    model = fit(table, 3 * table["x"].to_numpy(), LEVELS)
    assert max(abs(value) for value in model.coefficients.values()) < 3
    np.testing.assert_allclose(model.predict(table), 3 * table["x"], atol=1e-6)


def test_unknown_level_adds_nothing_and_json_keeps_every_digit(table: pd.DataFrame) -> None:
    model = fit(table, table["x"].to_numpy() + table["kind"].to_numpy(), LEVELS)
    again = LinearModel.from_json(json.loads(json.dumps(model.to_json())))
    unknown = table.assign(kind=-1.0)
    np.testing.assert_array_equal(again.predict(unknown), model.predict(unknown))
    known = model.predict(table.assign(kind=0.0)) - model.levels["kind"]["a"]
    np.testing.assert_allclose(model.predict(unknown), known)


def nearly_dependent(rows: int = 1000) -> tuple[pd.DataFrame, np.ndarray]:
    """Areas of three floors and their total, which is their sum but for one row; a price that follows the total."""
    random = np.random.default_rng(4)
    floors = pd.DataFrame(random.lognormal(4, 0.4, size=(rows, 3)), columns=["first", "second", "third"])
    table = floors.assign(total=floors.sum(axis=1))
    target = table["total"].to_numpy() / 100 + random.normal(0, 0.3, rows)
    table.loc[0, "second"] = table["second"].median()
    return table, target


def test_a_value_that_breaks_a_dependence_changes_the_prediction_by_what_it_is_worth() -> None:
    """Plain least squares gives the three floors and their total coefficients of opposite sign."""
    table, target = nearly_dependent()
    model = fit(table, target, {})
    blanked = table.assign(second=table["second"].median())
    moved = np.abs(model.predict(blanked) - model.predict(table))
    assert (moved <= np.abs(table["second"] - table["second"].median()) / 100 + 1e-9).all()
    assert np.corrcoef(model.predict(table), target)[0, 1] > 0.8


def test_the_penalty_is_the_smallest_where_the_line_is_exact_and_large_where_there_is_nothing_but_noise() -> None:
    random = np.random.default_rng(2)
    table = pd.DataFrame(random.normal(size=(400, 30)), columns=[f"x{number}" for number in range(30)])
    exact, noise = table.to_numpy() @ np.arange(30.0), random.normal(size=400)
    assert fit(table, exact, {}).penalty <= 1e-7  # below it the errors are those of rounding
    assert fit(table, noise, {}).penalty == PENALTIES[-1]


def test_a_missing_value_has_an_indicator_and_the_median() -> None:
    random = np.random.default_rng(4)
    table = pd.DataFrame({"x": random.normal(size=500), "y": random.normal(size=500)})
    target = 2 * table["y"].to_numpy() + np.where(random.random(500) < 0.3, np.nan, table["x"])
    table["x"] = table["x"].where(np.isfinite(target))
    target = np.where(np.isfinite(target), target, 2 * table["y"] + 10)
    model = fit(table, target, {})
    assert model.fill == {"x": pytest.approx(table["x"].median())}
    np.testing.assert_allclose(model.predict(table), target, atol=1e-3)
    np.testing.assert_allclose(model.terms(table).sum(axis=1) + model.intercept, model.predict(table))
    assert LinearModel.from_json(json.loads(json.dumps(model.to_json()))) == model


def test_no_coefficient_goes_against_its_sign_and_the_others_make_up_for_it() -> None:
    """Of two columns that say nearly the same one is worth less than nothing beside the other: it becomes nothing."""
    random = np.random.default_rng(2)
    x = random.normal(size=500)
    table = pd.DataFrame({"x": x, "near": x + 0.3 * random.normal(size=500), "other": random.normal(size=500)})
    target = 3 * table["x"].to_numpy() - table["near"].to_numpy() + 2 * table["other"].to_numpy()
    free = fit(table, target, {}, penalty=1e-8)
    assert free.coefficients["near"] == pytest.approx(-1, abs=1e-3)
    held = fit(table, target, {}, penalty=1e-8, signs={"near": 1, "other": 1})
    best = np.linalg.lstsq(np.column_stack([np.ones(500), table[["x", "other"]]]), target, rcond=None)[0]
    assert 0 <= held.coefficients["near"] < 1e-9
    assert [held.intercept, held.coefficients["x"], held.coefficients["other"]] == pytest.approx(best, abs=1e-4)
    assert fit(table, target, {}, signs={"x": 1, "other": 1}) == fit(table, target, {})
    assert fit(table, target, {}, signs={"other": -1}).coefficients["other"] == pytest.approx(0, abs=1e-9)


def test_a_mean_is_the_same_for_rows_that_miss_something() -> None:
    rows = pd.DataFrame({"x": [1.0, np.nan], "kind": [0.0, -1.0]})
    np.testing.assert_array_equal(LinearModel(3.0, {}, {}).predict(rows), [3.0, 3.0])


def uneven() -> tuple[pd.DataFrame, np.ndarray]:
    """Columns that are constant, or far from what they are later, in the first rows; one with gaps, one of levels."""
    random = np.random.default_rng(3)
    found = pd.DataFrame(
        {
            "far": 1e9 + np.arange(UNEVEN) + random.normal(size=UNEVEN),
            "late": np.where(np.arange(UNEVEN) < 200, 4.0, random.normal(4, 1, UNEVEN)),
            "gaps": np.where(random.random(UNEVEN) < 0.2, np.nan, random.normal(size=UNEVEN)),
            "constant": 3.0,
            "kind": random.integers(-1, 3, UNEVEN).astype(float),
        }
    )
    target = 1e6 + 0.01 * found["far"] + 2 * found["late"] + found["gaps"].fillna(1) + 3 * (found["kind"] == 1)
    return found, target.to_numpy() + random.normal(0, 0.1, UNEVEN)


def parts() -> np.ndarray:
    return np.random.default_rng(9).integers(0, FOLDS, UNEVEN).astype(np.int8)


@pytest.mark.parametrize("size", [1, 7, 100, UNEVEN - 1])
def test_a_line_does_not_depend_on_how_many_rows_are_read_at_once(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, target = uneven()
    at_once = FoldedSums.of(rows, target, KINDS, parts(), Shard.whole(UNEVEN))
    monkeypatch.setattr(linear, "AT_ONCE", size)
    by_batch = FoldedSums.of(rows, target, KINDS, parts(), Shard.whole(UNEVEN))
    assert by_batch.chosen_penalty() == at_once.chosen_penalty()
    for one, other in (
        (by_batch.line(1e-4), at_once.line(1e-4)),
        (by_batch.line(1e-4, without=2), at_once.line(1e-4, without=2)),
    ):
        np.testing.assert_allclose(one.predict(rows), other.predict(rows), rtol=0, atol=1e-5)
        assert one.coefficients["constant"] == other.coefficients["constant"] == 0
        assert one.fill == other.fill


def test_the_line_without_a_part_is_the_line_of_the_other_rows() -> None:
    rows, target = uneven()
    fold = parts()
    sums = FoldedSums.of(rows, target, KINDS, fold, Shard.whole(UNEVEN), {"gaps": 0.5})
    inside = fold == 3
    others = Shard.whole(int((~inside).sum()))
    alone = FoldedSums.of(rows[~inside], target[~inside], KINDS, fold[~inside], others, {"gaps": 0.5}).line(0.01)
    np.testing.assert_allclose(sums.line(0.01, without=3).predict(rows), alone.predict(rows), rtol=1e-9)
    assert np.abs(sums.line(0.01).predict(rows) - alone.predict(rows)).max() > 1e-4
