"""What a quick model reaches on a table: the first limits of its gates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from profiling.columns import Draft

MOST_ROWS, FOLDS = 5_000, 3


@dataclass(frozen=True)
class Quick:
    """R2 and MAPE over the folds of a cross-validation.

    MAPE is a fraction; None where a target is negative: an error in per cent says nothing there.
    """

    r2: float
    mape: float | None
    rows: int


def quick_model(features: Sequence[Draft], target: np.ndarray, accepted: np.ndarray, scale: str) -> Quick:
    """scikit-learn's histogram boosting with its defaults, on what the model will see: numbers, codes, missing values.

    `target` has the accepted rows' values, `features` all rows of all columns.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.model_selection import KFold
    from threadpoolctl import threadpool_limits

    table = _matrix(features, accepted)
    chosen = np.sort(np.random.default_rng(0).permutation(len(target))[:MOST_ROWS])
    table, target = table[chosen], target[chosen]
    goal = np.log(target) if scale == "log" else target
    predicted = np.full(len(target), target.mean())
    if table.shape[1]:
        with threadpool_limits(1):  # on a busy machine threads that wait for each other take minutes
            for learn, rest in KFold(FOLDS, shuffle=True, random_state=0).split(table):
                model = HistGradientBoostingRegressor(random_state=0).fit(table[learn], goal[learn])
                predicted[rest] = np.clip(model.predict(table[rest]), goal[learn].min(), goal[learn].max())
        predicted = np.exp(predicted) if scale == "log" else predicted
    variance = float(((target - target.mean()) ** 2).sum())
    r2 = 1 - float(((target - predicted) ** 2).sum()) / variance if variance > 0 else 0.0
    divisible = target != 0
    meant = divisible.any() and target.min() >= 0
    mape = float((np.abs(target - predicted)[divisible] / target[divisible]).mean()) if meant else None
    return Quick(r2, mape, len(target))


def _matrix(features: Sequence[Draft], accepted: np.ndarray) -> np.ndarray:
    columns = []
    for each in features:
        values = each.values[accepted]
        if each.type == "date":
            columns.append(values.to_numpy(dtype="datetime64[D]").astype(float))
        elif each.is_feature and each.type != "text":
            codes = (
                np.unique(values.fillna("").astype(str), return_inverse=True)[1] if each.type == "category" else values
            )
            columns.append(np.asarray(codes, dtype=float))
    return np.column_stack(columns) if columns else np.empty((int(accepted.sum()), 0))
