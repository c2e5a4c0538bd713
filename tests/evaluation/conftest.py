"""A small trained model and its test rows, of a data set with one number and one category."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evaluation import figures
from evaluation.evaluate import Inputs
from evaluation.gates import Limits
from steps import features as feature_module
from steps import fitting
from steps.evaluation_settings import EvaluationSettings, Segment
from steps.features import Features
from steps.hyperparameters import HYPERPARAMETERS
from steps.model import Model, save
from steps.settings import Column, DataSettings, JobSettings
from steps.train import fit

DATA = DataSettings(
    file="x.csv",
    target="cost",
    identity=("key",),
    columns={
        "key": Column(type="text", feature=False),
        "cost": Column(type="number", unit="EUR"),
        "size": Column(type="number"),
        "kind": Column(type="category"),
    },
)

SETTINGS = JobSettings(
    data=DATA,
    evaluation=EvaluationSettings(segments={"kind": Segment(), "cost": Segment(quantiles=2)}, min_segment_rows=20),
)
LIMITS = Limits(
    min_r2=0.8,
    max_r2=1.0,
    max_mape=0.2,
    max_rmse_ratio=1.5,
    max_baseline_ratio=1.5,
    max_missing_ratio=3.0,
    max_broken_rules=0,
    max_segment_mape=0.3,
    max_coverage_gap=0.15,
    max_undercovered=0,
    min_improvement=0.0,
)


@pytest.fixture(autouse=True)
def one_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them take longer than the rest of an evaluation; test_report.py draws them all."""
    monkeypatch.setattr(figures, "of_the_errors", lambda subject: [figures.predicted_against_actual(subject)])
    monkeypatch.setattr(figures, "of_the_reasons", lambda _subject: [])


@pytest.fixture(scope="session")
def rows() -> pd.DataFrame:
    random = np.random.default_rng(5)
    size = random.uniform(1, 10, 400)
    kind = random.choice(["a", "b"], 400)
    cost = 100 + 50 * size + 30 * size * (kind == "b") + random.normal(0, 5, 400)
    return pd.DataFrame({"key": [str(n) for n in range(400)], "cost": cost, "size": size, "kind": kind})


@pytest.fixture(scope="session")
def model(rows: pd.DataFrame) -> Model:
    return trained_on(rows)


def trained_on(rows: pd.DataFrame, start: str = "line") -> Model:
    """A model of the first 200 rows, stopped on the next 100."""
    fitted = fitting.fit(rows[:200], DATA)
    parts = [_with_target(part, fitted) for part in (rows[:200], rows[200:300])]
    hyperparameters: dict[str, Any] = {name: each.default for name, each in HYPERPARAMETERS.items()}
    hyperparameters["start"] = start
    trained, _ = fit(parts[0], parts[1], fitted, {**hyperparameters, "rounds": 60, "learning_rate": 0.2})
    return trained


def _with_target(part: pd.DataFrame, fitted: Features) -> pd.DataFrame:
    return feature_module.transform(part, fitted).assign(cost=part["cost"])


@pytest.fixture
def test_folder(rows: pd.DataFrame, tmp_path: Path) -> Path:
    folder = tmp_path / "test"
    folder.mkdir()
    rows[300:].to_parquet(folder / "test.parquet", index=False)
    return folder


def archive(model: Model, folder: Path, changes: Mapping[str, str | None] | None = None) -> Path:
    """A folder with the model as model.tar.gz, as training leaves it; `changes` replaces or leaves out files."""
    save(model, folder / "files")
    for name, text in (changes or {}).items():
        (folder / "files" / name).unlink()
        if text is not None:
            (folder / "files" / name).write_text(text)
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:
        for path in sorted((folder / "files").iterdir()):
            tar.add(path, arcname=path.name)
    return folder


@pytest.fixture
def archive_folder(model: Model, tmp_path: Path) -> Path:
    return archive(model, tmp_path / "archive")


@pytest.fixture
def inputs(rows: pd.DataFrame, model: Model, test_folder: Path, tmp_path: Path) -> Inputs:
    """The test rows, the training rows and their features, and no champion."""
    champion = tmp_path / "champion"
    champion.mkdir()
    (champion / "none.json").write_text("{}")
    train = tmp_path / "train"
    train.mkdir()
    _with_target(rows[:200], model.features).to_parquet(train / "train.parquet", index=False)
    raw = tmp_path / "rows"
    raw.mkdir()
    rows[:200].to_parquet(raw / "rows.parquet", index=False)
    return Inputs(test=test_folder, rows=raw, champion=champion, train=train)
