"""A table in a file answers what the same table in memory answers, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steps.stored_table import StoredTable, first_columns, in_memory


@pytest.fixture
def table() -> pd.DataFrame:
    values = np.random.default_rng(3).normal(size=(1000, 3))
    values[5, 1] = np.nan
    return pd.DataFrame(values, columns=["a", "b", "c"])


@pytest.fixture
def stored(table: pd.DataFrame, tmp_path: Path) -> StoredTable:
    """The table, written in three parts that are not in their order."""
    found = StoredTable(list(table), len(table), tmp_path)
    for places in (slice(600, 1000), slice(0, 7), slice(7, 600)):
        found.put(places.start, table.iloc[places])
    return found


@pytest.mark.parametrize("places", [slice(0, 10), slice(3, 900), slice(990, 2000), slice(None, 50), slice(20, 20)])
def test_some_rows_are_those_of_the_table_in_memory(table: pd.DataFrame, stored: StoredTable, places: slice) -> None:
    np.testing.assert_array_equal(stored.values[places], table.values[places])
    pd.testing.assert_frame_equal(stored.iloc[places], table.iloc[places].reset_index(drop=True))


def test_columns_single_rows_and_the_whole_too(table: pd.DataFrame, stored: StoredTable) -> None:
    assert (list(stored), len(stored), len(stored.values)) == (["a", "b", "c"], 1000, 1000)
    pd.testing.assert_series_equal(stored["b"], table["b"])
    places = np.array([999, 5, 42])
    np.testing.assert_array_equal(stored.iloc[places].to_numpy(), table.iloc[places].to_numpy())
    pd.testing.assert_frame_equal(in_memory(stored), table)
    assert in_memory(table) is table


def test_the_first_columns_are_the_same_rows(table: pd.DataFrame, stored: StoredTable) -> None:
    narrow = first_columns(stored, 2)
    np.testing.assert_array_equal(narrow.values[100:200], first_columns(table, 2).values[100:200])
    assert list(narrow) == ["a", "b"]
    assert list(stored) == ["a", "b", "c"]


def test_the_file_has_no_name_that_could_be_left_behind(stored: StoredTable, tmp_path: Path) -> None:
    assert len(stored) == 1000
    assert list(tmp_path.iterdir()) == []
