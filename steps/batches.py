"""The rows of a long table, some at a time, so that what is computed of them never needs memory for all.

A table of ordinary size is one batch: what is added up batch by batch is then what it is at once, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

Item = TypeVar("Item")
END: Any = object()  # of an iterator
ROWS = 1 << 18  # of a batch


def batches(rows: int, most: int | None = None) -> Iterator[slice]:
    """The places of that many rows, batch after batch, of `most` rows if ROWS are too many; of no rows one batch."""
    yield from slices(rows, ROWS if most is None else min(ROWS, most))


def slices(rows: int, size: int) -> Iterator[slice]:
    """The same, of `size` rows."""
    for start in range(0, max(rows, 1), size):
        yield slice(start, min(start + size, rows))


def by_batch(function: Callable[[slice], np.ndarray], rows: int) -> np.ndarray:
    """What `function` says of the rows of each batch, (rows, ...), one after the other."""
    return np.concatenate([function(batch) for batch in batches(rows)])


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The items; while one is worked on, a thread makes the next one. Raises what making one raises."""
    rest = iter(items)
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(next, rest, END)
        while (item := waiting.result()) is not END:
            waiting = thread.submit(next, rest, END)
            yield item
