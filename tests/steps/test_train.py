"""Training is reproducible, stops early, beats the line it starts from, and leaves data, never pickles."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from steps.failure import JobError
from steps.model import load
from steps.part_files import read_parts
from steps.train import hyperparameter_arguments, main
from tests.steps.conftest import channels as steps_channels

ROOT = Path(__file__).parents[2]
MODEL_FILES = ("xgboost.ubj", "linear.json", "interval.ubj", "interval.json", "features.json", "model.json")


def channels(folder: Path) -> dict[str, str]:
    return {f"SM_CHANNEL_{name.upper()}": str(folder / name) for name in ("train", "validation", "features")}


@pytest.mark.e2e
def test_job_as_sagemaker_starts_it(preprocessed: Path, tmp_path: Path) -> None:
    """Channels and model folder by environment, hyperparameters as texts, metrics by regular expression."""
    environment = {**os.environ, **channels(preprocessed), "SM_MODEL_DIR": str(tmp_path / "model")}
    command = [sys.executable, "-m", "steps.train", "--learning_rate", "0.1", "--max_depth", "3", "--rounds", "200"]
    command += ["--_tuning_objective_metric", "validation:rmse"]  # as a tuning job gives it to its training jobs
    result = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    metrics = dict(re.findall(r"^([\w:]+)=([0-9.]+);$", result.stdout, flags=re.MULTILINE))
    assert float(metrics["validation:rmse"]) < float(metrics["validation:linear_rmse"])
    assert float(metrics["train:rounds"]) < 200


def test_without_arguments_the_hyperparameters_are_those_of_the_jobs_file(
    preprocessed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**channels(preprocessed), "SM_MODEL_DIR": str(tmp_path / "model")}.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "hyperparameters.json"
    monkeypatch.setattr("steps.train.HYPERPARAMETERS_FILE", file)
    file.write_text(json.dumps({"max_depth": "2", "rounds": "7"}))
    main([])
    used = json.loads((tmp_path / "model" / "model.json").read_text())["hyperparameters"]
    assert (used["max_depth"], used["rounds"]) == (2, 7)
    file.write_text(json.dumps({"max_depth": "deep"}))
    with pytest.raises(JobError, match="--max_depth: 'deep' is not an integer"):
        main([])


@pytest.mark.parametrize(("text", "words"), [("{", "are not JSON"), ("[1]", "are not an object")])
def test_a_file_of_hyperparameters_that_is_none_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "hyperparameters.json"
    assert hyperparameter_arguments(file) == []  # there is none
    file.write_text(text)
    with pytest.raises(JobError, match=words):
        hyperparameter_arguments(file)


def test_model_folder_is_data_and_serving_code(model_folder: Path) -> None:
    files = {str(path.relative_to(model_folder)) for path in model_folder.rglob("*") if path.is_file()}
    assert {
        "xgboost.ubj",
        "interval.ubj",
        "interval.json",
        "linear.json",
        "features.json",
        "model.json",
        "code/steps/serve.py",
    } <= files
    assert {Path(name).suffix for name in files} == {".ubj", ".json", ".py"}
    metadata = json.loads((model_folder / "model.json").read_text())
    assert metadata["target"] == {
        "name": "rent",
        "unit": "EUR",
        "scale": "log",
        "range": metadata["target"]["range"],
    }
    assert [field["name"] for field in metadata["inputs"]] == ["signed", "area", "rooms", "lift", "district"]
    assert metadata["hyperparameters"]["max_depth"] == 3


@pytest.mark.e2e
def test_same_input_gives_the_same_bytes(preprocessed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in channels(preprocessed).items():
        monkeypatch.setenv(name, value)
    for name in ("one", "two"):
        main(["--model_dir", str(tmp_path / name), "--rounds", "20"])
    for file in MODEL_FILES:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.e2e
def test_rows_in_a_file_and_external_memory_give_the_same_model(
    preprocessed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several batches, to the last byte: with the rows in a file, and with XGBoost's there too."""
    monkeypatch.setenv("SM_OUTPUT_DIR", str(tmp_path / "output"))
    monkeypatch.setattr("steps.batches.ROWS", 100)
    given = [*steps_channels(preprocessed), "--rounds", "20", "--start", "out_of_fold_line", "--model_dir"]
    main([*given, str(tmp_path / "memory")])
    monkeypatch.setattr("steps.stored_table.MOST_HELD", 0)
    main([*given, str(tmp_path / "file")])
    main([*given, str(tmp_path / "external"), "--external_memory", "True"])
    for file in MODEL_FILES:
        expected = (tmp_path / "memory" / file).read_bytes()
        assert (tmp_path / "file" / file).read_bytes() == expected, file
        assert (tmp_path / "external" / file).read_bytes() == expected, file
    assert list((tmp_path / "output").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--external_memory", "1"], "--external_memory: '1' is neither true nor false"),
        (["--max_depth", "deep"], "--max_depth: 'deep' is not an integer from 1 to 64"),
        (["--subsample", "1.5"], "--subsample: '1.5' is not a number"),
        (["--learning_rate", "nan"], "--learning_rate: 'nan' is not a number"),
        (["--start", "median"], "--start: invalid choice: 'median'"),
        (["--colour", "red"], "unrecognized arguments: --colour red"),
        (["--features", "/none"], "/none/features.json do not exist: run steps.preprocess"),
        (["--train", "/none"], "There is no Parquet file with rows in /none"),
    ],
)
def test_wrong_arguments_are_named(
    preprocessed: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    for name, value in channels(preprocessed).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(JobError, match=message):
        main(arguments)


def test_features_of_another_run_are_refused(
    preprocessed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in channels(preprocessed).items():
        monkeypatch.setenv(name, value)
    path = preprocessed / "features" / "features.json"
    path.write_text(path.read_text().replace('"month"', '"moon"'))
    with pytest.raises(JobError, match="come from different runs"):
        main(["--model_dir", str(tmp_path / "model")])
    assert not (tmp_path / "model").exists()


@pytest.mark.e2e
def test_a_table_of_many_batches_gives_the_model_of_one(
    preprocessed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trees see the same cuts, and sums differ by rounding alone; a batch of one row is none too small."""
    arguments = ["--rounds", "20", "--max_depth", "3", "--start", "out_of_fold_line"]
    found = []
    for rows in (1 << 18, 97):
        monkeypatch.setattr("steps.batches.ROWS", rows)
        main([*steps_channels(preprocessed), "--model_dir", str(tmp_path / str(rows)), *arguments])
        found.append(load(tmp_path / str(rows)))
    table = read_parts(preprocessed / "validation")[list(found[0].features.names)]
    whole, many = (model.predict_features(table) for model in found)
    np.testing.assert_allclose(many, whole, rtol=1e-5)
    bounds = [model.interval_features(table, whole) for model in found]
    np.testing.assert_allclose(bounds[1], bounds[0], rtol=1e-5)
