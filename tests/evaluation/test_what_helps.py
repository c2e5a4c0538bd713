"""The report says what would help most, and each of the three is found where it was planted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evaluation import plain_boosting
from evaluation.what_helps import what_helps
from steps.row_source import InMemory
from steps.settings import Column, DataSettings

pytestmark = pytest.mark.e2e

DATA = DataSettings(
    file="x.csv",
    target="y",
    target_scale="linear",
    columns={name: Column(type="number") for name in ("y", "a", "b", "c", "d")},
)


def table(rows: int, noise: float, seed: int) -> pd.DataFrame:
    """A target that takes many rows to learn, or one that is noise to a model of these columns."""
    random = np.random.default_rng(seed)
    found = pd.DataFrame({name: random.uniform(-1, 1, rows) for name in ("a", "b", "c", "d")})
    signal = np.sin(5 * found["a"]) * found["b"] + found["c"] * found["d"]
    return found.assign(y=signal * (noise < 1) + random.normal(0, noise, rows))


def measured(noise: float, registered_error: float, train_rows: int = 1200) -> dict[str, object]:
    train, test = table(train_rows, noise, 1), table(800, noise, 2)
    rows = InMemory(train), InMemory(test)
    actual = test["y"].to_numpy()
    random = np.random.default_rng(3)
    plain = plain_boosting.predictions(*rows, DATA)
    worse = plain + random.normal(0, registered_error, len(test))
    predictions = {"xgboost": worse, "linear": actual + random.normal(0, 5, len(test)), plain_boosting.NAME: plain}
    return what_helps(*rows, actual, predictions, DATA)


def test_what_still_gains_from_rows_asks_for_more_of_them() -> None:
    found = measured(noise=0.01, registered_error=0.001)
    assert found["most"] == "more rows"
    rows = found["rows"]
    assert isinstance(rows, dict)
    assert (rows["half"], rows["all"]) == (600, 1200)
    assert rows["value"] == 1 - rows["rmse"][1] / rows["rmse"][0]
    assert 0.1 < rows["lower"] < rows["value"] < rows["upper"]
    assert str(found["sentence"]).startswith("What would help most is more rows: from 600 to 1,200 training rows")


def test_a_model_that_another_candidate_beats_is_to_be_tuned() -> None:
    found = measured(noise=0.01, registered_error=1.0)
    assert found["most"] == "tuning"
    tuning = found["tuning"]
    assert isinstance(tuning, dict)
    assert tuning["candidate"] == plain_boosting.NAME
    assert tuning["lower"] > 0.3
    assert "plain_boosting, has an RMSE that is" in str(found["sentence"])


def test_where_neither_helps_it_is_the_columns() -> None:
    found = measured(noise=1.0, registered_error=0.0)
    assert found["most"] == "more columns"
    assert "What would help most is more columns" in str(found["sentence"])
