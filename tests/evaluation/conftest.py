"""A small trained model and its test rows, of a data set with one number and one category."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steps import features as feature_module
from steps.features import Features
from steps.model import Model, save
from steps.settings import Column, DataSettings
from steps.train import HYPERPARAMETERS, fit

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


@pytest.fixture
def rows() -> pd.DataFrame:
    random = np.random.default_rng(5)
    size = random.uniform(1, 10, 400)
    kind = random.choice(["a", "b"], 400)
    cost = 100 + 50 * size + 30 * size * (kind == "b") + random.normal(0, 5, 400)
    return pd.DataFrame({"key": [str(n) for n in range(400)], "cost": cost, "size": size, "kind": kind})


@pytest.fixture
def model(rows: pd.DataFrame) -> Model:
    fitted = feature_module.fit(rows[:200], DATA)
    parts = [_with_target(part, fitted) for part in (rows[:200], rows[200:300])]
    hyperparameters = {name: kind(default) for name, (kind, default, _, _) in HYPERPARAMETERS.items()}
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


@pytest.fixture
def archive_folder(model: Model, tmp_path: Path) -> Path:
    save(model, tmp_path / "model")
    folder = tmp_path / "archive"
    folder.mkdir()
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "model", arcname=".")
    return folder
