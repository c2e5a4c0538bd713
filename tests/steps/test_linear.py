"""Least squares finds the line, whatever the columns' units, and survives columns that repeat each other."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from steps.linear import LinearModel, fit

LEVELS = {"kind": ("a", "b")}


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
    assert model.levels["kind"]["b"] - model.levels["kind"]["a"] == pytest.approx(7)
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
