"""Whether the predictions keep the rules of data.monotone: each input is raised in test rows, and nothing else is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from steps import features as feature_module
from steps.columns import array_of
from steps.model import Model
from steps.monotone import SIGNS, Rule
from steps.row_source import RowSource, even_places

MOST_ROWS = 500  # in which inputs are raised; of more test rows an even draw
STEPS = (0.01, 0.05, 0.2, 0.5)  # of the span that the training rows have
TOLERANCE = 1e-6  # of a value: less is rounding


def kept_rules(model: Model, rows: RowSource, rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Raise each input that has a rule in typed raw test rows, step by step; count the rows that break the rule.

    A row breaks it where a step moves the prediction, or an end of its interval, against the rule. Returns rows, in how
    many of them inputs were raised; inputs, with the rule of each, `broken`, how many rows break it, and `worst`, the
    largest move against it as a share of the value; broken, over all rules; and name, of the input that breaks most.
    """
    chosen = rows.at(even_places(len(rows), MOST_ROWS))
    found: dict[str, Any] = {}
    for name, rule in rules.items():
        against = _against(model, chosen, name, SIGNS[rule])
        found[name] = {"rule": rule, "broken": int((against > TOLERANCE).sum()), "worst": float(against.max())}
    broken = {name: each["broken"] for name, each in found.items()}
    name = max(broken, key=broken.__getitem__) if any(broken.values()) else ""
    return {"rows": len(chosen), "inputs": found, "broken": sum(broken.values()), "name": name}


def _against(model: Model, rows: pd.DataFrame, name: str, sign: int) -> np.ndarray:
    """For each row the largest move against the rule, as a share of the value; 0 where none is."""
    column = model.features.inputs[name]
    given = array_of(rows[name], column.type)
    low, high = (0.0, 1.0) if column.type == "boolean" else model.features.known.numbers.get(name, (0.0, 0.0))
    declared = 1.0 if column.type == "boolean" else (column.range or (None, None))[1]
    most = np.inf if declared is None else declared
    worst = np.zeros(len(rows))
    before = _values(model, rows)
    for step in STEPS:
        size = (high - low) * step
        size = float(np.ceil(size)) if column.type in ("integer", "boolean") else size
        raised = np.maximum(given, np.minimum(given + size, most))
        after = _values(model, rows.assign(**{name: pd.Series(raised, index=rows.index)}))
        moved = (before - after) * sign / np.maximum(np.abs(before), np.finfo(float).tiny)
        worst = np.maximum(worst, moved.max(axis=1))
        before = after
    return worst


def _values(model: Model, rows: pd.DataFrame) -> np.ndarray:
    """Predictions, lower and upper bounds: (rows, 3)."""
    table = feature_module.transform(rows, model.features)
    predicted = model.predict_features(table)
    return np.column_stack([predicted, *model.interval_features(table, predicted)])
