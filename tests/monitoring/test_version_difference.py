"""Two versions on the same rows: how many predictions move, whose, and why."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evaluation.golden import plain
from monitoring import request_rows, version_difference
from monitoring.request_rows import RequestRow, captured_rows, rows_of_test_part
from monitoring.version_difference import LEVEL, answers, difference
from steps import features as feature_module
from steps import fitting
from steps.failure import JobError
from steps.hyperparameters import HYPERPARAMETERS
from steps.model import Model, save
from steps.train import fit
from tests.monitoring.conftest import DATA, SETTINGS, event, houses

ROOT = Path(__file__).parents[2]


def trained(rows: pd.DataFrame, data: Any = DATA) -> Model:
    """A version that learned from these rows."""
    fitted = fitting.fit(rows[:500], data)
    parts = [feature_module.transform(part, fitted).assign(price=part["price"]) for part in (rows[:500], rows[500:])]
    hyperparameters = {name: each.default for name, each in HYPERPARAMETERS.items()}
    return fit(parts[0], parts[1], fitted, {**hyperparameters, "start": "line", "rounds": 30, "learning_rate": 0.2})[0]


@pytest.fixture(scope="module")
def dearer(train: pd.DataFrame) -> Model:
    """A version that has learned that the quarter a costs a third more."""
    return trained(train.assign(price=train["price"] * np.where(train["quarter"] == "a", 1.33, 1.0)))


@pytest.fixture(scope="module")
def asked() -> list[RequestRow]:
    table = houses(200, seed=7).drop(columns=["price", "owner"])
    records = [{str(name): plain(value) for name, value in row.items()} for row in table.to_dict("records")]
    return [RequestRow(str(row["key"]), row) for row in records]


def test_a_version_against_itself_moves_nothing(model: Model, asked: list[RequestRow]) -> None:
    found = difference(model, model, asked, SETTINGS, 0.1)
    assert (found["rows"], found["compared"], found["moved"]) == (200, 200, 0)
    assert found["quantiles"] == {"0.05": 0.0, "0.5": 0.0, "0.95": 0.0}
    assert found["features"] == found["largest"] == []


def test_it_says_how_many_move_whose_and_why(model: Model, dearer: Model, asked: list[RequestRow]) -> None:
    found = difference(model, dearer, asked, SETTINGS, 0.1)
    of_a = sum(row.values["quarter"] == "a" for row in asked)
    assert 0.8 * of_a < found["moved"] < 1.3 * of_a
    assert found["up"] == found["moved"]
    worst = found["segments"][0]
    assert (worst["segment"], worst["rows"]) == ("quarter a", of_a)
    assert worst["median"] == pytest.approx(0.33, abs=0.08)
    assert found["features"][0]["feature"] == "quarter"
    assert found["features"][0]["mean"] > 0.1
    first = found["largest"][0]
    assert first["change"] == found["largest_change"] == pytest.approx(first["new"] / first["old"] - 1)
    assert {row.name: row.values["quarter"] for row in asked}[first["row"]] == "a"
    assert first["reasons"][0]["feature"] == "quarter"


def test_what_the_features_add_is_the_whole_change(model: Model, dearer: Model, asked: list[RequestRow]) -> None:
    values = [row.values for row in asked]
    before, after = answers(model, values), answers(dearer, values)
    change = after.predicted / before.predicted - 1
    explained = version_difference._explained(before, after, values, change, np.abs(change) > 0.1)
    assert len(explained.places) == (np.abs(change) > 0.1).sum()
    assert LEVEL in explained.differences
    logarithm = np.log1p(change[list(explained.places)])
    assert explained.differences.sum(axis=1).to_numpy() == pytest.approx(logarithm, abs=2e-5)


def test_a_change_of_just_the_limit_has_not_moved(
    model: Model, asked: list[RequestRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = iter([np.array([100.0, 100.0]), np.array([150.0, 150.1])])
    monkeypatch.setattr(
        version_difference, "answers", lambda each, _: version_difference.Answers(each, next(given), 0, "")
    )
    monkeypatch.setattr(version_difference, "_explained", lambda *_: version_difference.Explained(pd.DataFrame(), []))
    assert difference(model, model, asked[:2], SETTINGS, 0.5)["moved"] == 1


def test_a_row_that_a_version_refuses_is_counted_with_its_words(model: Model, asked: list[RequestRow]) -> None:
    bad = [RequestRow("bad", {**asked[0].values, "size": "huge"}), RequestRow("bare", {"size": 5})]
    found = difference(model, model, [*asked[:20], *bad, *asked[20:40]], SETTINGS, 0.1)
    assert (found["rows"], found["compared"], found["refused"]["new"]["rows"]) == (42, 40, 2)
    assert found["refused"]["new"]["example"] == "Row 1, field size: 'huge' is not a number."


def test_where_no_row_is_answered_by_both_it_says_why(model: Model) -> None:
    with pytest.raises(JobError, match="Of 1 row, none is answered by both versions: Row 1 lacks"):
        difference(model, model, [RequestRow("bare", {"size": 5})], SETTINGS, 0.1)


def test_versions_on_different_scales_are_compared_without_reasons(
    model: Model, train: pd.DataFrame, asked: list[RequestRow]
) -> None:
    linear = trained(train, replace(DATA, target_scale="linear"))
    found = difference(model, linear, asked, SETTINGS, 0.01)
    assert found["moved"] > 0
    assert found["features"] == []


def test_rows_of_a_test_part_are_what_an_endpoint_is_asked(tmp_path: Path) -> None:
    houses(5, seed=3).to_parquet(tmp_path / "test.parquet")
    rows = rows_of_test_part(tmp_path / "test.parquet", DATA)
    assert set(rows[0].values) == set(DATA.inputs)
    assert rows[0].name == f"3-0 {rows[0].values['sold']}"


def test_many_rows_are_sampled_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_rows, "MOST_ROWS", 10)
    houses(100, seed=3).to_parquet(tmp_path / "test.parquet")
    numbers = [
        int(row.name.split()[0].removeprefix("3-")) for row in rows_of_test_part(tmp_path / "test.parquet", DATA)
    ]
    assert len(numbers) == 10
    assert numbers == sorted(numbers)
    assert numbers[-1] > 50


def test_captured_events_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{no json\n")
    with pytest.raises(JobError, match="Of 1 captured event, none can be read: a"):
        captured_rows(tmp_path, ["size"], DATA)


@pytest.mark.e2e
def test_it_runs_on_two_archives_and_captured_requests(
    model: Model, dearer: Model, asked: list[RequestRow], tmp_path: Path
) -> None:
    for name, each in (("old", model), ("new", dearer)):
        (tmp_path / name).mkdir()
        save(each, tmp_path / name)
        with tarfile.open(tmp_path / f"{name}.tar.gz", "w:gz") as archive:
            archive.add(tmp_path / name, arcname=".")
    (tmp_path / "rows").mkdir()
    body = json.dumps({"instances": [dict(row.values) for row in asked[:3]]})
    said = json.dumps({"predictions": [{"score": 1.0}] * 3})
    (tmp_path / "rows" / "a.jsonl").write_text(event(body, said))
    (tmp_path / "settings.json").write_text(json.dumps(SETTINGS.to_json()))
    words = [part for name in ("old", "new") for part in (f"--{name}", str(tmp_path / f"{name}.tar.gz"))]
    words += ["--rows", str(tmp_path / "rows"), "--settings", str(tmp_path / "settings.json")]
    command = [sys.executable, "-m", "monitoring.version_difference", *words, "--output", str(tmp_path / "out.json")]
    subprocess.run(command, cwd=ROOT, check=True)
    found = json.loads((tmp_path / "out.json").read_text())
    assert (found["compared"], found["limit"]) == (3, 0.1)
