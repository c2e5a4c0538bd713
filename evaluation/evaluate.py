"""Evaluate: measure the candidates on the test rows, which no other step has seen."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evaluation.archive import unpack
from evaluation.bootstrap import standard_deviations
from evaluation.report import render
from steps.artifacts import write_json, write_parquet, write_text
from steps.failure import JobArgumentParser, JobError, run_job
from steps.metrics import regression_metrics
from steps.model import CANDIDATES, Model, load
from steps.raw_data import find_file


def main(arguments: Sequence[str]) -> None:
    """Run the job with command-line arguments. Raises JobError."""
    parser = JobArgumentParser(prog="evaluation.evaluate", description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("/opt/ml/processing/input/model"))
    parser.add_argument("--test", type=Path, default=Path("/opt/ml/processing/input/test"))
    parser.add_argument("--output", type=Path, default=Path("/opt/ml/processing/output/evaluation"))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        unpack(options.model / "model.tar.gz", Path(folder))
        model = load(Path(folder))
    document = evaluate(model, options.test, options.output)
    unit = model.features.target_unit
    for name, metrics in document["candidates"].items():
        values = {key: metric["value"] for key, metric in metrics.items()}
        print(
            f"{name}: RMSE {values['rmse']:,.0f} {unit}, MAE {values['mae']:,.0f} {unit}, "
            f"MAPE {values['mape']:.2%}, R2 {values['r2']:.4f}"
        )


def evaluate(model: Model, test: Path, output: Path) -> dict[str, Any]:
    """Write evaluation.json, predictions.parquet and evaluation.html; return evaluation.json's content.

    `test` is the folder with the raw test rows. Raises JobError when a prediction is NaN or infinite,
    or a metric is not defined for these rows.
    """
    rows = pd.read_parquet(find_file(test))
    actual = rows[model.features.target].to_numpy(dtype=float)
    predictions = {name: _finite(model.predict(rows, name), name) for name in CANDIDATES}
    document = _document(actual, predictions)
    write_parquet(output / "predictions.parquet", _table(rows, predictions))
    write_text(output / "evaluation.html", render(document, model.metadata, actual, predictions))
    write_json(output / "evaluation.json", document)
    return document


def _finite(predicted: np.ndarray, candidate: str) -> np.ndarray:
    wrong = int(np.count_nonzero(~np.isfinite(predicted)))
    if wrong:
        raise JobError(
            f"The candidate {candidate} predicts NaN or infinity for {wrong:,} of {len(predicted):,} test rows: "
            "the model cannot be used, look at its features and hyperparameters."
        )
    return predicted


def _document(actual: np.ndarray, predictions: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Build evaluation.json, in the layout of SageMaker's model quality statistics.

    Source: "Model Quality Metrics", SageMaker Developer Guide: regression_metrics.<metric>.{value,
    standard_deviation}. They are those of XGBoost, which is what gets registered.
    """
    deviations = standard_deviations(actual, predictions)
    candidates = {}
    for name, predicted in predictions.items():
        measured = regression_metrics(actual, predicted)
        undefined = [metric for metric, value in measured.items() if not np.isfinite(value)]
        if undefined:
            raise JobError(
                f"The metric {undefined[0]} is not defined on the {len(actual):,} test rows "
                "(r2 needs targets that differ, mape one that is not zero): give more data."
            )
        candidates[name] = {
            metric: {"value": value, "standard_deviation": deviations[name][metric]}
            for metric, value in measured.items()
        }
    rmse = {name: metrics["rmse"]["value"] for name, metrics in candidates.items()}
    ratio = {
        "value": rmse["xgboost"] / rmse["linear"],
        "standard_deviation": deviations["comparison"]["rmse_ratio"],
    }
    return {
        "regression_metrics": candidates["xgboost"],
        "candidates": candidates,
        "comparison": {"rmse_ratio": ratio},
        "data": {"test_rows": len(actual)},
    }


def _table(rows: pd.DataFrame, predictions: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """The raw rows with a column `prediction_<candidate>` for each candidate."""
    columns = {f"prediction_{name}": predicted for name, predicted in predictions.items()}
    return rows.assign(**columns)


if __name__ == "__main__":
    run_job(main)
