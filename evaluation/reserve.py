"""Score the reserve part: rows that were kept back from training, tuning and every evaluation until a promotion.

The test part is looked at again and again, and of many models one is best there by chance. This job runs once for a
version, when `promote` starts it, with the limits that its evaluation had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evaluation.bootstrap import metric_draws
from evaluation.gates import OF_RESERVE, Limits, gates_of_reserve
from evaluation.measurement import metrics_of
from steps import features as feature_module
from steps.archive import load_archive
from steps.artifacts import write_json
from steps.failure import JobArgumentParser, JobError, run_job
from steps.interval import coverage
from steps.model import Model
from steps.raw_data import find_file

INPUT = Path("/opt/ml/processing/input")
FILE = "reserve.json"


def main(arguments: Sequence[str]) -> None:
    """Run the job with command-line arguments. Raises JobError."""
    parser = JobArgumentParser(prog="evaluation.reserve", description=__doc__)
    parser.add_argument("--model", type=Path, default=INPUT / "model")
    parser.add_argument("--reserve", type=Path, default=INPUT / "reserve")
    parser.add_argument("--output", type=Path, default=Path("/opt/ml/processing/output/reserve"))
    for name in OF_RESERVE:
        parser.add_argument(f"--{name}", type=float, required=True)
    options = parser.parse_args(arguments)
    limits = {field.name: float(getattr(options, field.name, "nan")) for field in fields(Limits)}
    rows = pd.read_parquet(find_file(options.reserve))
    document = score(load_archive(options.model / "model.tar.gz"), rows, Limits(**limits))
    write_json(options.output / FILE, document)
    metrics, interval = document["regression_metrics"], document["interval"]
    print(
        f"reserve: {len(rows):,} rows, RMSE {metrics['rmse']['value']:,.0f}, MAPE {metrics['mape']['value']:.2%}, "
        f"R2 {metrics['r2']['value']:.4f}; interval: {interval['measured']['value']:.1%} covered"
    )
    print(f"gates: {document['gates']['message'] or 'all passed'}")


def score(model: Model, rows: pd.DataFrame, limits: Limits) -> dict[str, Any]:
    """What the rows of the reserve, raw and typed, say of a model: reserve.json's content.

    Raises JobError where a prediction is NaN or infinite, or a metric is not defined for these rows.
    """
    table = feature_module.transform(rows, model.features)
    predicted = model.predict_features(table, model.library)
    if not np.isfinite(predicted).all():
        raise JobError("The model predicts NaN or infinity for rows of the reserve: it cannot be promoted.")
    actual = rows[model.features.target].to_numpy(dtype=float)
    lower, upper = model.interval_features(table, predicted)
    share = coverage(actual, lower, upper)
    draws = metric_draws(actual, {model.library: predicted})
    document: dict[str, Any] = {
        "regression_metrics": metrics_of(actual, predicted, draws[model.library]),
        "interval": {"coverage": model.interval.coverage, "measured": {"value": share}},
        "data": {"test_rows": len(rows), "validation_rows": int(model.metadata["rows"]["validation"])},
    }
    return {**document, "gates": gates_of_reserve(document, limits)}


if __name__ == "__main__":
    run_job(main)
