"""The linear regression: least squares over standardised numbers and one-hot categories, kept as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class LinearModel:
    """intercept + sum of coefficient x value + the coefficient of each category's level.

    Coefficients are per unit of the feature, on the scale of the training target. A level that was not
    seen in training adds nothing.
    """

    intercept: float
    coefficients: dict[str, float]
    levels: dict[str, dict[str, float]]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` gives the model back."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> LinearModel:
        """Build the model from `to_json`'s document."""
        return cls(document["intercept"], document["coefficients"], document["levels"])

    def predict(self, features: pd.DataFrame) -> np.ndarray:
        """Predict on the training target's scale, one number per row."""
        return self.on(tuple(map(str, features)))(features.to_numpy())

    def on(self, names: Sequence[str]) -> Callable[[np.ndarray], np.ndarray]:
        """Return the prediction as a function of an array (rows, names), for columns in this order."""
        places = [names.index(name) for name in self.coefficients]
        weights = np.array([*self.coefficients.values()])
        # Code -1, an unknown level, finds the zero at the end.
        by_code = [(names.index(name), np.array([*levels.values(), 0.0])) for name, levels in self.levels.items()]

        def predict(values: np.ndarray) -> np.ndarray:
            result = self.intercept + values.T.take(places, axis=0).T @ weights
            for place, coefficients in by_code:
                result = result + coefficients[values[:, place].astype(int)]
            return np.asarray(result)

        return predict


def fit(features: pd.DataFrame, target: np.ndarray, levels: Mapping[str, Sequence[str]]) -> LinearModel:
    """Fit by least squares; of equally good solutions (collinear columns), the smallest one.

    `features` is a table of `steps.features.transform`, `levels` the category levels behind its codes,
    `target` one number per row on the scale to be predicted.
    """
    numeric = [str(name) for name in features if name not in levels]
    blocks = [features[numeric].to_numpy()]
    blocks += [_one_hot(features[name].to_numpy(), len(known)) for name, known in levels.items()]
    matrix = np.hstack(blocks)
    mean, scale = matrix.mean(axis=0), matrix.std(axis=0)
    # A column that never changes says nothing, and dividing by its spread would say infinity.
    scale[scale < 1e-12 * np.maximum(1.0, np.abs(mean))] = np.inf
    standardised, *_ = np.linalg.lstsq((matrix - mean) / scale, target - target.mean(), rcond=1e-10)
    weights = standardised / scale
    intercept = float(target.mean() - mean @ weights)
    coefficients = dict(zip(numeric, weights[: len(numeric)].tolist(), strict=True))
    by_level, start = {}, len(numeric)
    for name, known in levels.items():
        by_level[name] = dict(zip(known, weights[start : start + len(known)].tolist(), strict=True))
        start += len(known)
    return LinearModel(intercept, coefficients, by_level)


def _one_hot(codes: np.ndarray, count: int) -> np.ndarray:
    indicators: np.ndarray = (codes[:, None] == np.arange(count)).astype(float)
    return indicators
