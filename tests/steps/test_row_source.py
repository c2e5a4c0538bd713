"""Rows on disk, and what is computed of them, are those of the table in memory: columns, places and batches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steps.failure import JobError
from steps.row_source import Computed, InMemory, OnDisk, RowSource, computed, even_places, stored_rows
from tests.steps.conftest import damage

TABLE = pd.DataFrame(
    {
        "size": np.arange(10) / 3,
        "rooms": np.arange(10),
        "kind": ["a", None, "b", "a", "a", None, None, None, None, "b"],
        "sold": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(10), unit="D"),
    }
)


def doubled(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"twice": 2 * rows["size"], "kind": rows["kind"].map({"a": 1.0, "b": 2.0})})


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four rows are read at a time."""
    monkeypatch.setattr("steps.row_source.HELD", 4)
    monkeypatch.setattr("steps.row_source.BATCH", 4)
    TABLE.to_parquet(tmp_path / "rows.parquet", index=False, row_group_size=7)
    return tmp_path / "rows.parquet"


@pytest.mark.parametrize(
    ("make", "table"),
    [
        (InMemory, TABLE),
        (lambda _: computed(InMemory(TABLE), doubled), doubled(TABLE)),
        (lambda path: computed(OnDisk(path), doubled), doubled(TABLE)),
    ],
)
def test_every_source_gives_the_rows_of_its_table(
    path: Path, make: Callable[[object], RowSource], table: pd.DataFrame
) -> None:
    rows = make(TABLE) if make is InMemory else make(path)
    gives_the_rows_of(rows, table)


def test_rows_of_a_file_are_those_of_the_table(path: Path) -> None:
    rows = stored_rows(path)
    assert isinstance(rows, OnDisk)
    gives_the_rows_of(rows, TABLE)
    assert [list(batch.index) for batch in rows.batches(["size"])] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    with pytest.raises(KeyError, match="price"):
        rows["price"]


def gives_the_rows_of(rows: RowSource, table: pd.DataFrame) -> None:
    assert (len(rows), rows.names) == (len(table), list(table))
    pd.testing.assert_frame_equal(pd.concat(list(rows.batches())), table)
    pd.testing.assert_frame_equal(pd.concat(list(rows.batches(["kind"]))), table[["kind"]])
    pd.testing.assert_frame_equal(rows.at([7, 0, 3]), table.iloc[[7, 0, 3]])
    pd.testing.assert_frame_equal(rows.columns(["kind"]), table[["kind"]])
    pd.testing.assert_series_equal(rows["kind"], table["kind"])


def test_what_is_computed_of_each_row_is_computed_once(path: Path) -> None:
    asked = list[int]()

    def counted(rows: pd.DataFrame) -> pd.DataFrame:
        asked.extend(rows.index)
        return doubled(rows)

    found = computed(OnDisk(path), counted)
    gives_the_rows_of(found, doubled(TABLE))
    assert asked == list(range(10))


def test_few_rows_are_held_and_one_more_is_not(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steps.row_source.HELD", len(TABLE))
    held = stored_rows(path)
    assert isinstance(held, InMemory)
    assert isinstance(computed(held, doubled), InMemory)
    monkeypatch.setattr("steps.row_source.HELD", len(TABLE) - 1)
    assert isinstance(computed(stored_rows(path), doubled), Computed)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(JobError, match=r"rows.parquet cannot be read as Parquet"):
        stored_rows(tmp_path / "rows.parquet")


@pytest.mark.parametrize(
    "question",
    [lambda rows: rows["size"], lambda rows: list(rows.batches()), lambda rows: rows.at([0])],
    ids=["a column", "batches", "places"],
)
def test_a_file_that_is_damaged_behind_a_whole_footer_is_named_by_every_question(
    path: Path, question: Callable[[RowSource], object]
) -> None:
    damage(path)
    rows = stored_rows(path)
    with pytest.raises(JobError, match=r"rows.parquet cannot be read as Parquet \("):
        question(rows)


@pytest.mark.parametrize(("rows", "most", "places"), [(5, 9, range(5)), (5, 5, range(5)), (9, 3, [0, 4, 8])])
def test_an_even_draw_has_the_first_and_the_last_row(rows: int, most: int, places: range | list[int]) -> None:
    assert even_places(rows, most).tolist() == list(places)
