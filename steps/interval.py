"""The interval around a prediction: conformalized quantile regression, calibrated on the validation part.

Two quantiles of the target are boosted as the prediction is; then both are moved apart, or together, by
the one amount with which they cover the wanted share of the validation rows. For rows that are drawn as
those were, the interval covers at least that share. Source: Romano, Patterson and Candes, Conformalized
Quantile Regression, NeurIPS 2019. Early stopping sees the validation rows too, which narrows the interval
by less than the chance in their number.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from steps.boosting import by_row, categories_of, matrix, predict, xgboost
from steps.failure import JobError

ROUNDS, EARLY_STOPPING_ROUNDS = 1000, 40  # the most of what the YAML asks for: quantiles cost five times as much
Part = tuple[pd.DataFrame, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Interval:
    """coverage: the share of actual values that should lie inside. margin: on the training scale."""

    booster: xgboost.Booster
    coverage: float
    margin: float

    def to_json(self) -> dict[str, Any]:
        """What the booster's file does not hold, as plain JSON."""
        return {
            "method": "conformalized quantile regression",
            "coverage": self.coverage,
            "margin": self.margin,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], booster: xgboost.Booster) -> Interval:
        """Build the interval from `to_json`'s document and its booster."""
        return cls(booster, document["coverage"], document["margin"])

    def bounds(
        self, values: np.ndarray, start: np.ndarray, threads: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return lower and upper bounds on the training scale, one of each per row.

        `values` are features as `steps.boosting.predict` takes them, `start` what boosting starts from, one number
        per row.
        """
        quantiles = predict(self.booster, values, np.column_stack([start, start]), threads).astype(float)
        return quantiles.min(axis=1) - self.margin, quantiles.max(axis=1) + self.margin


def fit(
    train: Part,
    validation: Part,
    coverage: float,
    parameters: Mapping[str, Any],
    stopping: tuple[int, int] = (ROUNDS, EARLY_STOPPING_ROUNDS),
    categories: Collection[str] = (),
) -> Interval:
    """Fit the quantiles on training rows and calibrate them on validation rows.

    Each part is (features, target on the training scale, prediction that boosting starts from). `parameters` are those
    of the prediction's booster, `stopping` its rounds and early stopping rounds, of which no more than ROUNDS and
    EARLY_STOPPING_ROUNDS are used; `categories` are the features that hold codes of levels.
    Raises JobError when the validation part is too small for the coverage.
    """
    rows, needed = len(validation[1]), fewest_rows(coverage)
    if rows < needed:
        raise JobError(
            f"The validation part has {rows:,} rows, too few for an interval that covers {coverage:.0%}: it needs "
            f"{needed:,}; give more data, raise split.validation or lower interval.coverage in the YAML."
        )
    tails = [(1 - coverage) / 2, (1 + coverage) / 2]
    matrices = [
        matrix(table.to_numpy(), list(table), categories, np.column_stack([start, start]), target)
        for table, target, start in (train, validation)
    ]
    booster = xgboost.train(
        {**parameters, "objective": "reg:quantileerror", "quantile_alpha": tails},
        matrices[0],
        num_boost_round=min(stopping[0], ROUNDS),
        evals=[(matrices[1], "validation")],
        early_stopping_rounds=min(stopping[1], EARLY_STOPPING_ROUNDS),
        verbose_eval=False,
    )
    booster = booster[: int(booster.best_iteration) + 1]
    values = by_row(validation[0].to_numpy(), categories_of(booster))
    low, high = Interval(booster, coverage, 0.0).bounds(values, validation[2])
    outside = np.sort(np.maximum(low - validation[1], validation[1] - high))
    return Interval(booster, coverage, float(outside[math.ceil(coverage * (rows + 1)) - 1]))


def fewest_rows(coverage: float) -> int:
    """The fewest validation rows with which an interval of finite width can promise the coverage."""
    return math.ceil(round(coverage / (1 - coverage), 9))


def coverage(actual: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """The share of actual values that lie in their interval, bounds included."""
    return float(np.mean((actual >= lower) & (actual <= upper)))


def chance_in_coverage(wanted: float, calibrated: int, measured: int) -> float:
    """How far the share that is measured on some rows may be from the wanted one by chance: two standard deviations.

    p (1 - p) / n for the `measured` rows, and about as much for the `calibrated` ones that the interval was moved by.
    Source: Vovk, Conditional validity of inductive conformal predictors, 2012.
    """
    return 2 * math.sqrt(wanted * (1 - wanted) * (1 / calibrated + 1 / measured))
