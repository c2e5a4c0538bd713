"""The typed rows of a data set, kept batch by batch: on disk where there are several batches, and a folder for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd


class RowStore:
    """Rows are known by their places from 0, in the order in which they were added.

    A column has one type in all batches: integers are floats where another batch lacks a value.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.names: list[str] = []
        self._folder = folder
        self._kept: list[pd.DataFrame | Path] = []
        self._sizes: list[int] = []
        self._types: dict[str, np.dtype] = {}

    def __len__(self) -> int:
        return sum(self._sizes)

    @property
    def in_one_batch(self) -> bool:
        """Whether all rows are in memory at once anyway."""
        return len(self._kept) <= 1

    def add(self, table: pd.DataFrame) -> None:
        """Keep some rows behind all others. OSError where the disk is full."""
        self.names = list(map(str, table))
        for name, type_ in table.dtypes.items():
            before = self._types.setdefault(str(name), type_)
            self._types[str(name)] = type_ if before == type_ else np.dtype(float)
        self._kept.append(table)
        self._sizes.append(len(table))
        if self._folder is not None and len(self._kept) > 1:
            self._kept = [self._spilled(number, each) for number, each in enumerate(self._kept)]

    def _spilled(self, number: int, batch: pd.DataFrame | Path) -> Path:
        if isinstance(batch, Path):
            return batch
        assert self._folder is not None  # noqa: S101 - asked before
        path = self._folder / f"{number:06d}.parquet"
        batch.to_parquet(path, index=False)
        return path

    def batches(self, names: Sequence[str] | None = None) -> Iterator[tuple[int, pd.DataFrame]]:
        """The place of the first row of each batch, and some columns of its rows, which are numbered from 0."""
        wanted = self.names if names is None else list(names)
        types = {name: self._types[name] for name in wanted}
        first = 0
        for kept, size in zip(self._kept, self._sizes, strict=True):
            table = pd.read_parquet(kept, columns=wanted) if isinstance(kept, Path) else kept[wanted]
            yield first, table.reset_index(drop=True).astype(types)
            first += size

    def columns(self, names: Sequence[str]) -> pd.DataFrame:
        """Some columns of all rows."""
        tables = [table for _, table in self.batches(names)]
        return tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True)
