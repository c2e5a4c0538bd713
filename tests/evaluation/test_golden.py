"""Golden rows are requests that the endpoint's handlers read, with what they answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.evaluate import Inputs
from evaluation.golden import ROWS, golden
from steps.archive import unpack
from steps.model import Model, load
from steps.raw_data import find_file
from steps.row_source import stored_rows
from steps.serve import Refusal, input_fn, model_fn, output_fn, predict_fn


@pytest.fixture
def folder(archive_folder: Path, tmp_path: Path) -> Path:
    unpack(archive_folder / "model.tar.gz", tmp_path / "model")
    return tmp_path / "model"


def ask(model: Model, body: str) -> dict[str, object]:
    answer, _ = output_fn(predict_fn(input_fn(body, "application/json"), model), "application/json")
    document: dict[str, object] = json.loads(answer)
    return document


def test_the_model_answers_each_golden_row_as_kept_and_refuses_the_faulty_ones(folder: Path, inputs: Inputs) -> None:
    kept = json.loads(json.dumps(golden(load(folder), stored_rows(find_file(inputs.test)))))
    model = model_fn(str(folder))
    assert len(kept["instances"]) == len(kept["predictions"]) == ROWS
    for instance, expected in zip(kept["instances"], kept["predictions"], strict=True):
        answer = ask(model, json.dumps({"instances": [instance]}))
        assert answer["predictions"][0]["score"] == pytest.approx(expected, rel=1e-9)  # type: ignore[index]
        assert answer["model"] == kept["model"]
    for faulty in kept["faulty"]:
        refused = predict_fn(input_fn(json.dumps({"instances": [faulty]}), "application/json"), model)
        assert isinstance(refused, Refusal)
        assert 400 <= refused.status < 500


def test_the_identity_is_that_of_the_files_and_not_of_the_code(folder: Path) -> None:
    before = load(folder).identity
    (folder / "code").mkdir(exist_ok=True)
    (folder / "code" / "more.py").write_text("x = 1")
    assert load(folder).identity == before
    metadata = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**metadata, "x": 1}))
    assert load(folder).identity != before
