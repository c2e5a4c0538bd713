"""Learn the features from training rows: levels, medians, what rows were worth, and the target's range."""

from __future__ import annotations

import numpy as np
import pandas as pd

from steps.columns import Columns, columns_of
from steps.data_settings import DataSettings
from steps.derived import Derived
from steps.failure import JobError
from steps.features import Features
from steps.known_values import KnownValues
from steps.learned import KINDS, Learned
from steps.split import hash_position

# A feature that is missing in at least so many training rows stays missing, see `Features.gaps`.
ENOUGH_GAPS = 20
RARE = 5  # a level of fewer training rows is an unseen one for the models: nobody can learn what it is worth
FOLD_SEED = -1  # the folds of learned features do not follow any split


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
    columns = columns_of(rows, inputs, data.types)
    complete = {**columns, **Derived(data.derived, data.types).of(columns, len(rows))}
    learned, own = _learn(rows, complete, data)
    complete |= own
    numeric = {name: complete[name] for name in data.features if name not in categories}
    for name, values in numeric.items():
        if np.isnan(values).all():
            raise JobError(f"The feature {name} has no value in any training row: remove it from the YAML.")
    features = Features(
        names=data.features,
        inputs=inputs,
        derived=data.derived,
        levels={name: _levels(rows[name]) for name in categories},
        fill={name: float(np.nanmedian(values)) for name, values in numeric.items()},
        target=data.target,
        target_unit=data.columns[data.target].unit,
        target_scale=data.target_scale,
        target_range=(float(target.min()), float(target.max())),
        learned=learned,
        known=KnownValues.learn(columns, inputs),
        others=tuple(name for name in data.columns if name not in inputs),
        signs=data.signs(),
        gaps=tuple(name for name, values in numeric.items() if np.isnan(values).sum() >= ENOUGH_GAPS),
    )
    return features, pd.DataFrame(features.table(complete, len(rows)), columns=list(features.names), index=rows.index)


def _levels(values: pd.Series) -> tuple[str, ...]:
    """The levels that are not rare, sorted."""
    counts = values.value_counts()
    return tuple(sorted(counts.index[counts >= RARE]))


def _learn(
    rows: pd.DataFrame, complete: Columns, data: DataSettings
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
    expressions = {**data.derived, name: expression}
    return Derived(expressions, data.types).of(columns_of(rows, data.columns, data.types), len(rows))[name]
