"""Evaluation measures on the test rows what SageMaker's registry and the gates will read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from evaluation.evaluate import evaluate, main
from pipelines.sample_data import CONFIGURATION, DATA_FOLDER, fetch
from steps.failure import JobError
from steps.linear import LinearModel
from steps.model import Model

ROOT = Path(__file__).parents[2]


def test_outputs_from_a_model_archive(archive_folder: Path, test_folder: Path, tmp_path: Path) -> None:
    main(["--model", str(archive_folder), "--test", str(test_folder), "--output", str(tmp_path / "out")])
    document = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert set(document["regression_metrics"]) == {"mae", "mse", "rmse", "r2", "mape"}
    for metric in document["regression_metrics"].values():
        assert set(metric) == {"value", "standard_deviation"}
    assert document["regression_metrics"] == document["candidates"]["xgboost"]
    rmse = {name: metrics["rmse"]["value"] for name, metrics in document["candidates"].items()}
    assert document["comparison"]["rmse_ratio"]["value"] == rmse["xgboost"] / rmse["linear"]
    assert document["data"] == {"test_rows": 100}
    predictions = pd.read_parquet(tmp_path / "out" / "predictions.parquet")
    error = predictions["prediction_xgboost"] - predictions["cost"]
    assert np.sqrt((error**2).mean()) == pytest.approx(rmse["xgboost"])


def test_same_model_and_rows_give_the_same_digits(model: Model, test_folder: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        evaluate(model, test_folder, tmp_path / name)
    for file in ("evaluation.json", "evaluation.html", "predictions.parquet"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_nan_predictions_fail_the_step_and_leave_nothing(model: Model, test_folder: Path, tmp_path: Path) -> None:
    broken = replace(model, linear=LinearModel(float("nan"), model.linear.coefficients, model.linear.levels))
    with pytest.raises(JobError, match="predicts NaN or infinity for 100 of 100 test rows"):
        evaluate(broken, test_folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_metric_that_is_not_defined_is_named(model: Model, rows: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    rows.head(1).to_parquet(tmp_path / "one" / "test.parquet")
    with pytest.raises(JobError, match="metric r2 is not defined on the 1 test rows"):
        evaluate(model, tmp_path / "one", tmp_path / "out")


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("split", "min_r2", "max_mape", "max_ratio"), [("hash", 0.89, 0.125, 0.95), ("time", 0.87, 0.13, 1)]
)
def test_quality_on_the_house_prices(
    tmp_path: Path, split: str, min_r2: float, max_mape: float, max_ratio: float
) -> None:
    """The four jobs as processes, on the default data and with the YAML's hyperparameters."""
    configuration = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))
    sections = {key: configuration[key] for key in ("data", "validation")}
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({**sections, "split": split}))
    raw, _ = fetch(CONFIGURATION, DATA_FOLDER)
    hyperparameters = [f"--{name}={value}" for name, value in configuration["candidates"]["xgboost"].items()]

    def run(module: str, *arguments: object) -> None:
        command = [sys.executable, "-m", module, *map(str, arguments)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "SM_OUTPUT_DIR": str(tmp_path / "none")}, check=True)

    parts, model = tmp_path / "parts", tmp_path / "model"
    run("steps.validate", "--input", raw, "--output", tmp_path / "valid", "--settings", settings)
    run("steps.preprocess", "--input", tmp_path / "valid/validated", "--output", parts, "--settings", settings)
    channels = [f"--{name}={parts / name}" for name in ("train", "validation", "features")]
    run("steps.train", *channels, "--model_dir", model, *hyperparameters)
    subprocess.run(["tar", "-C", model, "-czf", tmp_path / "model.tar.gz", "."], check=True)
    run("evaluation.evaluate", "--model", tmp_path, "--test", parts / "test", "--output", tmp_path / "out")
    document = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert document["regression_metrics"]["r2"]["value"] >= min_r2
    assert document["regression_metrics"]["mape"]["value"] <= max_mape
    assert document["comparison"]["rmse_ratio"]["value"] <= max_ratio
