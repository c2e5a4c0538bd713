"""Learn the features from training rows: levels, medians, what rows were worth, and the target's range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from steps.batches import ROWS, batches, by_batch
from steps.column_settings import Column
from steps.columns import Columns, ColumnsOf, array_of, columns_of
from steps.columns import rows_of as column_rows
from steps.data_settings import DataSettings
from steps.derived import Derived, made_of
from steps.expressions import names
from steps.failure import JobError
from steps.features import Features
from steps.hosts import ALONE, Hosts
from steps.known_values import KnownValues
from steps.learned import KINDS, Learned, WithoutOwn
from steps.split import hash_position

# A feature that is missing in at least so many training rows stays missing, see `Features.gaps`.
ENOUGH_GAPS = 20
RARE = 5  # a level of fewer training rows is an unseen one for the models: nobody can learn what it is worth
MOST_ROWS = ROWS  # from which medians and neighbours are learned: those with the lowest hashes
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
    return learn(rows, data)[0]


def fit_transform(rows: pd.DataFrame, data: DataSettings) -> tuple[Features, pd.DataFrame]:
    """Fit, and return the training rows' own features too, as `transform` does for all other rows.

    They differ in the learned features only: a training row's are learned without its group. Raises as `fit`.
    """
    features, own = learn(rows, data)
    return features, training_table(rows, own, features)


def training_table(rows: pd.DataFrame, own: Columns, features: Features) -> pd.DataFrame:
    """The features of training rows, whose learned features are their `own`, see `learn`."""
    complete = {**_complete(rows, features.inputs, features.derived), **own}
    return pd.DataFrame(features.table(complete, len(rows)), columns=list(features.names), index=rows.index)


def learn(rows: pd.DataFrame, data: DataSettings, hosts: Hosts = ALONE) -> tuple[Features, dict[str, np.ndarray]]:
    """Fit, and return the training rows' own learned features too, by name. Raises as `fit`.

    All that is counted, added up or compared is so over all rows. What must be sorted or searched, medians and
    neighbours, is learned from at most MOST_ROWS of them. Of several hosts, each of which has all rows, the first
    fits; those that share rows look up their own features.
    """
    check_target(rows, data)
    groups = hash_position(rows, data.split_keys, FOLD_SEED)
    sampled = _lowest(groups, MOST_ROWS)
    learned, without_own = hosts.shared(_learn(rows, groups, sampled, data) if hosts.is_first else None)
    share = hosts.share(len(rows), hosts.but_last)
    here = slice(share.start, share.stop)
    own: dict[str, np.ndarray] = {}
    for name, others in without_own.items():
        columns = {each: _column(rows.iloc[here], each, data) for each in learned[name].of}
        own[name] = hosts.gathered(others.of_rows(columns, groups[here]))
    features: Features = hosts.shared(_features(rows, data, learned, own, sampled) if hosts.is_first else None)
    return features, own


def _features(
    rows: pd.DataFrame, data: DataSettings, learned: dict[str, Learned], own: Columns, sampled: np.ndarray
) -> Features:
    """All that is known of the features once the training rows' `own` learned ones are."""
    target = rows[data.target].to_numpy(dtype=float)
    inputs = data.inputs
    categories = [name for name in data.features if name in inputs and inputs[name].type == "category"]
    numeric = [name for name in data.features if name not in categories]
    gaps = _gaps(rows, own, numeric, data)
    for name, missing in gaps.items():
        if missing == len(rows):
            raise JobError(f"The feature {name} has no value in any training row: remove it from the YAML.")
    some = {**_complete(rows.iloc[sampled], inputs, data.derived), **column_rows(own, sampled)}
    return Features(
        names=data.features,
        inputs=inputs,
        derived=data.derived,
        levels={name: _levels(rows[name]) for name in categories},
        fill={name: _median(some[name]) for name in numeric},
        target=data.target,
        target_unit=data.columns[data.target].unit,
        target_scale=data.target_scale,
        target_range=(float(target.min()), float(target.max())),
        learned=learned,
        known=KnownValues.learn(ColumnsOf(rows, data.types), inputs),
        others=tuple(name for name in data.columns if name not in inputs),
        signs=data.signs(),
        gaps=tuple(name for name, missing in gaps.items() if missing >= ENOUGH_GAPS),
    )


def _complete(
    rows: pd.DataFrame, inputs: Mapping[str, Column], expressions: Mapping[str, str]
) -> dict[str, np.ndarray]:
    """The inputs and the derived features of some rows."""
    types = {name: column.type for name, column in inputs.items()}
    columns = columns_of(rows, inputs, types)
    return {**columns, **Derived(expressions, types).of(columns, len(rows))}


def _lowest(numbers: np.ndarray, count: int) -> np.ndarray:
    """The places of the rows with the lowest numbers, in the order of the rows: so many, or all.

    The numbers are hashes of what the rows are of, and those with the last number that counts count all: so the same
    rows are chosen in whatever order they come.
    """
    if len(numbers) <= count:
        return np.arange(len(numbers))
    return np.flatnonzero(numbers <= np.partition(numbers, count - 1)[count - 1])


def _gaps(rows: pd.DataFrame, own: Columns, numeric: Sequence[str], data: DataSettings) -> dict[str, int]:
    """In how many rows each of the numeric features is missing."""
    found = dict.fromkeys(numeric, 0)
    for batch in batches(len(rows)):
        complete = {**_complete(rows.iloc[batch], data.inputs, data.derived), **column_rows(own, batch)}
        for name in numeric:
            found[name] += int(np.isnan(complete[name]).sum())
    return found


def _median(values: np.ndarray) -> float:
    """The median of what is known; 0 where the rows that were looked at know nothing."""
    return float(np.nanmedian(values)) if not np.isnan(values).all() else 0.0


def _levels(values: pd.Series) -> tuple[str, ...]:
    """The levels that are not rare, sorted."""
    counts = values.value_counts()
    return tuple(sorted(counts.index[counts >= RARE]))


def _learn(
    rows: pd.DataFrame, groups: np.ndarray, sampled: np.ndarray, data: DataSettings
) -> tuple[dict[str, Learned], dict[str, WithoutOwn]]:
    """Return what new rows get their learned features from, and what the training rows themselves do."""
    learned: dict[str, Learned] = {}
    without_own: dict[str, WithoutOwn] = {}
    for name, spec in data.learned.items():
        columns = {each: _column(rows, each, data) for each in spec.of}
        value = _values(rows, spec.value, data)
        learned[name], without_own[name] = KINDS[spec.kind].of_training_rows(columns, value, spec, groups, sampled)
    return learned, without_own


def _column(rows: pd.DataFrame, name: str, data: DataSettings) -> np.ndarray:
    """An input, or a derived feature."""
    if name in data.inputs:
        return array_of(rows[name], data.types[name])
    return by_batch(lambda batch: _complete(rows.iloc[batch], data.inputs, data.derived)[name], len(rows))


def _values(rows: pd.DataFrame, expression: str, data: DataSettings) -> np.ndarray:
    return by_batch(lambda batch: _value(rows.iloc[batch], expression, data), len(rows))


def _value(rows: pd.DataFrame, expression: str, data: DataSettings) -> np.ndarray:
    """What a learned feature is the mean of: one number per training row, NaN where there is none."""
    if not expression:
        target = rows[data.target].to_numpy(dtype=float)
        return np.log(target) if data.target_scale == "log" else target
    name = "value of a learned feature"  # no column can have that name, no expression can hold it
    expressions = {**made_of(expression, data.derived), name: expression}
    needed = set[str]().union(*map(names, expressions.values())) & set(data.columns)
    return Derived(expressions, data.types).of(columns_of(rows, needed, data.types), len(rows))[name]
