"""The sample payload of a version is a request that its model answers."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evaluation.evaluate import Inputs, evaluate
from evaluation.sample_payload import sample_archive
from steps.model import Model
from steps.prediction_request import read_request
from steps.serve import output_fn, predict_fn
from steps.settings import Column
from tests.evaluation.conftest import LIMITS, SETTINGS

INPUTS = {
    "day": Column(type="date"),
    "rooms": Column(type="integer"),
    "size": Column(type="number"),
    "lake": Column(type="boolean"),
    "zip": Column(type="category", width=5),
    "note": Column(type="text", optional=True),
}
ROW = pd.Series(
    {"day": pd.Timestamp("2014-10-13"), "rooms": 3, "size": 1.5, "lake": 1.0, "zip": "00981", "note": None, "id": "x"}
)


def members(archive: bytes) -> dict[str, Any]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        return {member.name: json.loads(tar.extractfile(member).read()) for member in tar}  # type: ignore[union-attr]


def test_each_type_is_written_as_a_request_holds_it_and_what_is_missing_is_left_out() -> None:
    expected = {"day": "2014-10-13", "rooms": 3, "size": 1.5, "lake": True, "zip": "00981"}
    assert members(sample_archive(ROW, INPUTS)) == {"payload.json": expected}
    columns, rows, _ = read_request(json.dumps(expected), "application/json", INPUTS)
    assert (rows, list(columns["zip"])) == (1, ["00981"])


def test_a_model_that_carries_comparable_rows_is_asked_for_them() -> None:
    payload = members(sample_archive(ROW, INPUTS, ["comparables"]))["payload.json"]
    assert payload["comparables"] is True
    _, rows, asked = read_request(json.dumps(payload), "application/json", INPUTS)
    assert (rows, asked) == (1, {"comparables"})


def test_a_field_called_instances_is_one_of_the_row_and_the_question_stands_beside_it() -> None:
    inputs = {**INPUTS, "instances": Column(type="integer")}
    row = pd.concat([ROW, pd.Series({"instances": 2})])
    payload = members(sample_archive(row, inputs, ["comparables"]))["payload.json"]
    assert (payload["instances"][0]["instances"], payload["comparables"]) == (2, True)


def test_equal_rows_give_equal_bytes() -> None:
    assert sample_archive(ROW, INPUTS) == sample_archive(ROW.copy(), INPUTS)
    assert sample_archive(ROW, INPUTS) != sample_archive(ROW.replace(3, 4), INPUTS)


@pytest.mark.e2e
def test_the_model_answers_it_with_its_median_prediction(inputs: Inputs, model: Model, tmp_path: Path) -> None:
    evaluate(lambda: model, inputs, tmp_path, SETTINGS, LIMITS)
    payload = members((tmp_path / "sample_payload.tar.gz").read_bytes())["payload.json"]
    body, _ = output_fn(predict_fn((json.dumps(payload), "application/json"), model), "application/json")
    predicted = pd.read_parquet(tmp_path / "predictions.parquet")["prediction_xgboost"]
    assert json.loads(body)["predictions"][0]["score"] == np.sort(predicted)[len(predicted) // 2]
