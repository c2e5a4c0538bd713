"""The features, computed alike in preprocessing, evaluation and serving; `steps.fitting` learns them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from steps.batches import by_batch
from steps.column_settings import Column, column_of
from steps.columns import Columns, columns_of
from steps.derived import Derived
from steps.failure import JobError
from steps.known_values import Familiarity, KnownValues
from steps.learned import Learned
from steps.learned import from_json as learned_from_json
from steps.learned import to_json as learned_to_json

UNKNOWN_LEVEL = -1.0


@dataclass(frozen=True, kw_only=True)
class Features:
    """What turns raw rows into features; all that was learned, was learned from training rows.

    names: the features in the model's order. inputs: the raw columns that they are computed from.
    levels: category -> its levels, sorted; a level's code is its place, unknown, rare and missing is -1.
    fill: numeric feature -> its median, which stands in for missing values.
    gaps: the numeric features that are missing in many training rows, and stay missing: the trees learn where such
        rows belong, and the line has an indicator. What was hardly ever missing has its median instead, for nobody
        has learned what its absence means.
    target_range: smallest and largest target; predictions stay within.
    learned: the features that say what training rows like a new one were worth, see `steps.learned`.
    known: what values the training rows had. others: columns of the data that a request may hold and no feature is
    computed from, such as an id.
    signs: feature -> 1 or -1, in which direction of it no prediction falls, see `steps.monotone`.
    """

    names: tuple[str, ...]
    inputs: dict[str, Column]
    derived: dict[str, str]
    levels: dict[str, tuple[str, ...]]
    fill: dict[str, float]
    target: str
    target_unit: str
    target_scale: Literal["log", "linear"]
    target_range: tuple[float, float]
    learned: dict[str, Learned] = field(default_factory=dict)
    known: KnownValues = field(default_factory=KnownValues)
    others: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    signs: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` gives the features back. Places and values of neighbours are not copied."""
        return {**asdict(replace(self, learned={})), "learned": learned_to_json(self.learned)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Features:
        """Build the features from `to_json`'s document."""
        inputs = {name: column_of(column) for name, column in document["inputs"].items()}
        levels = {name: tuple(known) for name, known in document["levels"].items()}
        low, high = document["target_range"]
        plain = {
            "names": tuple(document["names"]),
            "inputs": inputs,
            "levels": levels,
            "target_range": (low, high),
            "learned": learned_from_json(document.get("learned", {})),
            "known": KnownValues.from_json(document.get("known", {})),
            "others": tuple(document.get("others", ())),
            "gaps": tuple(document.get("gaps", ())),
        }
        return cls(**{**document, **plain})

    def scaled(self, target: np.ndarray) -> np.ndarray:
        """Targets on the scale that the models are trained on."""
        return np.log(target) if self.target_scale == "log" else np.asarray(target, dtype=float)

    def unscaled(self, prediction: np.ndarray) -> np.ndarray:
        """Predictions in the target's unit, held within the range of the training targets.

        Without the limits a linear model of the logarithm can explode far from the data. NaN stays NaN.
        """
        held = self.held(prediction)
        return np.clip(np.exp(held), *self.target_range) if self.target_scale == "log" else held

    def held(self, prediction: np.ndarray) -> np.ndarray:
        """Predictions on the training scale, held within the range of the training targets."""
        held: np.ndarray = np.clip(np.asarray(prediction, dtype=float), *self._scaled_range)
        return held

    @cached_property
    def _scaled_range(self) -> np.ndarray:
        return self.scaled(np.asarray(self.target_range, dtype=float))

    @cached_property
    def _derived(self) -> Derived:
        return Derived(self.derived, {name: column.type for name, column in self.inputs.items()})

    @cached_property
    def familiarity(self) -> Familiarity:
        """What says of a request's rows how they differ from the training rows."""
        return Familiarity(self.inputs, self.known, self.levels)

    @cached_property
    def _codes(self) -> dict[str, dict[str, float]]:
        return {name: {level: float(code) for code, level in enumerate(known)} for name, known in self.levels.items()}

    def of_columns(self, columns: Columns, rows: int) -> np.ndarray:
        """Compute the features of that many typed raw rows: floats of shape (rows, names), NaN in `gaps` only.

        `columns` are the inputs. Expressions and levels are compiled at the first call. Each feature lies in one
        piece of memory.
        """
        complete = {**columns, **self._derived.of(columns, rows)}
        complete |= {name: each.of_rows(complete) for name, each in self.learned.items() if name in self.names}
        return self.table(complete, rows)

    def table(self, complete: Columns, rows: int) -> np.ndarray:
        """The features in their order, from the inputs, derived and learned ones: levels as codes, gaps as said."""
        result = np.empty((len(self.names), rows))
        for place, name in enumerate(self.names):
            if name in self._codes:
                code = self._codes[name].get
                result[place] = [code(level, UNKNOWN_LEVEL) for level in complete[name]]
            else:
                values = complete[name]
                np.copyto(result[place], values)
                if name not in self.gaps:
                    np.copyto(result[place], self.fill[name], where=np.isnan(values))
        return result.T


def load(path: Path) -> Features:
    """Read features.json. Raises JobError when it is missing."""
    try:
        return Features.from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise JobError(f"The fitted features {path} do not exist: run steps.preprocess first.") from error


def transform(rows: pd.DataFrame, features: Features) -> pd.DataFrame:
    """Compute the features of typed raw rows: one float column per name, same index, NaN in `gaps` only."""
    types = {name: column.type for name, column in features.inputs.items()}

    def values(batch: slice) -> np.ndarray:
        some = rows.iloc[batch]
        return features.of_columns(columns_of(some, features.inputs, types), len(some))

    return pd.DataFrame(by_batch(values, len(rows)), columns=list(features.names), index=rows.index)
