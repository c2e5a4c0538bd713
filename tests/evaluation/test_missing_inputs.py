"""Each optional input is blanked in turn, and what that does to the predictions is measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evaluation.missing_inputs import missing_inputs
from steps.linear import LinearModel
from steps.model import Model
from steps.row_source import InMemory
from steps.settings import Column


@pytest.fixture(name="optional")
def with_optional_inputs(model: Model) -> Model:
    inputs = {"size": Column(type="number", optional=True), "kind": Column(type="category", optional=True)}
    return replace(model, features=replace(model.features, inputs=inputs))


def test_the_most_harmful_comes_first_with_what_its_absence_does(optional: Model, rows: pd.DataFrame) -> None:
    test = rows[300:]
    actual = test["cost"].to_numpy()
    found = missing_inputs(optional, InMemory(test), actual)
    assert list(found["inputs"]) == ["size", "kind"]
    blanked = optional.predict(test.assign(size=np.nan))
    whole = optional.predict(test)
    ratio = np.sqrt(np.mean((blanked - actual) ** 2) / np.mean((whole - actual) ** 2))
    assert found["inputs"]["size"]["rmse_ratio"] == pytest.approx(ratio)
    assert found["worst"] == {"name": "size", "rmse_ratio": found["inputs"]["size"]["rmse_ratio"]}
    assert found["inputs"]["size"]["coverage"] < 0.6
    assert found["rows"] == 100


def test_an_absurd_line_is_found(optional: Model, rows: pd.DataFrame) -> None:
    """What makes a factor of seven of a price where an optional value is missing, as in the line of Ames."""
    fill = {"size": 5.0}
    line = LinearModel(
        optional.linear.intercept, optional.linear.coefficients, optional.linear.levels, fill, {"size": 3.0}
    )
    features = replace(optional.features, gaps=("size",), target_range=(1.0, 1e6))
    absurd = replace(optional, linear=line, features=features)
    actual = rows[300:]["cost"].to_numpy()
    sane = missing_inputs(optional, InMemory(rows[300:]), actual)["worst"]["rmse_ratio"]
    assert missing_inputs(absurd, InMemory(rows[300:]), actual)["inputs"]["size"]["rmse_ratio"] > 3 * sane


def test_without_optional_inputs_there_is_nothing_to_blank(model: Model, rows: pd.DataFrame) -> None:
    found = missing_inputs(model, InMemory(rows[300:]), rows[300:]["cost"].to_numpy())
    assert found == {"rows": 100, "inputs": {}, "worst": {"name": "", "rmse_ratio": 1.0}}
