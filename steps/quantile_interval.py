"""The interval of models that were made before format 3: two boosted quantiles, moved by a margin that calibrates them.

Only read: what is trained now has the interval of `steps.interval`. Source: Romano, Patterson and Candes, Conformalized
Quantile Regression, NeurIPS 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from steps.boosting import predict, xgboost

METHOD = "conformalized quantile regression"


@dataclass(frozen=True)
class QuantileInterval:
    """coverage: the share of actual values that should lie inside. margin: on the training scale."""

    booster: xgboost.Booster
    coverage: float
    margin: float

    @property
    def by_band(self) -> bool:
        """Whether bands of the prediction are calibrated each for itself."""
        return False

    def to_json(self) -> dict[str, Any]:
        """What the booster's file does not hold, as plain JSON."""
        return {"method": METHOD, "coverage": self.coverage, "margin": self.margin}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], booster: xgboost.Booster) -> QuantileInterval:
        """Build the interval from `to_json`'s document and its booster."""
        return cls(booster, document["coverage"], document["margin"])

    def bounds(
        self, values: np.ndarray, start: np.ndarray, _centre: np.ndarray, threads: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return lower and upper bounds on the training scale, one of each per row; see `steps.interval.Interval`."""
        quantiles = predict(self.booster, values, np.column_stack([start, start]), threads).astype(float)
        return quantiles.min(axis=1) - self.margin, quantiles.max(axis=1) + self.margin
