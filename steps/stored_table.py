"""A long table of floats in a file, of which some rows or a column are read at a time.

It answers what Train asks of a table in memory: `iloc`, `values` and a column by its name. So nothing that learns has
to know where its rows are.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import pyarrow as pa

MOST_HELD = 1 << 20  # rows of one table that are held in memory; more are kept in a file
_BYTES = np.dtype(float).itemsize


class Values(Protocol):
    """Numbers (rows, columns): an array, or what reads some rows of a file as one."""

    def __len__(self) -> int:
        """How many rows there are."""

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        """Some rows."""


class StoredTable:
    """Floats (rows, names), column by column in a file that has no name: it is gone with the process.

    Rows are known by their places from 0.
    """

    def __init__(self, names: Sequence[str], rows: int, folder: Path) -> None:
        self.names = list(names)
        self._rows = rows
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - open as long as the table is asked

    def put(self, first: int, part: pd.DataFrame | pa.Table) -> None:
        """Write some rows, the first of which has the place `first`. OSError where the disk is full."""
        for column, name in enumerate(self.names):
            self._file.seek((column * self._rows + first) * _BYTES)
            self._file.write(np.ascontiguousarray(part[name], dtype=float).data)
        self._file.flush()

    def first_columns(self, count: int) -> StoredTable:
        """The same rows with the first columns only; they stay where they are."""
        found = copy.copy(self)
        found.names = self.names[:count]
        return found

    def __len__(self) -> int:
        return self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __getitem__(self, name: str) -> pd.Series:
        """One column of all rows."""
        return pd.Series(self._read([self.names.index(name)], 0, self._rows)[0], name=name)

    @property
    def values(self) -> Values:
        """The numbers, of which a slice of rows is read as an array."""
        return _Values(self)

    @property
    def iloc(self) -> _Places:
        """The rows by their places."""
        return _Places(self)

    def rows(self, places: slice) -> np.ndarray:
        """The numbers of some rows (rows, names), each column in one piece of memory."""
        start, end, _ = places.indices(self._rows)
        return self._read(range(len(self.names)), start, max(start, end)).T

    def _read(self, columns: Sequence[int], start: int, end: int) -> np.ndarray:
        """Some columns (columns, rows) from one place to another."""
        block = np.empty((len(columns), end - start))
        for column, row in zip(columns, block, strict=True):
            self._file.seek((column * self._rows + start) * _BYTES)
            self._file.readinto(row.data)
        return block


@dataclass(frozen=True)
class _Values:
    table: StoredTable

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        return self.table.rows(rows)


@dataclass(frozen=True)
class _Places:
    table: StoredTable

    def __getitem__(self, rows: slice | np.ndarray) -> pd.DataFrame:
        """Some rows in one piece, or a few single ones."""
        names = self.table.names
        if isinstance(rows, slice):
            return pd.DataFrame(self.table.rows(rows), columns=names, copy=False)
        found = np.empty((len(rows), len(names)))
        for row, place in zip(found, rows.tolist(), strict=True):
            row[:] = self.table.rows(slice(place, place + 1))[0]
        return pd.DataFrame(found, columns=names, copy=False)


Table = pd.DataFrame | StoredTable


def first_columns(table: Table, count: int) -> Table:
    """The first columns of a table, without a copy."""
    return table.iloc[:, :count] if isinstance(table, pd.DataFrame) else table.first_columns(count)


def in_memory(table: Table) -> pd.DataFrame:
    """The whole table, for what cannot learn batch by batch."""
    return table if isinstance(table, pd.DataFrame) else table.iloc[:]
