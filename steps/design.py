"""The design matrix of the line: what its coefficients belong to, for some rows at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Design:
    """Numbers without gaps, indicators of the gaps, one-hot levels.

    names: the features in their order. fill: by feature that may be missing what stands in for it. levels: of the
    categories, behind their codes.
    """

    names: Sequence[str]
    fill: Mapping[str, float]
    levels: Mapping[str, Sequence[str]]

    @cached_property
    def numeric(self) -> list[str]:
        """The features that are numbers."""
        return [name for name in self.names if name not in self.levels]

    @cached_property
    def columns(self) -> int:
        """How many coefficients there are."""
        return len(self.numeric) + len(self.fill) + sum(map(len, self.levels.values()))

    def block(self, values: np.ndarray, target: np.ndarray) -> np.ndarray:
        """1, the target and the columns of rows (2 + columns, rows), whose features are `values` (features, rows)."""
        numeric, result = self.numeric, np.empty((2 + self.columns, len(target)))
        result[0], result[1] = 1, target
        numbers, gaps, levels = np.split(result[2:], [len(numeric), len(numeric) + len(self.fill)])
        numbers[:] = values[[self.names.index(name) for name in numeric]]
        for row, (name, value) in zip(gaps, self.fill.items(), strict=True):
            known = numbers[numeric.index(name)]
            row[:] = np.isnan(known)
            known[np.isnan(known)] = value
        start = 0
        for name, known in self.levels.items():
            end = start + len(known)
            levels[start:end] = values[self.names.index(name)] == np.arange(len(known))[:, None]
            start = end
        return result
