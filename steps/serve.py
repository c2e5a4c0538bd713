"""Serve: the handlers that the model server of the XGBoost image calls for each request.

The image runs `sagemaker_inference`'s Transformer: model_fn once, then input_fn, predict_fn and
output_fn. An exception with `status_code`, `message` and `phrase` that derives from its
BaseInferenceToolkitError is answered with that status; any other is an error 500. Elsewhere the same
exception is Werkzeug's HTTPException, which WSGI servers answer with its code.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

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


def model_fn(model_dir: str) -> Model:
    """Load the model directory. The server has a process per core: one thread each is enough."""
    return load(Path(model_dir), threads=1)


def input_fn(input_data: bytes | str, content_type: str) -> tuple[bytes | str, str]:
    """Take the body as it is: which fields it must hold is known to the model, see predict_fn."""
    return input_data, content_type


def predict_fn(data: tuple[bytes | str, str], model: Model) -> np.ndarray:
    """Read the rows of a request and predict, one number per row in the target's unit.

    Raises RequestError with status 400, or 415 for an unknown content type.
    """
    body, content_type = data
    try:
        return model.predict(read_request(body, content_type, model.features.inputs))
    except RequestFault as fault:
        raise RequestError(fault.message, fault.status) from fault


def output_fn(prediction: np.ndarray, accept: str | None) -> tuple[str, str]:
    """Write predictions as JSON, or as CSV with one number per line.

    Returns body and content type. Raises RequestError (406) if the client accepts neither.
    """
    kinds = [kind.split(";")[0].strip().lower() for kind in (accept or JSON).split(",")]
    for kind in kinds:
        if kind in (JSON, "*/*", "application/*"):
            return json.dumps({"predictions": [{"score": float(value)} for value in prediction]}), JSON
        if kind in (CSV, "text/*"):
            return "".join(f"{float(value)}\n" for value in prediction), CSV
    raise RequestError(f"The accepted type {accept} cannot be given: accept {JSON} or {CSV}.", 406)
