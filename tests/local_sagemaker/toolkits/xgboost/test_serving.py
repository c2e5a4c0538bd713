"""A model of the algorithm behind the hosting contract: the image's content types and statuses."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from local_sagemaker.toolkits.xgboost.selected_output import selected
from local_sagemaker.toolkits.xgboost.serving import Scoring


@pytest.fixture(name="model")
def model_fixture(tmp_path: Path) -> Path:
    rows = np.array([[i % 7, i % 3] for i in range(60)], float)
    booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(rows, label=rows.sum(axis=1)), 5)
    booster.save_model(tmp_path / "xgboost-model")
    (tmp_path / "code").mkdir()
    (tmp_path / ".DS_Store").write_text("no model")
    return tmp_path


def ask(model: Path, body: str, content_type: str = "text/csv", accept: str = "", **variables: str) -> Any:
    answer = Scoring(str(model), variables)(body.encode(), content_type, {"Accept": accept})
    return answer.status, answer.content_type.partition(";")[0], answer.body.decode()


def test_csv_is_answered_with_a_line_for_each_row(model: Path) -> None:
    status, content_type, body = ask(model, "1,2\n3,1\n")
    assert (status, content_type) == (200, "text/csv")
    first, second = map(float, body.splitlines())
    booster = xgboost.Booster(model_file=model / "xgboost-model")
    assert booster.predict(xgboost.DMatrix(np.array([[1.0, 2], [3, 1]]))).tolist() == pytest.approx([first, second])
    assert ask(model, "0:1 1:2", "text/libsvm")[2] == f"{first}\n"


def test_json_has_a_score_for_each_row(model: Path) -> None:
    status, content_type, body = ask(model, "1,2\n3,1", accept="application/json")
    assert (status, content_type) == (200, "application/json")
    assert [list(each) for each in json.loads(body)["predictions"]] == [["score"], ["score"]]


def test_a_transform_gets_lines_whatever_it_accepts(model: Path) -> None:
    lines = ask(model, "1,2\n3,1", accept="application/json", SAGEMAKER_BATCH="true")[2]
    assert len(lines.splitlines()) == 2
    assert lines.endswith("\n")


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status"),
    [
        ("", "text/csv", "", 204),
        ("1,2", "application/json", "", 415),
        ("a,b", "text/csv", "", 415),
        ("1,2,3", "text/csv", "", 400),
        ("1,2", "text/csv", "text/html", 406),
        ("1,2", "text/csv", "application/jsonlines", 500),
    ],
)
def test_what_cannot_be_answered_has_the_image_s_status(
    model: Path, body: str, content_type: str, accept: str, status: int
) -> None:
    assert ask(model, body, content_type, accept)[0] == status


def test_several_models_are_an_ensemble(model: Path) -> None:
    one = float(ask(model, "1,2")[2])
    (model / "zero-model").write_bytes((model / "xgboost-model").read_bytes())
    assert float(ask(model, "1,2")[2]) == pytest.approx(one)
    assert float(ask(model, "1,2", SAGEMAKER_INFERENCE_ENSEMBLE="false")[2]) == pytest.approx(one)


def test_a_folder_without_a_model_cannot_be_served(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no model file"):
        Scoring(str(tmp_path), {})
    (tmp_path / "xgboost-model").write_bytes(b"x")
    with pytest.raises(ValueError, match="cannot be loaded"):
        Scoring(str(tmp_path), {})


def test_the_output_is_selected() -> None:
    keys = ["predicted_label", "probability", "predicted_score"]
    found = selected(np.array([0.25, 0.75]), keys, "binary:logistic", 0, "text/csv")
    assert found == "0,0.25,nan\n1,0.75,nan"
    rows = selected(np.array([[0.1, 0.7, 0.2]]), ["predicted_label", "labels"], "multi:softprob", 3, "application/json")
    assert json.loads(rows) == {"predictions": [{"predicted_label": 1, "labels": [0, 1, 2]}]}
    assert selected(np.array([0.5]), ["probabilities"], "binary:logistic", 0, "text/csv") == '"[0.5, 0.5]"'
    with pytest.raises(ValueError, match="Objective `rank:map` unsupported"):
        selected(np.array([0.5]), keys, "rank:map", 0, "text/csv")
