"""Preprocessing learns from the training part only and keeps the test part raw."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from steps.failure import JobError
from steps.preprocess import main, preprocess
from steps.settings import JobSettings


@pytest.fixture
def validated(typed_rents: pd.DataFrame, tmp_path: Path) -> Path:
    folder = tmp_path / "validated"
    folder.mkdir()
    typed_rents.to_parquet(folder / "data.parquet", index=False)
    return folder


def test_outputs(validated: Path, settings: JobSettings, typed_rents: pd.DataFrame, tmp_path: Path) -> None:
    counts = preprocess(validated, tmp_path / "out", settings)
    assert sum(counts.values()) == len(typed_rents)
    test = pd.read_parquet(tmp_path / "out" / "test" / "test.parquet")
    assert list(test.columns) == list(typed_rents.columns)
    for part in ("train", "validation"):
        table = pd.read_parquet(tmp_path / "out" / part / f"{part}.parquet")
        assert list(table.columns) == [*settings.data.features, "rent"]
        assert len(table) == counts[part]
    features = json.loads((tmp_path / "out" / "features" / "features.json").read_text())
    train = pd.read_parquet(tmp_path / "out" / "train" / "train.parquet")
    assert features["target_range"] == [train["rent"].min(), train["rent"].max()]


def test_same_rows_give_the_same_bytes(validated: Path, settings_file: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        main(["--input", str(validated), "--output", str(tmp_path / name), "--settings", str(settings_file)])
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*")]
    assert len(files) == 4
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_input_that_is_not_parquet_is_refused(settings: JobSettings, rents_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"is not Parquet: run steps\.validate first"):
        preprocess(rents_folder, tmp_path / "out", settings)
