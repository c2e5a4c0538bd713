"""Golden rows: test rows as requests, and what the model answers to them; kept beside the evaluation.

A deployment sends them to the endpoint and compares: what answers there must be this model, on the image's libraries.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from steps.failure import JobError
from steps.model import Model
from steps.prediction_request import JSON
from steps.row_source import RowSource, even_places
from steps.serve import Refusal, predict_fn, written

ROWS = 20
FAULTY: tuple[dict[str, int], ...] = ({}, {"no_such_field": 1})  # requests that must be refused with a 4xx


def golden(model: Model, rows: RowSource) -> dict[str, Any]:
    """{"model": identity, "instances": [{column: value}], "predictions": [number], "faulty": [{...}]}.

    Up to ROWS rows, drawn evenly from `rows`; the predictions come from the handlers of the endpoint, through the JSON
    that a client sends.
    """
    chosen = rows.at(np.unique(even_places(len(rows), ROWS)))
    records = chosen[list(model.features.inputs)].to_dict("records")
    instances = [{name: plain(value) for name, value in record.items()} for record in records]
    predicted = predict_fn((json.dumps({"instances": instances}), JSON), model)
    if isinstance(predicted, Refusal):
        raise JobError(f"The model refuses test rows that are sent as a request: {predicted.message}")
    document = json.loads(written(predicted, JSON)[0])
    scores = [prediction["score"] for prediction in document["predictions"]]
    return {"model": document["model"], "instances": instances, "predictions": scores, "faulty": list(FAULTY)}


def plain(value: Any) -> Any:
    """A value as JSON has it; a day without its midnight."""
    if value is pd.NaT or (isinstance(value, float) and np.isnan(value)) or value is pd.NA or value is None:
        return None
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat() if value == value.normalize() else value.isoformat()
    return value.item() if isinstance(value, np.generic) else value
