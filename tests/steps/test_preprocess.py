"""Preprocessing learns from the training part only and keeps the test part raw."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steps import features as feature_module
from steps.failure import JobError
from steps.fitting import fit_transform
from steps.learned import Neighbours
from steps.part_files import read_parts
from steps.preprocess import main, preprocess
from steps.raw_data import typed
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
    assert len(files) == 7
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


@pytest.mark.e2e
def test_many_batches_give_what_one_gives(
    rents: pd.DataFrame, settings: JobSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(rents, settings.data.columns, "rents.csv").to_parquet(tmp_path / "data.parquet", index=False)
    for batch in (1 << 18, 70):
        monkeypatch.setattr("steps.batches.ROWS", batch)
        preprocess(tmp_path / "data.parquet", tmp_path / str(batch), settings)
    one, many = (
        sorted(path for path in (tmp_path / str(batch)).rglob("*") if path.is_file()) for batch in (1 << 18, 70)
    )
    for first, second in zip(one, many, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name


def test_of_very_many_training_rows_medians_and_neighbours_are_those_of_a_part_that_no_order_changes(
    typed_rents: pd.DataFrame, settings: JobSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steps.fitting.MOST_ROWS", 200)
    turned = typed_rents.iloc[::-1].reset_index(drop=True)
    (first, table), (second, other) = (fit_transform(rows, settings.data) for rows in (typed_rents, turned))
    near, turned_near = (each.learned["rent_of_similar"] for each in (first, second))
    assert isinstance(near, Neighbours)
    assert isinstance(turned_near, Neighbours)
    assert len(near.values) == 200
    assert sorted(zip(*near.points, near.values, strict=True)) == sorted(
        zip(*turned_near.points, turned_near.values, strict=True)
    )
    same = [name for name in first.names if name != "rent_of_similar"]  # of neighbours as near as others any may count
    assert [first.fill.get(name) for name in same] == [second.fill.get(name) for name in same]
    assert first.learned["level_of_district"] == second.learned["level_of_district"]  # of all rows, exactly
    np.testing.assert_allclose(other[same].iloc[::-1].to_numpy(), table[same].to_numpy(), rtol=1e-9)
    assert not table["rent_of_similar"].isna().any()
    assert first.target_range == (typed_rents["rent"].min(), typed_rents["rent"].max())
