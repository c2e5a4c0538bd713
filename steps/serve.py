"""Serve: the handlers that the model server of the XGBoost image calls for each request.

The image runs `sagemaker_inference`'s Transformer: model_fn once, then input_fn, predict_fn and
output_fn. An exception with `status_code`, `message` and `phrase` that derives from its
BaseInferenceToolkitError is answered with that status; any other is an error 500. Elsewhere the same
exception is Werkzeug's HTTPException, which WSGI servers answer with its code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steps import features
from steps.model import Model, load
from steps.prediction_request import CSV, JSON, RequestFault, read_request

if TYPE_CHECKING:
    ServerError = Exception
else:
    try:
        from sagemaker_inference.errors import BaseInferenceToolkitError as ServerError
    except ModuleNotFoundError:
        from werkzeug.exceptions import HTTPException as ServerError


class RequestError(ServerError):
    """A request that is answered with an HTTP status and one sentence."""

    response = None  # HTTPException: no ready-made response

    def __init__(self, message: str, status: int) -> None:
        Exception.__init__(self, message)
        self.status_code = self.code = status
        self.message = self.description = message
        self.phrase = HTTPStatus(status).phrase

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Prediction:
    """One number per row in the target's unit, and the interval that covers its actual value with `coverage`.

    `model` is the identity of the model that answered.
    """

    score: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    coverage: float
    model: str = ""


def model_fn(model_dir: str) -> Model:
    """Load the model directory. The server has a process per core: one thread each is enough."""
    return load(Path(model_dir), threads=1)


def input_fn(input_data: bytes | str, content_type: str) -> tuple[bytes | str, str]:
    """Take the body as it is: which fields it must hold is known to the model, see predict_fn."""
    return input_data, content_type


def predict_fn(data: tuple[bytes | str, str], model: Model) -> Prediction:
    """Read the rows of a request and predict.

    Raises RequestError with status 400, or 415 for an unknown content type.
    """
    body, content_type = data
    try:
        rows = read_request(body, content_type, model.features.inputs)
    except RequestFault as fault:
        raise RequestError(fault.message, fault.status) from fault
    table = features.transform(rows, model.features)
    score = model.predict_features(table, "xgboost")
    return Prediction(score, *model.interval_features(table, score), model.interval.coverage, model.identity)


def output_fn(prediction: Prediction, accept: str | None) -> tuple[str, str]:
    """Write predictions with their intervals as JSON, or without as CSV: one number per line.

    {"predictions": [{"score": 1.5, "lower": 1.2, "upper": 1.9}, ...], "coverage": 0.9, "model": "1f2e3d4c5b6a7988"}.
    Both are the layouts of SageMaker's built-in regressions, in JSON with the interval and the model's identity added.
    Returns body and content type. Raises RequestError (406) if the client accepts neither.
    """
    kinds = [kind.split(";")[0].strip().lower() for kind in (accept or JSON).split(",")]
    for kind in kinds:
        if kind in (JSON, "*/*", "application/*"):
            columns = {name: getattr(prediction, name).tolist() for name in ("score", "lower", "upper")}
            rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
            return json.dumps({"predictions": rows, "coverage": prediction.coverage, "model": prediction.model}), JSON
        if kind in (CSV, "text/*"):
            return "".join(f"{float(value)}\n" for value in prediction.score), CSV
    raise RequestError(f"The accepted type {accept} cannot be given: accept {JSON} or {CSV}.", 406)
