"""Rows that were judged together are, file by file, what they would have been alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from steps.column_settings import Column
from steps.judged import Judged, joined

COLUMNS = {"rooms": Column(type="integer", optional=True), "name": Column(type="text")}


@pytest.fixture
def group() -> Judged:
    """Three files, of which the second is empty and the third alone has a gap."""
    return Judged(
        files={"a": 3, "b": 0, "c": 2},
        table=pd.DataFrame({"rooms": [1.0, 2.0, 3.0, np.nan, 5.0], "name": ["v", "w", "x", "y", None]}),
        unexpected=[np.array([0, 4]), np.array([], dtype=int)],
        broken={1: "one field too many", 3: "two fields too many"},
        unreadable={"rooms": {3: "many"}},
    )


def test_a_file_of_a_group_is_what_it_would_be_alone(group: Judged) -> None:
    first, empty, last = (group.of_file(name, COLUMNS) for name in "abc")
    pd.testing.assert_frame_equal(first.table, pd.DataFrame({"rooms": [1, 2, 3], "name": ["v", "w", "x"]}))
    assert ([rows.tolist() for rows in first.unexpected], first.broken, first.unreadable) == (
        [[0], []],
        {1: "one field too many"},
        {},
    )
    assert (empty.files, len(empty.table), empty.table["rooms"].dtype) == ({"b": 0}, 0, "int64")
    assert ([rows.tolist() for rows in last.unexpected], last.broken, last.unreadable) == (
        [[1], []],
        {0: "two fields too many"},
        {"rooms": {0: "many"}},
    )


def test_the_files_one_after_another_are_the_group(group: Judged) -> None:
    again = joined([group.of_file(name, COLUMNS) for name in "abc"])
    assert again.files == group.files
    pd.testing.assert_frame_equal(again.table, group.table)
    assert [rows.tolist() for rows in again.unexpected] == [rows.tolist() for rows in group.unexpected]
    assert (again.broken, again.unreadable) == (group.broken, group.unreadable)


def test_a_long_file_is_cut_and_joined_again(monkeypatch: pytest.MonkeyPatch, group: Judged) -> None:
    monkeypatch.setattr("steps.batches.ROWS", 1)
    whole = Judged({"a": 5}, group.table, group.unexpected, group.broken, group.unreadable)
    pieces = list(whole.in_batches())
    assert [piece.files for piece in pieces] == [{"a": 2}, {"a": 2}, {"a": 1}]
    assert [piece.unexpected[0].tolist() for piece in pieces] == [[0], [], [0]]
    again = joined(pieces)
    pd.testing.assert_frame_equal(again.table, whole.table)
    assert (again.files, again.broken, again.unreadable) == (whole.files, whole.broken, whole.unreadable)
