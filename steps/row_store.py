"""The typed rows of a data set, batch by batch: as Arrow's files in a folder, or in memory where there is no folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.ipc


@dataclass(frozen=True)
class Batch:
    """Some rows: a table, or the file that holds it."""

    content: pa.Table | Path
    rows: int
    schema: pa.Schema

    def table(self) -> pa.Table:
        """The rows; those of a file are read where they are looked at, not at once."""
        if isinstance(self.content, Path):
            return pa.ipc.open_file(pa.memory_map(str(self.content))).read_all()
        return self.content


class RowStore:
    """Rows are known by their places from 0, in the order in which they were added.

    A column has one type in all batches: integers are floats where another batch lacks a value.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._batches: list[Batch] = []
        self._schema = pa.schema([])

    def __len__(self) -> int:
        return sum(batch.rows for batch in self._batches)

    @property
    def names(self) -> list[str]:
        """The columns."""
        names: list[str] = self._schema.names
        return names

    @property
    def in_one_batch(self) -> bool:
        """Whether all rows are few enough to be in memory at once."""
        return len(self._batches) <= 1

    def batch(self, rows: pd.DataFrame, name: str) -> Batch:
        """What `add` takes of some rows; `name` is that of no other batch. OSError where the disk is full.

        A process may make what another one adds.
        """
        table = pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata()
        if self._folder is None:
            return Batch(table, len(rows), table.schema)
        path = self._folder / f"{name}.arrow"
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        return Batch(path, len(rows), table.schema)

    def add(self, batch: Batch) -> None:
        """Keep some rows behind all others."""
        self._batches.append(batch)
        schemas = [self._schema, batch.schema] if self._schema.names else [batch.schema]
        self._schema = pa.unify_schemas(schemas, promote_options="permissive")

    def batches(
        self, names: Sequence[str] | None = None, chosen: np.ndarray | None = None, as_added: bool = False
    ) -> Iterator[tuple[np.ndarray, pd.DataFrame]]:
        """The places of the rows of each batch and some columns of them, numbered from 0.

        chosen: marks the rows that are wanted; by default all are. as_added: with the types that each batch has itself.
        """
        for number, first in enumerate(self.starts):
            places = np.arange(first, first + self._batches[number].rows)
            table = self._table(number, names, as_added)
            if chosen is not None:
                places = places[chosen[places]]
                table = table.take(places - first)
            yield places, table.to_pandas(deduplicate_objects=False)

    @property
    def starts(self) -> list[int]:
        """The place of the first row of each batch."""
        return np.cumsum([0, *(batch.rows for batch in self._batches[:-1])]).tolist() if self._batches else []

    def one_of(self, number: int, names: Sequence[str] | None = None) -> pd.DataFrame:
        """Some columns of one of the batches."""
        rows: pd.DataFrame = self._table(number, names).to_pandas(deduplicate_objects=False)
        return rows

    def columns(self, names: Sequence[str], chosen: np.ndarray | None = None) -> pd.DataFrame:
        """Some columns of all rows, or of the chosen ones, numbered from 0."""
        return pd.concat([table for _, table in self.batches(names, chosen)], ignore_index=True)

    def between(self, begin: int, end: int, names: Sequence[str]) -> pd.DataFrame:
        """The rows from one place up to another one, numbered from 0."""
        pieces = [
            self._table(number, names).slice(max(begin - first, 0), max(end - max(begin, first), 0))
            for number, first in enumerate(self.starts)
            if first <= max(begin, end - 1) and begin <= first + self._batches[number].rows
        ]
        rows: pd.DataFrame = pa.concat_tables(pieces).to_pandas(deduplicate_objects=False)
        return rows

    def take(self, places: np.ndarray, names: Sequence[str]) -> pa.Table:
        """The rows at these places, in their order."""
        order = np.argsort(places, kind="stable")
        ends = np.searchsorted(places[order], [*self.starts, len(self)])
        pieces = [
            self._table(number, names).take(places[order[begin:end]] - first)
            for number, (first, begin, end) in enumerate(zip(self.starts, ends, ends[1:], strict=False))
        ]
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return pa.concat_tables(pieces).combine_chunks().take(back)

    def _table(self, number: int, names: Sequence[str] | None, as_added: bool = False) -> pa.Table:
        wanted = self.names if names is None else list(names)
        schema, table = pa.schema([self._schema.field(name) for name in wanted]), self._batches[number].table()
        return table.select(wanted) if as_added else table.select(wanted).cast(schema, safe=False)
