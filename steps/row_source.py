"""The typed rows of a part of the data: in memory where they are few, else read from their file for each question.

What asks all rows takes them batch by batch, or one or two columns of them; what shows examples takes some places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from steps import batches
from steps.failure import JobError
from steps.hosts import Hosts
from steps.scratch import scratch
from steps.stored_table import StoredTable

if TYPE_CHECKING:
    import pyarrow

HELD = batches.ROWS  # rows that are held in memory
BATCH = 1 << 16  # rows that are asked, read or computed at a time


class RowSource(Protocol):
    """Rows are known by their places from 0, which are the index of every table."""

    names: list[str]

    def __len__(self) -> int:
        """How many rows there are."""

    def __getitem__(self, name: str) -> pd.Series:
        """One column of all rows."""

    def columns(self, names: Sequence[str]) -> pd.DataFrame:
        """Some columns of all rows."""

    def at(self, places: Sequence[int] | np.ndarray) -> pd.DataFrame:
        """The rows at some places, in their order; none twice."""

    def batches(self, names: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Some columns of all rows, batch after batch; those of few rows are one batch."""


class InMemory:
    """The rows of a table that is there anyway, see `RowSource`."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.names = list(map(str, table))
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, name: str) -> pd.Series:
        return self._table[name]

    def columns(self, names: Sequence[str]) -> pd.DataFrame:
        """Some columns of all rows."""
        return self._table[list(names)]

    def at(self, places: Sequence[int] | np.ndarray) -> pd.DataFrame:
        """The rows at some places."""
        return self._table.iloc[np.asarray(places)]

    def batches(self, names: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Some columns of all rows, batch after batch."""
        for batch in batches.batches(len(self), BATCH):
            rows = self._table.iloc[batch]
            yield rows if names is None else rows[list(names)]


class OnDisk:
    """The rows of a Parquet file, which are never in memory together, see `RowSource`."""

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet

        schema = pyarrow.parquet.read_schema(path)
        self.names = list(schema.names)
        self._rows = int(pyarrow.parquet.read_metadata(path).num_rows)
        self._path = path

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, name: str) -> pd.Series:
        return self.columns([name])[name]

    def columns(self, names: Sequence[str]) -> pd.DataFrame:
        """Some columns of all rows."""
        missing = [name for name in names if name not in self.names]
        if missing:
            raise KeyError(missing[0])
        with readable(self._path):
            return pd.read_parquet(self._path, columns=list(names))

    def at(self, places: Sequence[int] | np.ndarray) -> pd.DataFrame:
        """The rows at some places; the whole file is read for them."""
        wanted = np.asarray(places)
        ordered = np.sort(wanted)
        found = [
            batch.take(ordered[(ordered >= first) & (ordered < first + len(batch))] - first).to_pandas()
            for first, batch in self._read(None)
        ]
        rows: pd.DataFrame = pd.concat(found, ignore_index=True).set_axis(ordered).loc[wanted]
        return rows

    def batches(self, names: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Some columns of all rows, batch after batch."""
        for first, batch in self._read(names):
            yield batch.to_pandas().set_axis(range(first, first + len(batch)))

    def _read(self, names: Sequence[str] | None) -> Iterator[tuple[int, pyarrow.RecordBatch]]:
        import pyarrow.parquet

        first = 0
        with readable(self._path), pyarrow.parquet.ParquetFile(self._path) as file:
            for batch in file.iter_batches(BATCH, columns=None if names is None else list(names)):
                yield first, batch
                first += len(batch)


class Computed:
    """Numbers that were computed of each row of another source, in a file without a name, see `RowSource`.

    Only the process that has made the file may read it: forks share the place that is read next.
    """

    def __init__(self, table: StoredTable) -> None:
        self.names = table.names
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, name: str) -> pd.Series:
        return self._table[name]

    def columns(self, names: Sequence[str]) -> pd.DataFrame:
        """Some columns of all rows."""
        return pd.DataFrame({name: self._table[name] for name in names})

    def at(self, places: Sequence[int] | np.ndarray) -> pd.DataFrame:
        """The rows at some places; the whole file is read for them, column by column."""
        wanted = np.asarray(places)
        return pd.DataFrame({name: self._table[name].to_numpy()[wanted] for name in self.names}, index=wanted)

    def batches(self, names: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Some columns of all rows, batch after batch."""
        for batch in batches.batches(len(self), BATCH):
            rows = self._table.iloc[batch].set_axis(range(batch.start, batch.stop))
            yield rows if names is None else rows[list(names)]


def shared_batches(rows: RowSource, hosts: Hosts) -> Iterator[pd.DataFrame]:
    """The batches of this host: one host has all, several share them, and the first of several has none."""
    if hosts.count == 1:
        yield from rows.batches()
        return
    share = hosts.share(sum(1 for _ in rows.batches(rows.names[:1])), hosts.but_first)
    yield from islice(rows.batches(), share.start, share.stop)


def stored_rows(path: Path) -> RowSource:
    """The rows of a Parquet file. Raises JobError where it is not one."""
    with readable(path):
        rows = OnDisk(path)
        return rows if len(rows) > HELD else InMemory(pd.read_parquet(path))


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Raises JobError that names a file that is not Parquet, or is broken where it is read."""
    try:
        yield
    except (OSError, ValueError) as error:  # pyarrow's faults are ValueErrors, and zstd's and snappy's OSErrors
        raise JobError(
            f"{path} cannot be read as Parquet ({str(error).splitlines()[0]}): run steps.preprocess again."
        ) from error


def computed(rows: RowSource, function: Callable[[pd.DataFrame], pd.DataFrame]) -> RowSource:
    """The numbers that a function makes of each row: in memory where the rows are, else in a file."""
    if isinstance(rows, InMemory):
        return InMemory(pd.concat([function(batch) for batch in rows.batches()]))
    found, first = None, 0
    for batch in rows.batches():
        made = function(batch)
        if found is None:
            with scratch() as folder:
                found = StoredTable(list(map(str, made)), len(rows), folder)
        found.put(first, made)
        first += len(made)
    assert found is not None  # noqa: S101 - what is not in memory has rows
    return Computed(found)


def even_places(rows: int, most: int) -> np.ndarray:
    """The places of an even draw of at most so many rows."""
    return np.linspace(0, rows - 1, min(rows, most)).astype(int)
