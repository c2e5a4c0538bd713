"""The validated rows come into their parts whole, with one type for a column, however many are read at a time."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow
import pytest

from steps.divided_rows import divided_rows
from steps.failure import JobError
from steps.settings import JobSettings
from steps.split import split
from tests.steps.conftest import damage


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("batch", [1 << 18, 50, pytest.param(1, marks=pytest.mark.e2e)])
def test_parts_are_those_of_the_whole_table(
    typed_rents: pd.DataFrame,
    settings: JobSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
    processes: int,
) -> None:
    """`rooms` lacks values in some rows only: it is a column of floats in each part, as in the whole table."""
    rows = typed_rents.head(120)
    rows.to_parquet(tmp_path / "data.parquet", index=False)
    whole = split(rows, settings.data, settings.split)
    monkeypatch.setattr("steps.batches.ROWS", batch)
    monkeypatch.setattr("steps.workers.cores", lambda: processes)
    found = divided_rows(tmp_path / "data.parquet", settings.data, settings.split)
    assert list(found) == list(whole)
    for name, table in whole.items():
        pd.testing.assert_frame_equal(found[name], table)


def test_a_column_that_is_not_there_and_one_too_many_are_named(
    typed_rents: pd.DataFrame, settings: JobSettings, tmp_path: Path
) -> None:
    for change, words in ((typed_rents.drop(columns="area"), "lacks area"), (typed_rents.assign(more=1), "more")):
        change.to_parquet(tmp_path / "data.parquet", index=False)
        with pytest.raises(JobError, match=words):
            divided_rows(tmp_path / "data.parquet", settings.data, settings.split)


def test_rows_that_are_damaged_behind_a_whole_footer_are_named(
    typed_rents: pd.DataFrame, settings: JobSettings, tmp_path: Path
) -> None:
    typed_rents.to_parquet(tmp_path / "data.parquet", index=False)
    damage(tmp_path / "data.parquet")
    with pytest.raises(JobError, match=r"data\.parquet is not Parquet: run steps\.validate first"):
        divided_rows(tmp_path / "data.parquet", settings.data, settings.split)


def test_memory_that_runs_out_is_not_taken_for_a_damaged_file(
    settings: JobSettings, typed_rents: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed_rents.to_parquet(tmp_path / "data.parquet", index=False)

    def no_room(*_arguments: object) -> None:
        raise pyarrow.ArrowMemoryError("malloc of size 12582912 failed")

    monkeypatch.setattr("steps.divided_rows._in_memory", no_room)
    with pytest.raises(MemoryError, match="malloc"):
        divided_rows(tmp_path / "data.parquet", settings.data, settings.split)
