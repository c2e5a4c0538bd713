"""Batches hold each row once, in order, and no batch holds more than its share."""

from __future__ import annotations

import numpy as np
import pytest

from steps.batches import batches, by_batch


@pytest.mark.parametrize(("rows", "sizes"), [(0, [0]), (1, [1]), (4, [4]), (5, [4, 1]), (8, [4, 4]), (9, [4, 4, 1])])
def test_rows_come_once_and_in_order(monkeypatch: pytest.MonkeyPatch, rows: int, sizes: list[int]) -> None:
    monkeypatch.setattr("steps.batches.ROWS", 4)
    places = np.arange(rows)
    found = [places[batch] for batch in batches(rows)]
    assert [len(each) for each in found] == sizes
    np.testing.assert_array_equal(np.concatenate(found), places)
    assert [len(places[batch]) for batch in batches(rows, 100)] == sizes  # never more than ROWS
    assert max(len(places[batch]) for batch in batches(rows, 3)) <= 3
    np.testing.assert_array_equal(by_batch(lambda batch: 2 * places[batch], rows), 2 * places)
