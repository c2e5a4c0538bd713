"""The endpoint answers with the model's predictions, from the code that travels with the model."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import flask
import pandas as pd
import pytest

from steps import serve
from steps.model import load

ROW = {"signed": "2024-03-01", "area": 60.0, "rooms": 2, "lift": True, "district": "south"}
JSON, CSV = "application/json", "text/csv"


def invoke(model: object, body: bytes | str, content_type: str, accept: str | None = None) -> Any:
    """Call the handlers in the order in which the model server calls them."""
    data = serve.input_fn(body, content_type)
    return serve.output_fn(serve.predict_fn(data, model), accept)


def test_json_and_csv_carry_the_same_predictions(model_folder: Path) -> None:
    model = serve.model_fn(str(model_folder))
    as_json, kind = invoke(model, json.dumps({"instances": [ROW, ROW]}), JSON)
    assert kind == JSON
    scores = [row["score"] for row in json.loads(as_json)["predictions"]]
    header = ",".join(ROW)
    values = ",".join(str(value) for value in ROW.values())
    as_csv, kind = invoke(model, f"{header}\n{values}\n{values}\n", CSV, accept="text/csv")
    assert kind == CSV
    assert [float(line) for line in as_csv.splitlines()] == scores
    assert 300 < scores[0] < 1200


def test_endpoint_predicts_what_evaluation_predicts(model_folder: Path, typed_rents: pd.DataFrame) -> None:
    rows = typed_rents.head(20)
    body = rows.drop(columns=["flat", "rent"]).to_csv(index=False)
    answer, _ = invoke(serve.model_fn(str(model_folder)), body, CSV, "text/csv")
    assert [float(line) for line in answer.splitlines()] == load(model_folder).predict(rows).tolist()


def test_json_gives_the_interval_that_evaluation_measures(model_folder: Path, typed_rents: pd.DataFrame) -> None:
    rows = typed_rents.head(20)
    body = rows.drop(columns=["flat", "rent"]).to_csv(index=False)
    answer = json.loads(invoke(serve.model_fn(str(model_folder)), body, CSV)[0])
    lower, upper = load(model_folder).predict_interval(rows)
    assert [row["lower"] for row in answer["predictions"]] == lower.tolist()
    assert [row["upper"] for row in answer["predictions"]] == upper.tolist()
    assert all(row["lower"] <= row["score"] <= row["upper"] for row in answer["predictions"])
    assert answer["coverage"] == 0.9


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "sentence"),
    [
        ("{}", JSON, None, 400, "Row 1 lacks the fields signed, area, lift and district."),
        ("a", "image/png", None, 415, "The content type image/png is not text/csv or application/json."),
        (json.dumps(ROW), JSON, "image/png", 406, "The accepted type image/png is not supported: accept"),
        ("", JSON, "image/png", 400, "The body is empty"),  # the first fault is told
    ],
)
def test_a_refusal_is_a_response_with_a_status_and_a_sentence_that_flask_sends_as_it_is(
    model_folder: Path, body: str, content_type: str, accept: str | None, status: int, sentence: str
) -> None:
    model = serve.model_fn(str(model_folder))
    app = flask.Flask("image")
    answer = invoke(model, body, content_type, accept)
    app.add_url_rule("/invocations", view_func=lambda: answer, methods=["POST"])
    response = app.test_client().post("/invocations")
    assert response.status_code == status
    assert response.content_type == "text/plain; charset=utf-8"
    assert response.get_data(as_text=True).startswith(sentence)


def test_columns_that_are_no_features_may_be_sent_and_change_nothing(model_folder: Path) -> None:
    model = serve.model_fn(str(model_folder))
    plain, _ = invoke(model, json.dumps(ROW), JSON)
    assert invoke(model, json.dumps({**ROW, "flat": "0001", "rent": [None]}), JSON)[0] == plain
    header, values = ",".join(["flat", *ROW]), ",".join(["0001", *map(str, ROW.values())])
    assert invoke(model, f"{header}\n{values}\n", CSV, JSON)[0] == plain
    refused = invoke(model, json.dumps({**ROW, "flat": "0001", "owner": "Ada"}), JSON)
    assert refused.get_data(as_text=True) == "Row 1 has the unexpected field owner."
    doubled = invoke(model, f"flat,{header}\n1,{values}\n", CSV, JSON)
    assert doubled.get_data(as_text=True) == "The header has flat more than once."


def test_a_row_unlike_the_training_rows_carries_warnings_and_its_interval_promises_nothing(model_folder: Path) -> None:
    model = serve.model_fn(str(model_folder))
    odd = {**ROW, "area": 1001, "district": "moon", "signed": "2031-05-01"}
    answer = json.loads(invoke(model, json.dumps([ROW, odd]), JSON)[0])
    first, second = answer["predictions"]
    assert (first["warnings"], first["coverage"]) == ([], 0.9)
    assert second["coverage"] is None
    assert answer["coverage"] is None
    area, signed, district = second["warnings"]
    assert area == "area 1001 is outside the range that training accepted, from 5 to 1000"
    assert signed.startswith("signed 2031-05-01 is long after the training rows, which end on 2024-")
    assert district == "district 'moon' is a level that no training row had"
    assert second["score"] > 0
    only_first = json.loads(invoke(model, json.dumps([ROW]), JSON)[0])
    assert only_first["coverage"] == 0.9


STRICT_HEADER, STRICT_VALUES = ",".join(ROW), ",".join(map(str, {**ROW, "district": "moon"}.values()))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (json.dumps({"instances": [ROW, {**ROW, "district": "moon"}], "strict": True}), JSON),
        (json.dumps([ROW, {**ROW, "district": "moon"}]), "application/json; strict=true"),
        (
            f"{STRICT_HEADER}\n{','.join(map(str, ROW.values()))}\n{STRICT_VALUES}\n",
            "text/csv; charset=utf-8; Strict=True",
        ),
    ],
)
def test_a_strict_request_with_such_a_row_is_refused(model_folder: Path, body: str, content_type: str) -> None:
    refused = invoke(serve.model_fn(str(model_folder)), body, content_type)
    assert refused.status_code == 400
    sentence = (
        "Row 2: district 'moon' is a level that no training row had; without strict it is answered with warnings."
    )
    assert refused.get_data(as_text=True) == sentence


@pytest.mark.parametrize(
    ("body", "content_type", "sentence"),
    [
        (json.dumps({"instances": [ROW], "strict": 1}), JSON, "The body's strict is neither true nor false."),
        (json.dumps({"instances": [ROW], "comparables": 5}), JSON, "The body's comparables is neither true nor false."),
        (json.dumps({**ROW, "strict": True}), JSON, "Row 1 has the unexpected field strict."),
        (json.dumps(ROW), f"{JSON}; strict=yes", "The content type's parameter strict is 'yes', not true or false."),
        (json.dumps(ROW), f"{JSON}; strict", "The content type's parameter strict is '', not true or false."),
    ],
)
def test_a_strictness_that_is_not_understood_is_refused(
    model_folder: Path, body: str, content_type: str, sentence: str
) -> None:
    refused = invoke(serve.model_fn(str(model_folder)), body, content_type)
    assert (refused.status_code, refused.get_data(as_text=True)) == (400, sentence)


def test_a_strict_request_of_rows_like_the_training_rows_is_answered(model_folder: Path) -> None:
    model = serve.model_fn(str(model_folder))
    plain = invoke(model, json.dumps(ROW), JSON)
    assert invoke(model, json.dumps({"instances": [ROW], "strict": True}), JSON) == plain
    assert invoke(model, json.dumps({"instances": [ROW], "strict": False}), JSON) == plain
    assert invoke(model, json.dumps(ROW), f"{JSON};strict=true") == plain


def test_a_model_that_cannot_predict_does_not_come_into_service(model_folder: Path) -> None:
    """What fails at each request would otherwise be seen by clients first."""
    path = model_folder / "features.json"
    features = json.loads(path.read_text())
    del features["fill"]["area"]
    path.write_text(json.dumps(features))
    with pytest.raises(KeyError, match="area"):
        serve.model_fn(str(model_folder))


SHIPPED = """
import json, sys
folder = sys.argv[1]
sys.path.insert(0, folder + "/code")
from steps import serve
assert serve.__file__.startswith(folder), serve.__file__
for name in ("sklearn", "great_expectations", "yaml", "boto3", "werkzeug"):
    assert name not in sys.modules, name
model = serve.model_fn(folder)
print(serve.predict_fn(serve.input_fn(sys.argv[2], "application/json"), model).score[0] > 0)
refusal = serve.output_fn(serve.predict_fn(("{}", "application/json"), model), None)
print(refusal.status_code, refusal.get_data(as_text=True))
"""


@pytest.mark.e2e
def test_shipped_code_serves_alone_under_the_contract_of_the_image(model_folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-c", SHIPPED, str(model_folder), json.dumps(ROW)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[0] == "True"
    assert result.stdout.splitlines()[1].startswith("400 Row 1 lacks the fields signed, area")


def test_a_prediction_that_is_not_a_number_is_refused_with_500_and_a_line_for_the_metric_filter(
    model_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = serve.model_fn(str(model_folder))
    levels = {**model.linear.levels, "district": {**model.linear.levels["district"], "south": float("nan")}}
    broken = replace(model, linear=replace(model.linear, levels=levels))
    other = {**ROW, "district": "north"}
    response = invoke(broken, json.dumps({"instances": [other, ROW, ROW]}), JSON)
    assert response.status_code == 500
    assert response.get_data(as_text=True) == f"Row 2: the model {model.identity} predicts what is not a number."
    assert capsys.readouterr().err == f"Invalid prediction by model {model.identity}: 2 of 3 rows\n"
    answer, _ = invoke(broken, json.dumps({"instances": [other]}), JSON)
    assert json.loads(answer)["predictions"][0]["score"] > 0
    assert capsys.readouterr().err == ""
