"""The errors of a regression, in the names of SageMaker's model quality statistics."""

from __future__ import annotations

import numpy as np

NAMES = ("mae", "mse", "rmse", "r2", "mape")


def regression_metrics(actual: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Return mae and rmse in the target's unit, mse in its square, r2, and mape as a fraction.

    r2 is 1 - squared error / squared deviation of the actual values from their mean, NaN if those are
    all equal. mape leaves out actual values of zero, for which it is not defined; NaN if all are zero.
    """
    error = predicted - actual
    divisible = actual != 0
    mse = float(np.mean(error**2))
    variance = float(np.var(actual))
    return {
        "mae": float(np.mean(np.abs(error))),
        "mse": mse,
        "rmse": float(np.sqrt(mse)),
        "r2": 1 - mse / variance if variance > 0 else float("nan"),
        "mape": float(np.mean(np.abs(error[divisible] / actual[divisible]))) if divisible.any() else float("nan"),
    }
