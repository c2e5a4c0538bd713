"""The features: fitted on training rows, then computed alike in preprocessing, evaluation and serving."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from steps.derived import with_derived
from steps.failure import JobError
from steps.settings import Column, DataSettings

UNKNOWN_LEVEL = -1.0


@dataclass(frozen=True, kw_only=True)
class Features:
    """What turns raw rows into features; all that was learned, was learned from training rows.

    names: the features in the model's order. inputs: the raw columns that they are computed from.
    levels: category -> its levels, sorted; a level's code is its place, unknown and missing is -1.
    fill: numeric feature -> its median, which stands in for missing values.
    target_range: smallest and largest target; predictions stay within.
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

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` gives the features back."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Features:
        """Build the features from `to_json`'s document."""
        inputs = {name: Column(**column) for name, column in document["inputs"].items()}
        levels = {name: tuple(known) for name, known in document["levels"].items()}
        low, high = document["target_range"]
        plain = {
            "names": tuple(document["names"]),
            "inputs": inputs,
            "levels": levels,
            "target_range": (low, high),
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
        low, high = self.scaled(np.asarray(self.target_range, dtype=float))
        return np.clip(np.asarray(prediction, dtype=float), low, high)


def load(path: Path) -> Features:
    """Read features.json. Raises JobError when it is missing."""
    try:
        return Features.from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise JobError(f"The fitted features {path} do not exist: run steps.preprocess first.") from error


def fit(rows: pd.DataFrame, data: DataSettings) -> Features:
    """Learn levels, medians and the target's range from training rows.

    Raises JobError when the log scale is asked for a target that is not positive, and when a feature
    has no value in any row.
    """
    target = rows[data.target].to_numpy(dtype=float)
    if data.target_scale == "log" and target.min() <= 0:
        raise JobError(
            f"The target {data.target} has values down to {target.min():g}, which have no logarithm: "
            "set data.target_scale to linear in the YAML."
        )
    inputs = data.inputs
    categories = [name for name in data.features if name in inputs and inputs[name].type == "category"]
    levels = {name: tuple(sorted(rows[name].dropna().unique())) for name in categories}
    complete = with_derived(rows[list(inputs)], data.derived, data.types)
    numeric = [name for name in data.features if name not in categories]
    for name in numeric:
        if complete[name].isna().all():
            raise JobError(f"The feature {name} has no value in any training row: remove it from the YAML.")
    fill = {name: float(complete[name].median()) for name in numeric}
    return Features(
        names=data.features,
        inputs=inputs,
        derived=data.derived,
        levels=levels,
        fill=fill,
        target=data.target,
        target_unit=data.columns[data.target].unit,
        target_scale=data.target_scale,
        target_range=(float(target.min()), float(target.max())),
    )


def transform(rows: pd.DataFrame, features: Features) -> pd.DataFrame:
    """Compute the features of typed raw rows: one float column per name, nothing missing, same index."""
    types = {name: column.type for name, column in features.inputs.items()}
    complete = with_derived(rows[list(features.inputs)], features.derived, types)
    columns = {}
    for name in features.names:
        if name in features.levels:
            codes = {level: float(code) for code, level in enumerate(features.levels[name])}
            columns[name] = complete[name].map(codes).astype("float64").fillna(UNKNOWN_LEVEL)
        else:
            columns[name] = complete[name].astype("float64").fillna(features.fill[name])
    return pd.DataFrame(columns, index=rows.index)
