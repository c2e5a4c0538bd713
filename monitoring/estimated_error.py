"""What the error would be, estimated before the prices are known: from what the model erred on houses like these.

Both estimates assume that houses of a kind are judged as well as at registration: they see other houses, and no market
that moved. So they are published beside the actual error, when that is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.bootstrap import SEED, confidence_interval, resamples
from monitoring.sample import Sample
from steps.boosting import xgboost

PARAMETERS = {
    "objective": "reg:squarederror",
    "tree_method": "hist",
    "max_depth": 3,
    "learning_rate": 0.1,
    "min_child_weight": 20,
    "nthread": 1,  # sums over threads are rounded differently by their number
    "seed": SEED,
}
ROUNDS = 60
FEWEST = 100  # rows of the reference with an error, and of the window, below which nothing is estimated


@dataclass(frozen=True)
class EstimatedError:
    """Of rows whose prices may not be known. mape: by a second model, fitted to the errors of the reference.

    interval: of the mean with 95 %, over the rows alone. by_width: the MAPE at registration, times how much wider the
    model's own intervals are on these rows; None where rows have none. actual: the MAPE of those rows whose price is
    known by now, and `matured` how many these are.
    """

    rows: int
    mape: float
    interval: tuple[float, float]
    by_width: float | None
    actual: float | None
    matured: int


def estimated_error(
    reference: Sample, rows: pd.DataFrame, predicted: np.ndarray, width: np.ndarray, priced: Sample | None
) -> EstimatedError | None:
    """The estimate for `rows`, of which `predicted` and `width` are the model's answers (width: upper less lower, NaN).

    `rows` have the columns that the reference is looked at by; None where either side has too few rows.
    """
    known = np.isfinite(reference.errors)
    if known.sum() < FEWEST or len(rows) < FEWEST:
        return None
    names = list(map(str, rows))
    both = pd.concat([reference.rows.loc[known, names], rows], ignore_index=True)
    answers = np.concatenate([reference.predicted[known], predicted])
    values = np.column_stack([*(_numbers(both[name]) for name in names), answers]).astype(np.float32)
    first = int(known.sum())
    booster = xgboost.train(PARAMETERS, xgboost.DMatrix(values[:first], reference.errors[known]), ROUNDS)
    estimates = np.maximum(booster.predict(xgboost.DMatrix(values[first:])), 0.0)
    draws = np.array([counts @ estimates / len(estimates) for counts in resamples(len(estimates))])
    actual = None if priced is None else float(np.nanmean(priced.errors))
    return EstimatedError(
        len(rows),
        float(estimates.mean()),
        confidence_interval(draws),
        _by_width(reference, predicted, width),
        actual,
        0 if priced is None else len(priced),
    )


def _by_width(reference: Sample, predicted: np.ndarray, width: np.ndarray) -> float | None:
    before = _relative(reference.upper - reference.lower, reference.predicted)
    now = _relative(width, predicted)
    if before is None or now is None:
        return None
    return float(np.nanmean(reference.errors)) * now / before


def _relative(width: np.ndarray, predicted: np.ndarray) -> float | None:
    """The mean width of the intervals beside their predictions; None where there is none."""
    known = np.isfinite(width) & (predicted > 0) & (width > 0)
    return float((width[known] / predicted[known]).mean()) if known.any() else None


def _numbers(column: pd.Series) -> np.ndarray:
    """A number as it is, a text as the place of its value among all values."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float)
    return pd.factorize(column.astype(object), sort=True)[0].astype(float)
