"""Rows with what the model said of them and what they were worth in the end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Sample:
    """Typed raw rows, actual and predicted targets in its unit, and the bounds of the interval; all of one length."""

    rows: pd.DataFrame
    actual: np.ndarray
    predicted: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def __len__(self) -> int:
        return len(self.actual)

    @cached_property
    def ratios(self) -> np.ndarray:
        """log(predicted / actual) of each row; NaN where there is no such ratio."""
        positive = (self.actual > 0) & (self.predicted > 0)
        logarithms: np.ndarray = np.full(len(self), np.nan)
        logarithms[positive] = np.log(self.predicted[positive] / self.actual[positive])
        return logarithms

    @property
    def known_ratios(self) -> np.ndarray:
        """The ratios without those that are not defined."""
        known: np.ndarray = self.ratios[np.isfinite(self.ratios)]
        return known

    @cached_property
    def errors(self) -> np.ndarray:
        """|predicted - actual| / |actual|; NaN where the actual value is 0."""
        nothing = np.full(len(self), np.nan)
        relative: np.ndarray = np.divide(
            np.abs(self.predicted - self.actual), np.abs(self.actual), nothing, where=self.actual != 0
        )
        return relative

    @cached_property
    def inside(self) -> np.ndarray:
        """Whether the actual value lies in the interval, bounds included, of the rows that have one."""
        known = np.isfinite(self.lower) & np.isfinite(self.upper)
        covered: np.ndarray = ((self.actual >= self.lower) & (self.actual <= self.upper))[known]
        return covered

    def take(self, chosen: np.ndarray) -> Sample:
        """The rows of a mask or of places."""
        rows = self.rows[chosen] if chosen.dtype == bool else self.rows.iloc[chosen]
        return Sample(
            rows.reset_index(drop=True),
            self.actual[chosen],
            self.predicted[chosen],
            self.lower[chosen],
            self.upper[chosen],
        )
