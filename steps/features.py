"""The features: fitted on training rows, then computed alike in preprocessing, evaluation and serving."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from steps.derived import with_derived
from steps.failure import JobError
from steps.learned import KINDS, Learned
from steps.learned import from_json as learned_from_json
from steps.settings import Column, DataSettings, column_of
from steps.split import hash_position

UNKNOWN_LEVEL = -1.0
FOLD_SEED = -1  # the folds of learned features do not follow any split


@dataclass(frozen=True, kw_only=True)
class Features:
    """What turns raw rows into features; all that was learned, was learned from training rows.

    names: the features in the model's order. inputs: the raw columns that they are computed from.
    levels: category -> its levels, sorted; a level's code is its place, unknown and missing is -1.
    fill: numeric feature -> its median, which stands in for missing values.
    target_range: smallest and largest target; predictions stay within.
    learned: the features that say what training rows like a new one were worth, see `steps.learned`.
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

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` gives the features back."""
        return asdict(self)

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
        held: np.ndarray = np.clip(np.asarray(prediction, dtype=float), low, high)
        return held


def load(path: Path) -> Features:
    """Read features.json. Raises JobError when it is missing."""
    try:
        return Features.from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise JobError(f"The fitted features {path} do not exist: run steps.preprocess first.") from error


def check_target(rows: pd.DataFrame, data: DataSettings) -> None:
    """Raise JobError when the log scale is asked for a target that is not positive in every row."""
    target = rows[data.target].to_numpy(dtype=float)
    if data.target_scale == "log" and target.min() <= 0:
        wrong = int(np.count_nonzero(target <= 0))
        raise JobError(
            f"The target {data.target} has values down to {target.min():g} ({wrong:,} of {len(rows):,} rows are not "
            "above 0), which have no logarithm: set data.target_scale to linear in the YAML, or give the column "
            "a range that rejects these rows."
        )


def fit(rows: pd.DataFrame, data: DataSettings) -> Features:
    """Learn levels, medians, learned features and the target's range from training rows.

    Raises JobError when the log scale is asked for a target that is not positive, and when a feature
    has no value in any row.
    """
    return fit_transform(rows, data)[0]


def fit_transform(rows: pd.DataFrame, data: DataSettings) -> tuple[Features, pd.DataFrame]:
    """Fit, and return the training rows' own features too, as `transform` does for all other rows.

    They differ in the learned features only: a training row's are learned without its group. Raises as `fit`.
    """
    check_target(rows, data)
    target = rows[data.target].to_numpy(dtype=float)
    inputs = data.inputs
    categories = [name for name in data.features if name in inputs and inputs[name].type == "category"]
    complete = with_derived(rows[list(inputs)], data.derived, data.types)
    learned, own = _learn(rows, complete, data)
    complete = complete.assign(**own)
    numeric = [name for name in data.features if name not in categories]
    for name in numeric:
        if complete[name].isna().all():
            raise JobError(f"The feature {name} has no value in any training row: remove it from the YAML.")
    features = Features(
        names=data.features,
        inputs=inputs,
        derived=data.derived,
        levels={name: tuple(sorted(rows[name].dropna().unique())) for name in categories},
        fill={name: float(complete[name].median()) for name in numeric},
        target=data.target,
        target_unit=data.columns[data.target].unit,
        target_scale=data.target_scale,
        target_range=(float(target.min()), float(target.max())),
        learned=learned,
    )
    return features, _table(complete, features)


def _learn(
    rows: pd.DataFrame, complete: pd.DataFrame, data: DataSettings
) -> tuple[dict[str, Learned], dict[str, np.ndarray]]:
    """Return what new rows get their learned features from, and those of the training rows themselves."""
    learned: dict[str, Learned] = {}
    own: dict[str, np.ndarray] = {}
    groups = hash_position(rows, data.split_keys, FOLD_SEED)
    for name, spec in data.learned.items():
        value = _value(rows, spec.value, data)
        kind = KINDS[spec.kind]
        learned[name] = kind.learn(complete, value, spec)
        own[name] = kind.without_own_group(complete, value, spec, groups)
    return learned, own


def _value(rows: pd.DataFrame, expression: str, data: DataSettings) -> np.ndarray:
    """What a learned feature is the mean of: one number per training row, NaN where there is none."""
    if not expression:
        target = rows[data.target].to_numpy(dtype=float)
        return np.log(target) if data.target_scale == "log" else target
    name = "value of a learned feature"  # no column can have that name, no expression can hold it
    table = with_derived(rows, {**data.derived, name: expression}, data.types)
    return table[name].to_numpy(dtype=float)


def transform(rows: pd.DataFrame, features: Features) -> pd.DataFrame:
    """Compute the features of typed raw rows: one float column per name, nothing missing, same index."""
    types = {name: column.type for name, column in features.inputs.items()}
    complete = with_derived(rows[list(features.inputs)], features.derived, types)
    learned = {name: feature.of_rows(complete) for name, feature in features.learned.items() if name in features.names}
    return _table(complete.assign(**learned), features)


def _table(complete: pd.DataFrame, features: Features) -> pd.DataFrame:
    """The features in their order: levels as codes, what is missing filled."""
    columns = {}
    for name in features.names:
        if name in features.levels:
            codes = {level: float(code) for code, level in enumerate(features.levels[name])}
            columns[name] = complete[name].map(codes).astype("float64").fillna(UNKNOWN_LEVEL)
        else:
            columns[name] = complete[name].astype("float64").fillna(features.fill[name])
    return pd.DataFrame(columns, index=complete.index)
