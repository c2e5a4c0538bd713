"""How much a difference in each feature counts, when training rows are compared with one that is predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from steps.features import Features
from steps.shard import Shard
from steps.stored_table import Table

EXPLAINED = 100  # training rows by which it is measured how much each feature moves predictions


@dataclass(frozen=True)
class Likeness:
    """explained: an even draw of the training rows, features only. spreads: the mean absolute deviation by feature."""

    explained: pd.DataFrame
    spreads: dict[str, float]

    @classmethod
    def of(cls, table: Table, features: Features, shard: Shard) -> Likeness:
        """From this host's share of the features of the training rows; the same on every host."""
        wanted = np.linspace(0, shard.total - 1, min(shard.total, EXPLAINED)).astype(int)
        chosen = np.zeros((len(wanted), len(features.names)))
        first = 0  # the place in the table of the first row of a run
        for start, end in shard.runs:
            inside = (wanted >= start) & (wanted < end)
            chosen[inside] = table.iloc[wanted[inside] - start + first].to_numpy()
            first += end - start
        explained = pd.DataFrame(shard.hosts.total(chosen), columns=list(features.names))
        return cls(explained, {name: _spread(name, table, features, shard) for name in features.names})

    def weights(self, moved: np.ndarray) -> dict[str, float]:
        """How much a difference of 1 in each feature counts: what it moves predictions by, over its own spread.

        `moved` is what each feature adds to the predictions of `explained`: Shapley values (rows, features). What a
        feature moves is their mean absolute value.
        """
        effects = np.abs(moved).mean(axis=0).tolist()
        pairs = zip(self.spreads.items(), effects, strict=True)
        return {name: effect / spread if spread > 0 else 0.0 for (name, spread), effect in pairs}


def _spread(name: str, table: Table, features: Features, shard: Shard) -> float:
    """The mean absolute deviation of the known values; of a category any difference counts as 1."""
    if name in features.levels:
        return 1.0
    values = table[name].to_numpy()
    known = values[~np.isnan(values)]
    count = shard.hosts.total(float(len(known)))
    if not count:
        return 0.0
    mean = shard.hosts.total(float(known.sum())) / count
    return shard.hosts.total(float(np.abs(known - mean).sum())) / count
