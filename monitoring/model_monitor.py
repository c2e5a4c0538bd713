"""The window in the file layouts of SageMaker Model Monitor, for those who read them.

Source: "Schema for Statistics", "Schema for Violations" and "Model Quality Metrics" of the SageMaker Developer Guide.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.baselines import of_data, quality_statistics
from evaluation.bootstrap import metric_draws, standard_deviation
from monitoring.checks import Check
from monitoring.decision import Decision
from monitoring.sample import Sample
from steps.artifacts import write_json
from steps.metrics import regression_metrics
from steps.settings import DataSettings

# The kind of check that Model Monitor would call it, by how the name of ours begins.
KINDS = {
    "schema": "missing_column_check",
    "scale": "data_type_check",
    "values": "categorical_values_check",
    "inputs": "baseline_drift_check",
    "level": "GreaterThanThreshold",
    "error": "GreaterThanThreshold",
    "coverage": "LessThanThreshold",
    "places": "GreaterThanThreshold",
}


def write_layouts(
    output: Path, backtest: Sample | None, inputs: pd.DataFrame, decision: Decision, data: DataSettings
) -> None:
    """Write constraint_violations.json, and statistics.json and constraints.json of the inputs and the quality.

    There are no statistics of what the window has not.
    """
    write_json(output / "constraint_violations.json", {"version": 0.0, "violations": violations(decision)})
    if len(inputs):
        statistics, constraints = of_data(inputs, data.inputs)
        write_json(output / "data_quality" / "statistics.json", statistics, indent=None)
        write_json(output / "data_quality" / "constraints.json", constraints, indent=None)
    if backtest is not None and len(backtest) > 1:
        draws = metric_draws(backtest.actual, {"model": backtest.predicted})["model"]
        metrics = {
            name: {"value": value, "standard_deviation": standard_deviation(draws[name])}
            for name, value in regression_metrics(backtest.actual, backtest.predicted).items()
        }
        defined = {name: each for name, each in metrics.items() if each["value"] == each["value"]}
        write_json(output / "model_quality" / "statistics.json", quality_statistics(defined, len(backtest)))


def violations(decision: Decision) -> list[dict[str, Any]]:
    """One entry for each check that is raised, acknowledged or not."""
    return [_violation(check) for check in decision.checks if check.name in decision.raised]


def _violation(check: Check) -> dict[str, Any]:
    kind = KINDS[check.name.partition(" ")[0]]
    return {"feature_name": check.name, "constraint_check_type": kind, "description": check.sentence}
