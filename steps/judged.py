"""Rows that have been judged each for itself: what is known of them is the same whatever other rows there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from steps import batches
from steps.column_settings import Column


@dataclass(frozen=True)
class Judged:
    """Some rows of a data set, in their order; they are given by their places here, from 0.

    files: how many of them each file has, by its name. table: typed, with what the expectations derive of each row.
    unexpected: the rows that fail each of the expectations of single rows. broken: why a row is.
    unreadable: by column the cells that cannot be read, as they are written.
    """

    files: Mapping[str, int]
    table: pd.DataFrame
    unexpected: Sequence[np.ndarray]
    broken: Mapping[int, str]
    unreadable: Mapping[str, Mapping[int, str]]

    def of_file(self, name: str, columns: Mapping[str, Column]) -> Judged:
        """The rows of one of the files, as they would be without the others."""
        names = list(self.files)
        begin = sum(self.files[each] for each in names[: names.index(name)])
        return self._between(begin, begin + self.files[name], {name: self.files[name]}).alone(columns)

    def alone(self, columns: Mapping[str, Column]) -> Judged:
        """The rows as they would be without any others: integers, where none is missing."""
        whole = [
            name for name, column in columns.items() if column.type == "integer" and not self.table[name].isna().any()
        ]
        return replace(self, table=self.table.astype(dict.fromkeys(whole, "int64")))

    def in_batches(self) -> Iterator[Judged]:
        """The same rows, two batches at a time; those of several files are never more."""
        every = list(batches.slices(len(self.table), 2 * batches.ROWS))
        for batch in every:
            rows = batch.stop - batch.start
            files = self.files if len(every) == 1 else dict.fromkeys(self.files, rows)
            yield self._between(batch.start, batch.stop, files)

    def _between(self, begin: int, end: int, files: Mapping[str, int]) -> Judged:
        unreadable = {name: inside(cells, begin, end) for name, cells in self.unreadable.items()}
        return Judged(
            files,
            self.table.iloc[begin:end].reset_index(drop=True),
            [rows[(rows >= begin) & (rows < end)] - begin for rows in self.unexpected],
            inside(self.broken, begin, end),
            {name: cells for name, cells in unreadable.items() if cells},
        )


def inside(cells: Mapping[int, str], begin: int, end: int) -> dict[int, str]:
    """What is said of the rows from one place up to another one, whose places count from there."""
    return {row - begin: text for row, text in cells.items() if begin <= row < end}


def joined(pieces: Sequence[Judged]) -> Judged:
    """The rows of all pieces, one after the other; a file may be in several pieces."""
    if len(pieces) == 1:
        return pieces[0]
    files, broken, unreadable = dict[str, int](), dict[int, str](), dict[str, dict[int, str]]()
    unexpected: list[list[np.ndarray]] = [[] for _ in pieces[0].unexpected]
    first = 0
    for piece in pieces:
        for name, rows in piece.files.items():
            files[name] = files.get(name, 0) + rows
        broken |= {first + row: reason for row, reason in piece.broken.items()}
        for name, cells in piece.unreadable.items():
            unreadable.setdefault(name, {}).update({first + row: text for row, text in cells.items()})
        for found, rows_of_piece in zip(unexpected, piece.unexpected, strict=True):
            found.append(rows_of_piece + first)
        first += len(piece.table)
    table = pd.concat([piece.table for piece in pieces], ignore_index=True)
    return Judged(files, table, [np.concatenate(found) for found in unexpected], broken, unreadable)
