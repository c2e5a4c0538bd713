"""The worst predictions: the rows that a person should look at before the model is approved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from evaluation.measurement import Scored

COUNT, COLUMNS = 10, 6


def worst_predictions(scored: Scored, columns: Sequence[str]) -> list[dict[str, Any]]:
    """The ten test rows with the largest error relative to the actual value, the worst first.

    Each is {"actual", "predicted", "error", "values"}: `error` as a fraction of the actual value, `values` the row's
    fields as texts, at most six. A row whose actual value is 0 has no relative error and is left out.
    """
    actual, predicted = scored.actual, scored.challenger
    usable = np.flatnonzero(actual != 0)
    errors = (predicted[usable] - actual[usable]) / np.abs(actual[usable])
    order = np.argsort(-np.abs(errors), kind="stable")[:COUNT]
    shown = [name for name in columns if name in scored.rows.names][:COLUMNS]
    rows = scored.rows.at(usable[order])
    return [
        {
            "actual": float(actual[usable[place]]),
            "predicted": float(predicted[usable[place]]),
            "error": float(errors[place]),
            "values": {name: _text(rows[name].iloc[number]) for name in shown},
        }
        for number, place in enumerate(order)
    ]


def _text(value: Any) -> str:
    if pd.isna(value):
        return "missing"
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return f"{value:g}" if isinstance(value, float) else str(value)
