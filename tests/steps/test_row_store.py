"""Rows come back as they were kept, whether in memory or in files, in any order that is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steps.row_store import RowStore

FIRST = pd.DataFrame(
    {"rooms": [1, 2, 3], "name": [None, None, None], "day": pd.to_datetime(["2024-01-01", None, None])}
)
SECOND = pd.DataFrame({"rooms": [np.nan, 5.0], "name": ["d", None], "day": pd.to_datetime([None, "2024-01-02"])})
WHOLE = pd.concat([FIRST.astype({"rooms": float}), SECOND], ignore_index=True)


@pytest.fixture(params=["in memory", "in files"])
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> RowStore:
    store = RowStore(tmp_path if request.param == "in files" else None)
    for number, table in enumerate((FIRST, SECOND)):
        store.add(store.batch(table, str(number)))
    return store


def test_integers_are_floats_where_another_batch_lacks_a_value(rows: RowStore) -> None:
    assert (len(rows), rows.names, rows.in_one_batch) == (5, ["rooms", "name", "day"], False)
    pd.testing.assert_frame_equal(rows.columns(rows.names), WHOLE)
    assert [table["rooms"].dtype for _, table in rows.batches(["rooms"])] == [float, float]


def test_one_batch_keeps_its_integers(tmp_path: Path) -> None:
    store = RowStore(tmp_path)
    store.add(store.batch(FIRST, "only"))
    assert store.in_one_batch
    pd.testing.assert_frame_equal(store.columns(["day", "rooms", "name"]), FIRST[["day", "rooms", "name"]])


def test_chosen_rows_come_with_their_places(rows: RowStore) -> None:
    chosen = np.array([False, True, False, True, True])
    found = [(places.tolist(), table["rooms"].tolist()) for places, table in rows.batches(["rooms"], chosen)]
    assert str(found) == "[([1], [2.0]), ([3, 4], [nan, 5.0])]"
    assert rows.columns(["name"], chosen)["name"].tolist() == [None, "d", None]


@pytest.mark.parametrize("places", [[4, 0, 3, 1], [2], []])
def test_rows_are_taken_in_the_order_of_their_places(rows: RowStore, places: list[int]) -> None:
    taken = rows.take(np.array(places, dtype=int), ["day", "rooms", "name"]).to_pandas()
    pd.testing.assert_frame_equal(taken, WHOLE.iloc[places][["day", "rooms", "name"]].reset_index(drop=True))


@pytest.mark.parametrize(("begin", "end"), [(0, 0), (0, 2), (1, 4), (2, 2), (3, 5), (5, 5), (0, 5)])
def test_rows_between_two_places_are_those_of_all(rows: RowStore, begin: int, end: int) -> None:
    wanted = rows.columns(rows.names).iloc[begin:end].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows.between(begin, end, rows.names), wanted)
