"""How sure the measured errors are: their standard deviation over resampled test rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from steps.metrics import regression_metrics

RESAMPLES = 200
SEED = 20141013


def standard_deviations(
    actual: np.ndarray, predictions: Mapping[str, np.ndarray], resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, dict[str, float]]:
    """Return candidate -> metric -> standard deviation over bootstrap resamples of the rows.

    All candidates are measured on the same resamples, so that `comparison` (with rmse_ratio, the RMSE
    of xgboost over that of linear) has the spread of the ratio and not of two separate draws. Source:
    Efron and Tibshirani, An Introduction to the Bootstrap, chapter 6.
    """
    random = np.random.default_rng(seed)
    draws: dict[str, list[dict[str, float]]] = {name: [] for name in (*predictions, "comparison")}
    for _ in range(resamples):
        rows = random.integers(len(actual), size=len(actual))
        for name, predicted in predictions.items():
            draws[name].append(regression_metrics(actual[rows], predicted[rows]))
        if "xgboost" in predictions and "linear" in predictions:
            ratio = draws["xgboost"][-1]["rmse"] / draws["linear"][-1]["rmse"]
            draws["comparison"].append({"rmse_ratio": ratio})
    return {name: _spread(measured) for name, measured in draws.items()}


def _spread(measured: list[dict[str, float]]) -> dict[str, float]:
    names = measured[0] if measured else {}
    return {name: float(np.std([metrics[name] for metrics in measured], ddof=1)) for name in names}
