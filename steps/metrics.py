"""The errors of a regression, in the names of SageMaker's model quality statistics."""

from __future__ import annotations

import numpy as np

from steps.shard import Shard

NAMES = ("mae", "mse", "rmse", "r2", "mape")


def regression_metrics(actual: np.ndarray, predicted: np.ndarray, shard: Shard | None = None) -> dict[str, float]:
    """Return mae and rmse in the target's unit, mse in its square, r2, and mape as a fraction.

    r2 is 1 - squared error / squared deviation of the actual values from their mean, NaN if those are
    all equal. mape leaves out actual values of zero, for which it is not defined; NaN if all are zero.
    With a `shard` the rows are one host's share of those that are measured.
    """
    shard = shard or Shard.whole(len(actual))
    error = predicted - actual
    divisible = actual != 0
    mse = float(shard.mean(error**2))
    variance = float(shard.variance(actual))
    relative = shard.hosts.total(float(np.abs(error[divisible] / actual[divisible]).sum()))
    counted = shard.hosts.total(float(divisible.sum()))
    return {
        "mae": float(shard.mean(np.abs(error))),
        "mse": mse,
        "rmse": float(np.sqrt(mse)),
        "r2": 1 - mse / variance if variance > 0 else float("nan"),
        "mape": relative / counted if counted else float("nan"),
    }
