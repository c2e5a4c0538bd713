"""The rows of one host are the same in memory and in a file, whatever parts they come in; shares leave out no row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steps.failure import JobError
from steps.hosts import ALONE, Hosts
from steps.stored_table import StoredTable, in_memory
from steps.training_rows import training_rows, validation_rows
from tests.steps.test_starting_point import features

FITTED = features(levels=3)  # x, kind and the target y


@pytest.fixture
def rows() -> pd.DataFrame:
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {"x": random.normal(size=100), "kind": random.integers(0, 3, 100), "y": random.normal(size=100)}
    )


@pytest.fixture
def folder(rows: pd.DataFrame, tmp_path: Path) -> Path:
    (tmp_path / "parts").mkdir()
    for number, (start, end) in enumerate([(0, 31), (31, 31), (31, 97), (97, 100)]):
        rows.iloc[start:end].to_parquet(tmp_path / "parts" / f"part-{number:05d}.parquet", index=False)
    return tmp_path / "parts"


def test_many_rows_are_kept_in_a_file_and_few_in_memory(
    rows: pd.DataFrame, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, shard = training_rows(folder, FITTED, ALONE, tmp_path)
    assert isinstance(held, pd.DataFrame)
    monkeypatch.setattr("steps.stored_table.MOST_HELD", 99)
    stored, same = training_rows(folder, FITTED, ALONE, tmp_path)
    assert isinstance(stored, StoredTable)
    for table in (held, stored):
        np.testing.assert_array_equal(in_memory(table).to_numpy(), rows.to_numpy())
    assert shard == same


@pytest.mark.parametrize("most", [0, 1000])
def test_the_shares_of_the_validation_rows_are_all_of_them_in_their_order(
    rows: pd.DataFrame, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr("steps.stored_table.MOST_HELD", most)
    names = ("a", "b", "c")
    shares = [validation_rows(folder, FITTED, Hosts(names, name), tmp_path) for name in names]
    found = np.concatenate([in_memory(table).to_numpy() for table, _ in shares])
    np.testing.assert_array_equal(found, rows.to_numpy())
    assert [(shard.runs, shard.total) for _, shard in shares] == [
        (((0, 33),), 100),
        (((33, 66),), 100),
        (((66, 100),), 100),
    ]


def test_a_part_with_texts_is_named_with_its_column(rows: pd.DataFrame, folder: Path, tmp_path: Path) -> None:
    rows.head(5).astype({"kind": str}).to_parquet(folder / "part-00001.parquet", index=False)
    with pytest.raises(JobError, match=r"part-00001\.parquet has what is no number in the column kind"):
        training_rows(folder, FITTED, ALONE, tmp_path)
