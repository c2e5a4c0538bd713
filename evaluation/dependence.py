"""Partial dependence: the mean prediction when one feature alone is set to each of several values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from steps.model import Model


@dataclass(frozen=True)
class Dependence:
    """values: of the feature, rising. predictions: the mean prediction at each, in the target's unit.

    distribution: the share of the rows that lie nearest to each value.
    """

    feature: str
    values: np.ndarray
    predictions: np.ndarray
    distribution: np.ndarray


def partial_dependence(
    model: Model, table: pd.DataFrame, candidate: str, names: Sequence[str], points: int = 12
) -> list[Dependence]:
    """Return the dependence on each numeric feature of `names`.

    `table` holds features. The values are quantiles from 2 to 98 %, so that none lies where there is no data.
    Source: Friedman, Greedy function approximation, Annals of Statistics 2001, section 8.2.
    """
    found = []
    for name in names:
        column = table[name].to_numpy(dtype=float)
        known = column[np.isfinite(column)]
        if not len(known):
            continue
        values = np.unique(np.quantile(known, np.linspace(0.02, 0.98, points)))
        grid = pd.concat([table.assign(**{name: value}) for value in values], ignore_index=True)
        predicted = model.predict_features(grid, candidate).reshape(len(values), len(table))
        nearest = np.abs(known[:, None] - values[None, :]).argmin(axis=1)
        shares = np.bincount(nearest, minlength=len(values)) / len(known)
        found.append(Dependence(name, values, predicted.mean(axis=1), shares))
    return found
