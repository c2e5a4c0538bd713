"""The report says what would help most, and each of the three is found where it was planted."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evaluation import plain_boosting
from evaluation.what_helps import from_all_and_half, from_fewer, what_helps
from steps.row_source import InMemory, RowSource
from steps.settings import Column, DataSettings

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
    return what_helps(*rows, actual, predictions, from_fewer(*rows, DATA), DATA)


@pytest.mark.parametrize("processes", [1, 2])
def test_what_all_and_half_of_the_rows_teach_is_found_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    monkeypatch.setattr(plain_boosting, "MOST_ROWS", 90)  # of 120: an even draw
    own = plain_boosting.predictions

    def recorded(*arguments: Any) -> np.ndarray:
        (tmp_path / str(os.getpid())).touch()
        return own(*arguments)

    monkeypatch.setattr(plain_boosting, "predictions", recorded)
    rows = InMemory(table(120, 0.1, 1)), InMemory(table(50, 0.1, 2))
    plain, half = from_all_and_half(*rows, DATA, processes)
    assert len(list(tmp_path.iterdir())) == processes
    np.testing.assert_array_equal(plain, plain_boosting.predictions(*rows, DATA))
    np.testing.assert_array_equal(half, from_fewer(*rows, DATA))
    assert not np.array_equal(plain, half)


@pytest.mark.e2e
def test_what_still_gains_from_rows_asks_for_more_of_them() -> None:
    found = measured(noise=0.01, registered_error=0.001)
    assert found["most"] == "more rows"
    rows = found["rows"]
    assert isinstance(rows, dict)
    assert (rows["half"], rows["all"]) == (600, 1200)
    assert rows["value"] == 1 - rows["rmse"][1] / rows["rmse"][0]
    assert 0.1 < rows["lower"] < rows["value"] < rows["upper"]
    assert str(found["sentence"]).startswith("What would help most is more rows: from 600 to 1,200 training rows")


@pytest.mark.e2e
def test_a_model_that_another_candidate_beats_is_to_be_tuned() -> None:
    found = measured(noise=0.01, registered_error=1.0)
    assert found["most"] == "tuning"
    tuning = found["tuning"]
    assert isinstance(tuning, dict)
    assert tuning["candidate"] == plain_boosting.NAME
    assert tuning["lower"] > 0.3
    assert "plain_boosting, has an RMSE that is" in str(found["sentence"])


@pytest.mark.e2e
def test_where_neither_helps_it_is_the_columns() -> None:
    found = measured(noise=1.0, registered_error=0.0)
    assert found["most"] == "more columns"
    assert "What would help most is more columns" in str(found["sentence"])


def learning(error: Callable[[int], float], rows: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is said of a plain boosting whose RMSE is `error` of the rows that it learns from, 8,000 at most."""
    test = table(4000, 0.1, 2)
    actual = test["y"].to_numpy()
    signs = np.random.default_rng(3).choice([-1, 1], len(test))

    def predictions(train: RowSource, _rows: RowSource, _data: DataSettings) -> np.ndarray:
        return np.asarray(actual + signs * error(min(len(train), 8000)))

    monkeypatch.setattr(plain_boosting, "predictions", predictions)
    monkeypatch.setattr(plain_boosting, "MOST_ROWS", 8000)
    train, new = InMemory(table(rows, 0.1, 1)), InMemory(test)
    plain = predictions(train, new, DATA)
    candidates = {"xgboost": plain, plain_boosting.NAME: plain}
    return what_helps(train, new, actual, candidates, from_fewer(train, new, DATA), DATA)


@pytest.mark.parametrize(
    ("enough", "rows", "said"),
    [
        (2000, 8000, "Fewer rows give the same accuracy: 2,000 of your 8,000 training rows. With 8,000 the RMSE"),
        (4000, 90_000, "Fewer rows give the same accuracy: 4,000 of your 90,000 training rows. With 8,000 the RMSE"),
        (0, 8000, "Fewer rows give the same accuracy: 1,000 of your 8,000 training rows."),  # fewer are not tried
    ],
)
def test_the_fewest_rows_that_give_the_same_accuracy_are_told(
    monkeypatch: pytest.MonkeyPatch, enough: int, rows: int, said: str
) -> None:
    found = learning(lambda count: 1.0 if count >= enough else 1.1, rows, monkeypatch)["enough"]
    assert found["sentence"].startswith(said)
    assert found["of"] == rows
    assert "is 0.0% lower (0.0% to 0.0%), less than 1%." in found["sentence"]


@pytest.mark.parametrize(
    ("error", "rows"),
    [
        (lambda count: 1.02 if count < 8000 else 1.0, 8000),  # half is worse by 2 %
        (lambda count: 1.0, 1999),  # a small table
    ],
)
def test_where_fewer_rows_would_not_do_nothing_is_told(
    monkeypatch: pytest.MonkeyPatch, error: Callable[[int], float], rows: int
) -> None:
    assert "enough" not in learning(error, rows, monkeypatch)


def test_more_rows_than_are_learned_from_are_compared_by_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    found = learning(lambda count: 1.5 if count < 8000 else 1.0, 90_000, monkeypatch)
    assert (found["rows"]["half"], found["rows"]["all"]) == (4000, 8000)
    assert "from 4,000 to 8,000 training rows the RMSE of a plain boosting fell by 33.3%" in found["sentence"]


def test_of_many_test_rows_an_even_draw_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluation.what_helps.MOST_JUDGED", 3)
    train, test = table(4, 0.1, 1), table(7, 0.1, 2)
    asked = []

    def predictions(_train: RowSource, rows: RowSource, _data: DataSettings) -> np.ndarray:
        asked.append(rows.columns(["y"])["y"].tolist())
        return np.zeros(len(rows))

    monkeypatch.setattr(plain_boosting, "predictions", predictions)
    actual = test["y"].to_numpy()
    candidates = {"xgboost": actual + 1, plain_boosting.NAME: actual + np.array([3, 9, 9, 3, 9, 9, 3])}
    rows = InMemory(train), InMemory(test)
    found = what_helps(*rows, actual, candidates, from_fewer(*rows, DATA), DATA)
    assert asked == [actual[[0, 3, 6]].tolist()]
    assert found["rows"]["rmse"] == [float(np.sqrt(np.mean(actual[[0, 3, 6]] ** 2))), pytest.approx(3)]
    assert found["rows"]["judged"] == 3
    assert found["tuning"]["value"] == 1 - np.sqrt(np.mean([9, 81, 81, 9, 81, 81, 9]))  # of all rows
