"""Serve: the handlers that the model server of the XGBoost image calls for each request.

The image runs `sagemaker_containers`' Transformer behind Flask: model_fn once, then input_fn, predict_fn and
output_fn. It answers any exception of theirs with status 500 and a page that says nothing, so a request that
cannot be answered is a value, Refusal, and leaves as a response with its own status and one sentence.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from steps.columns import Columns, missing
from steps.failure import listed
from steps.model import Model, load
from steps.personal import named, personal_columns
from steps.prediction_request import CSV, JSON, RequestFault, read_request
from steps.reasons import METADATA, MOST_ROWS, Basis, reasons

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

TEXT = "text/plain"
INVALID = "Invalid prediction by model"  # as deployment/invalid_predictions.py looks for it in the endpoint's log


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered: one sentence, and the HTTP status."""

    message: str
    status: int


@dataclass(frozen=True)
class Prediction:
    """One number per row in the target's unit, and the interval that covers its actual value with `coverage`.

    `model` is the identity of the model that answered. `warnings`: place of a row -> how it is unlike the training
    rows; nothing is known of the coverage of its interval. comparables, reasons: of each row, where asked for.
    """

    score: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    coverage: float
    model: str = ""
    warnings: Mapping[int, list[str]] = field(default_factory=dict)
    comparables: list[list[dict[str, Any]]] | None = None
    reasons: list[dict[str, Any]] | None = None


def model_fn(model_dir: str) -> Model:
    """Load the model directory. The server has a process per core: one thread each is enough.

    A row without any value is predicted at once: what is made at the first prediction is made before the first
    request comes, and a model that cannot predict does not come into service.
    """
    model = load(Path(model_dir), threads=1)
    model.answer({name: missing(column.type, 1) for name, column in model.features.inputs.items()}, 1)
    return model


def input_fn(input_data: bytes | str, content_type: str) -> tuple[bytes | str, str]:
    """Take the body as it is: which fields it must hold is known to the model, see predict_fn."""
    return input_data, content_type


def predict_fn(data: tuple[bytes | str, str], model: Model) -> Prediction | Refusal:
    """Read the rows of a request and predict.

    A Refusal with status 400, also where a strict request has a row unlike the training rows, or 415 for an unknown
    content type; 500 where a prediction or a bound is not a number, which is logged.
    """
    body, content_type = data
    refusal = personal_refusal(body)
    if refusal is not None:
        return refusal
    features = model.features
    try:
        columns, rows, asked = read_request(body, content_type, features.inputs, features.others)
    except RequestFault as fault:
        return Refusal(fault.message, fault.status)
    warnings = features.familiarity.warnings(columns)
    if "strict" in asked and warnings:
        row = min(warnings)
        return Refusal(f"Row {row + 1}: {listed(warnings[row])}; without strict it is answered with warnings.", 400)
    answer = model.answer(columns, rows)
    invalid = ~np.isfinite(np.stack(answer)).all(axis=0)
    if invalid.any():
        return _not_a_number(int(np.argmax(invalid)), int(invalid.sum()), rows, model.identity)
    found = Prediction(*answer, model.interval.coverage, model.identity, warnings)
    if "comparables" in asked:
        if model.comparables is None:
            return Refusal("The model carries no comparable rows: train it with data.comparables in the YAML.", 400)
        found = replace(found, comparables=model.comparables.of(columns, rows, features))
    return _with_reasons(found, model, columns, rows) if "reasons" in asked else found


def _with_reasons(found: Prediction, model: Model, columns: Columns, rows: int) -> Prediction | Refusal:
    """The predictions with what each feature adds to them, see `steps.reasons`."""
    if METADATA not in model.metadata:
        return Refusal("The model is older than reasons: train it again to ask for them.", 400)
    if rows > MOST_ROWS:
        return Refusal(f"Reasons are given for at most {MOST_ROWS} rows of a request, and it has {rows}.", 400)
    basis = Basis.from_json(model.metadata[METADATA])
    return replace(found, reasons=reasons(model, basis, columns, rows, found.score))


def _not_a_number(row: int, invalid: int, rows: int, identity: str) -> Refusal:
    """The refusal of a request for which the model has none; the line of the log is counted by a metric filter."""
    print(f"{INVALID} {identity}: {invalid} of {rows} rows", file=sys.stderr, flush=True)
    return Refusal(f"Row {row + 1}: the model {identity} predicts what is not a number.", 500)


def personal_refusal(body: bytes | str) -> Refusal | None:
    """The refusal of a request with personal columns, where the endpoint captures its requests; None for any other."""
    personal = named()
    found = personal_columns(body, personal) if personal else []
    if not found:
        return None
    noun = "column" if len(found) == 1 else "columns"
    return Refusal(
        f"The request holds the personal {noun} {listed(found)}, and requests are captured: leave it out.", 400
    )


def output_fn(prediction: Prediction | Refusal, accept: str | None) -> tuple[str, str] | Response:
    """Write predictions with their intervals as JSON, or without as CSV: one number per line.

    {"predictions": [{"score": 1.5, "lower": 1.2, "upper": 1.9, "coverage": 0.9, "warnings": []}, ...],
    "coverage": 0.9, "model": "1f2e3d4c5b6a7988"}; a row with warnings has the coverage null, and so has the whole.
    Where they were asked for, each row of the JSON has its `comparables`, see `steps.comparables`, and `expected`
    and `reasons`, see `steps.reasons`; CSV has no place for them (406). Both are the layouts of SageMaker's built-in
    regressions, in JSON with the interval and the model's identity added. Returns body and content type; for a Refusal,
    or a client that accepts neither (406), a response.
    """
    if isinstance(prediction, Refusal):
        return _refused(prediction)
    kinds = [kind.split(";")[0].strip().lower() for kind in (accept or JSON).split(",")]
    for kind in kinds:
        if kind in (JSON, "*/*", "application/*"):
            return written(prediction, JSON)
        if kind in (CSV, "text/*"):
            for what, given in (("comparable rows", prediction.comparables), ("reasons", prediction.reasons)):
                if given is not None:
                    return _refused(Refusal(f"{CSV} cannot hold {what}: accept {JSON}.", 406))
            return written(prediction, CSV)
    return _refused(Refusal(f"The accepted type {accept} is not supported: accept {JSON} or {CSV}.", 406))


def written(prediction: Prediction, kind: str) -> tuple[str, str]:
    """Body and content type of an answer, as `output_fn` describes them; `kind` is JSON or CSV."""
    if kind == CSV:
        return "".join(f"{float(value)}\n" for value in prediction.score), CSV
    columns = {name: getattr(prediction, name).tolist() for name in ("score", "lower", "upper")}
    coverage, count = prediction.coverage, len(prediction.score)
    columns |= {"coverage": [coverage] * count, "warnings": [[]] * count}
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    for row, clauses in prediction.warnings.items():
        rows[row] |= {"coverage": None, "warnings": clauses}
    for row, told in enumerate(prediction.reasons or ()):
        rows[row] |= told
    for row, found in enumerate(prediction.comparables or ()):
        rows[row]["comparables"] = found
    whole = None if prediction.warnings else coverage
    return json.dumps({"predictions": rows, "coverage": whole, "model": prediction.model}), JSON


def _refused(refusal: Refusal) -> Response:
    """A response that Flask, and so the image, sends as it is."""
    from werkzeug.wrappers import Response  # in the image it is loaded; elsewhere only a refusal needs it

    return Response(refusal.message, status=refusal.status, mimetype=TEXT)
