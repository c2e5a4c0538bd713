"""Preprocessing learns from the training part only and keeps the test part raw."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from steps import features as feature_module
from steps.failure import JobError
from steps.part_files import read_parts
from steps.preprocess import main, preprocess
from steps.settings import JobSettings, SplitSettings
from steps.split import split


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
        table = read_parts(tmp_path / "out" / part)
        assert list(table.columns) == [*settings.data.features, "rent"]
        assert len(table) == counts[part]
    features = json.loads((tmp_path / "out" / "features" / "features.json").read_text())
    train = read_parts(tmp_path / "out" / "train")
    assert features["target_range"] == [train["rent"].min(), train["rent"].max()]


@pytest.mark.e2e
@pytest.mark.parametrize("by", ["hash", "time"])
def test_permuting_the_test_targets_changes_no_feature(
    validated: Path, settings: JobSettings, typed_rents: pd.DataFrame, tmp_path: Path, by: str
) -> None:
    settings = replace(settings, split=SplitSettings(by=by))
    preprocess(validated, tmp_path / "before", settings)
    test = pd.read_parquet(tmp_path / "before" / "test" / "test.parquet")
    in_test = typed_rents["flat"].isin(test["flat"])
    rents = typed_rents["rent"].copy()
    # The smallest and largest rents too: no limit of the predictions may come from the test part.
    rents[in_test] = rents[in_test].sample(frac=1, random_state=3).to_numpy() * 7
    typed_rents.assign(rent=rents).to_parquet(validated / "data.parquet", index=False)
    preprocess(validated, tmp_path / "after", settings)
    permuted = pd.read_parquet(tmp_path / "after" / "test" / "test.parquet")
    assert (test["rent"] != permuted["rent"]).all()
    for file in ("train/part-00000.parquet", "validation/part-00000.parquet", "features/features.json"):
        assert (tmp_path / "before" / file).read_bytes() == (tmp_path / "after" / file).read_bytes()
    features = feature_module.load(tmp_path / "after" / "features" / "features.json")
    pd.testing.assert_frame_equal(
        feature_module.transform(test, features), feature_module.transform(permuted, features)
    )


def test_log_target_is_refused_wherever_the_row_with_no_logarithm_would_go(
    settings: JobSettings, typed_rents: pd.DataFrame, tmp_path: Path
) -> None:
    parts = split(typed_rents, settings.data, settings.split)
    for name, part in parts.items():
        folder = tmp_path / name
        folder.mkdir()
        rent = typed_rents["rent"].mask(typed_rents["flat"] == part["flat"].iloc[0], -1.0)
        typed_rents.assign(rent=rent).to_parquet(folder / "data.parquet", index=False)
        with pytest.raises(JobError, match=r"rent has values down to -1 \(1 of 600 rows"):
            preprocess(folder, tmp_path / "out", settings)
    linear = replace(settings, data=replace(settings.data, target_scale="linear"))
    assert sum(preprocess(folder, tmp_path / "out", linear).values()) == 600


@pytest.mark.e2e
def test_same_rows_give_the_same_bytes(validated: Path, settings_file: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        main(["--input", str(validated), "--output", str(tmp_path / name), "--settings", str(settings_file)])
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*")]
    assert len(files) == 6
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_input_that_is_not_parquet_is_refused(settings: JobSettings, rents_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"is not Parquet: run steps\.validate first"):
        preprocess(rents_folder, tmp_path / "out", settings)


def test_a_reserve_is_written_raw_and_nothing_else_of_it(
    validated: Path, settings: JobSettings, typed_rents: pd.DataFrame, tmp_path: Path
) -> None:
    counts = preprocess(validated, tmp_path / "out", replace(settings, split=SplitSettings(reserve=0.2)))
    kept = pd.read_parquet(tmp_path / "out" / "reserve" / "reserve.parquet")
    assert len(kept) == counts["reserve"]
    assert list(kept.columns) == list(typed_rents.columns)
    others = [pd.read_parquet(tmp_path / "out" / part) for part in ("test/test.parquet", "rows/rows.parquet")]
    assert not any(set(kept["flat"]) & set(other["flat"]) for other in others)
