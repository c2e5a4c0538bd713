"""Comparable rows: the training rows that are most like one that is predicted, what they cost, and what differs.

Rows are alike where the model makes the same of them: a difference in a feature counts as much as the feature moves
predictions, over all features together. Most of what a valuer calls an adjustment is in the `differs` of each.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from steps.columns import Columns, columns_of
from steps.features import Features

FILE, SETTINGS = "comparables.parquet", "comparables.json"
MOST_ROWS = 20_000  # that a model carries; of more training rows an even draw


@dataclass(frozen=True)
class Comparables:
    """The training rows that a model carries, as Parquet, and how much a difference in each feature counts.

    show: columns that name a row to a person. count: how many rows are found for each.
    """

    content: bytes
    weights: dict[str, float]
    show: tuple[str, ...]
    count: int

    def to_json(self) -> dict[str, Any]:
        """What the file of rows does not hold, as plain JSON."""
        return {"weights": self.weights, "show": list(self.show), "count": self.count}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], content: bytes) -> Comparables:
        """Build it from `to_json`'s document and the bytes of the file."""
        return cls(content, document["weights"], tuple(document["show"]), document["count"])

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The typed raw training rows: inputs, target and what is shown."""
        return pd.read_parquet(io.BytesIO(self.content))

    def of(self, columns: Columns, rows: int, features: Features) -> list[list[dict[str, Any]]]:
        """The nearest training rows of each of that many typed raw rows, given as columns; the nearest first.

        Each is the target's value by its name, the columns that are shown, and `differs`: input -> {"here", "there"},
        the value of the row and that of the comparable one, by what moves predictions most.
        """
        table, inputs = self._computed(features)
        new = self._filled(features.of_columns(columns, rows), features)
        weights = np.array([self.weights[name] for name in features.names])
        levels = np.array([name in features.levels for name in features.names])
        found = []
        for row in range(rows):
            moved = _distances(table, new[row], levels) * weights
            nearest = np.argsort((moved**2).sum(axis=1), kind="stable")[: self.count]
            here = {name: columns[name][row] for name in features.inputs}
            found.append([self._one(int(place), here, inputs, moved[place], features) for place in nearest])
        return found

    def _computed(self, features: Features) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The features of the carried rows, and their inputs; computed at the first use."""
        if not self._kept:
            self._kept.append(self._features_of(features))
        return self._kept[0]

    @cached_property
    def _kept(self) -> list[tuple[np.ndarray, dict[str, np.ndarray]]]:
        return []

    def _features_of(self, features: Features) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        types = {name: column.type for name, column in features.inputs.items()}
        inputs = columns_of(self.rows, features.inputs, types)
        return self._filled(features.of_columns(inputs, len(self.rows)), features), inputs

    def _filled(self, values: np.ndarray, features: Features) -> np.ndarray:
        medians = np.array([features.fill.get(name, 0.0) for name in features.names])
        return np.where(np.isnan(values), medians, values)

    def _one(
        self,
        place: int,
        here: Mapping[str, Any],
        inputs: Mapping[str, np.ndarray],
        moved: np.ndarray,
        features: Features,
    ) -> dict[str, Any]:
        effect = dict(zip(features.names, np.abs(moved).tolist(), strict=True))
        differs = [name for name in features.inputs if not _same(here[name], inputs[name][place])]
        differs.sort(key=lambda name: -effect.get(name, 0.0))
        types = {name: column.type for name, column in features.inputs.items()}
        return {
            features.target: plain(self.rows[features.target].iloc[place], ""),
            **{name: plain(self.rows[name].iloc[place], "") for name in self.show},
            "differs": {
                name: {"here": plain(here[name], types[name]), "there": plain(inputs[name][place], types[name])}
                for name in differs
            },
        }


def carried(rows: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The columns `names` of as many of the training rows as a model carries."""
    places = np.linspace(0, len(rows) - 1, min(len(rows), MOST_ROWS)).astype(int)
    return rows.iloc[places][list(dict.fromkeys(names))].reset_index(drop=True)


def _distances(table: np.ndarray, row: np.ndarray, levels: np.ndarray) -> np.ndarray:
    differences: np.ndarray = table - row
    differences[:, levels] = differences[:, levels] != 0
    return differences


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or (bool(pd.isna(one)) and bool(pd.isna(other)))


def plain(value: Any, type_: str) -> Any:
    """A value as JSON has it."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, np.datetime64):
        return str(value.astype("datetime64[D]"))
    if type_ == "boolean" or isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, str):
        return value
    number = float(value)
    return int(number) if type_ == "integer" or isinstance(value, int | np.integer) else number
