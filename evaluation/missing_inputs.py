"""What happens to the predictions when an optional input is missing: each is blanked in turn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from steps import features as feature_module
from steps.columns import missing
from steps.interval import coverage
from steps.model import Model
from steps.row_source import RowSource, even_places

MOST_ROWS = 2000  # that are blanked; of more test rows an even draw


def missing_inputs(model: Model, test: RowSource, actual: np.ndarray) -> dict[str, Any]:
    """Blank each optional input in typed raw test rows, and measure what the model makes of them.

    Returns rows, how many were blanked; inputs, for each the ratio of the RMSE without it to that with it, and the
    share of the `actual` values in their interval, the most harmful first; and worst, the name and ratio of the first
    (a ratio of 1 and no name where no input is optional).
    """
    chosen = even_places(len(test), MOST_ROWS)
    rows, actual = test.at(chosen), actual[chosen]
    whole, _ = _measured(model, rows, actual)
    found = {}
    for name, column in model.features.inputs.items():
        if column.optional:
            blank = pd.Series(missing(column.type, len(rows)), index=rows.index)
            error, covered = _measured(model, rows.assign(**{name: blank}), actual)
            found[name] = {"rmse_ratio": error / whole if whole > 0 else 1.0, "coverage": covered}
    ordered = dict(sorted(found.items(), key=lambda each: -each[1]["rmse_ratio"]))
    name = next(iter(ordered), "")
    worst = {"name": name, "rmse_ratio": ordered[name]["rmse_ratio"] if name else 1.0}
    return {"rows": len(rows), "inputs": ordered, "worst": worst}


def _measured(model: Model, rows: pd.DataFrame, actual: np.ndarray) -> tuple[float, float]:
    """The RMSE, and the share of the actual values that lie in their interval."""
    table = feature_module.transform(rows, model.features)
    predicted = model.predict_features(table)
    lower, upper = model.interval_features(table, predicted)
    return float(np.sqrt(np.mean((predicted - actual) ** 2))), coverage(actual, lower, upper)
