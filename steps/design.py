"""The design matrix of the line: what its coefficients belong to, batch by batch, so that it is never there as a whole.

Each class is read as often as it is asked, and is one host's share of the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from steps.batches import batches
from steps.stored_table import Table

AT_ONCE = 1 << 16  # rows of a batch: each has a number for every level of every category
Batch = tuple[np.ndarray, np.ndarray]  # of rows: a matrix (rows, columns), and the target (rows,)


@dataclass(frozen=True)
class LineRows:
    """Features and target of the chosen rows, batch by batch."""

    features: Table
    target: np.ndarray
    chosen: np.ndarray | None

    def __iter__(self) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
        for batch in batches(len(self.target), AT_ONCE):
            table, target = self.features.iloc[batch], self.target[batch]
            yield (table, target) if self.chosen is None else (table[self.chosen[batch]], target[self.chosen[batch]])


@dataclass(frozen=True)
class Design:
    """The columns that coefficients belong to: numbers without gaps, indicators of the gaps, one-hot levels."""

    rows: LineRows
    numeric: list[str]
    fill: dict[str, float]
    levels: Mapping[str, Sequence[str]]

    def __iter__(self) -> Iterator[Batch]:
        for table, target in self.rows:
            blocks = [table[self.numeric].fillna(self.fill).to_numpy(), table[list(self.fill)].isna().to_numpy(float)]
            blocks += [_one_hot(table[name].to_numpy(), len(known)) for name, known in self.levels.items()]
            yield np.hstack(blocks), target


@dataclass(frozen=True)
class Standardised:
    """The same with a mean of 0 and a spread of 1, and the target around its mean."""

    design: Design
    mean: np.ndarray
    scale: np.ndarray
    middle: float

    def __iter__(self) -> Iterator[Batch]:
        for matrix, target in self.design:
            yield (matrix - self.mean) / self.scale, target - self.middle


def _one_hot(codes: np.ndarray, count: int) -> np.ndarray:
    indicators: np.ndarray = (codes[:, None] == np.arange(count)).astype(float)
    return indicators
