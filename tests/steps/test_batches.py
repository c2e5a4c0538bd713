"""Batches hold each row once, in order, and no batch holds more than its share."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from steps.batches import ahead, batches, by_batch


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


def test_the_next_item_is_made_while_one_is_worked_on() -> None:
    made = [threading.Event() for _ in range(3)]

    def items() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    for number in ahead(items()):
        assert made[min(number + 1, 2)].wait(10)
        assert not any(event.is_set() for event in made[number + 2 :])  # no more than one
    assert list(ahead([])) == []
    assert list(ahead([None, 1])) == [None, 1]


def test_a_fault_in_making_an_item_is_raised_after_those_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("the file ends")

    made = ahead(items())
    assert next(made) == 1
    with pytest.raises(OSError, match="the file ends"):
        next(made)
