"""What monitoring will compare with: statistics and constraints in the layout of SageMaker Model Monitor.

Source: "Schema for Statistics" and "Schema for Constraints" (data quality), "Model Quality Metrics" of the
SageMaker Developer Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steps.artifacts import write_json
from steps.column_settings import Column
from steps.row_source import RowSource

INFERRED = {"integer": "Integral", "boolean": "Integral", "number": "Fractional"}  # all others: String
BUCKETS, SKETCH_SIZE, MOST_DOMAINS = 10, 2048, 100
# A metric may be worse than on the test rows by this many of its standard deviations before it is a violation.
TOLERATED_DEVIATIONS = 2


def of_data(rows: RowSource | pd.DataFrame, inputs: Mapping[str, Column]) -> tuple[dict[str, Any], dict[str, Any]]:
    """statistics.json and constraints.json of the columns that a prediction request holds, over typed raw rows.

    Constraints are type, share of present values, sign, and the values of a category.
    """
    statistics, constraints = list[dict[str, Any]](), list[dict[str, Any]]()
    for name, settings in inputs.items():
        column = rows[name]  # of many rows it is read from their file
        present = column.dropna()
        kind = INFERRED.get(settings.type, "String")
        common = {"num_present": len(present), "num_missing": len(column) - len(present)}
        described, kept = _of_texts(present, common, settings) if kind == "String" else _of_numbers(present, common)
        feature = {"name": name, "inferred_type": kind}
        statistics.append({**feature, **described})
        constraints.append({**feature, "completeness": float(column.notna().mean()), **kept})
    return _statistics(statistics, len(rows)), _constraints(constraints)


def quality_statistics(metrics: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """statistics.json of the model's quality on the test rows; `metrics` as in evaluation.json."""
    return {"version": 0.0, "dataset": {"item_count": rows}, "regression_metrics": dict(metrics)}


def quality_constraints(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """constraints.json of the model's quality: how much worse than on the test rows is a violation."""
    constraints = {}
    for name, metric in metrics.items():
        higher_is_better = name == "r2"
        slack = TOLERATED_DEVIATIONS * metric["standard_deviation"] * (-1 if higher_is_better else 1)
        operator = "LessThanThreshold" if higher_is_better else "GreaterThanThreshold"
        constraints[name] = {"threshold": metric["value"] + slack, "comparison_operator": operator}
    return {"version": 0.0, "regression_constraints": constraints}


def write(output: Path, document: dict[str, Any], of_columns: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Write model_quality/ and data_quality/; `document` is evaluation.json's, `of_columns` what `of_data` gives."""
    metrics = document["regression_metrics"]
    quality, data = output / "model_quality", output / "data_quality"
    write_json(quality / "statistics.json", quality_statistics(metrics, document["data"]["test_rows"]))
    write_json(quality / "constraints.json", quality_constraints(metrics))
    write_json(data / "statistics.json", of_columns[0], indent=None)
    write_json(data / "constraints.json", of_columns[1])


def _statistics(features: list[dict[str, Any]], rows: int) -> dict[str, Any]:
    return {"version": 0.0, "dataset": {"item_count": rows}, "features": features}


def _constraints(features: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "version": 0.0,
        "features": features,
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": 1.0,
            "domain_content_threshold": 1.0,
            "distribution_constraints": {
                "perform_comparison": "Enabled",
                "comparison_threshold": 0.1,
                "comparison_method": "Robust",
            },
        },
    }


def _of_texts(values: pd.Series, common: Mapping[str, int], settings: Column) -> tuple[dict[str, Any], dict[str, Any]]:
    counts = values.value_counts(sort=False)
    counts = counts.groupby(counts.index.astype(str)).sum()
    buckets = [
        {"value": str(value), "count": int(count)}
        for value, count in counts.sort_values(ascending=False, kind="stable").head(MOST_DOMAINS).items()
    ]
    distribution = {"categorical": {"buckets": buckets}}
    statistics = {"common": common, "distinct_count": len(counts), "distribution": distribution}
    named = settings.type == "category" and len(counts) <= MOST_DOMAINS
    constraints = {"string_constraints": {"domains": sorted(counts.index)}} if named else {}
    return {"string_statistics": statistics}, constraints


def _of_numbers(values: pd.Series, common: Mapping[str, int]) -> tuple[dict[str, Any], dict[str, Any]]:
    numbers = np.sort(values.to_numpy(dtype=float))
    lowest, highest = (float(numbers[0]), float(numbers[-1])) if len(numbers) else (0.0, 0.0)
    statistics = {
        "common": common,
        "mean": float(numbers.mean()) if len(numbers) else 0.0,
        "sum": float(numbers.sum()),
        "std_dev": float(numbers.std()) if len(numbers) else 0.0,
        "min": lowest,
        "max": highest,
        "distribution": {"kll": _distribution(numbers)},
    }
    constraints = {"num_constraints": {"is_non_negative": lowest >= 0}}
    return {"numerical_statistics": statistics}, constraints


def _distribution(ordered: np.ndarray) -> dict[str, Any]:
    """Buckets of equal width, and a KLL sketch: in its level i, each item stands for 2**i values."""
    if not len(ordered):
        return {"buckets": [], "sketch": {"parameters": {"c": 0.64, "k": float(SKETCH_SIZE)}, "data": []}}
    edges = np.histogram_bin_edges(ordered, BUCKETS)
    counts = np.diff([0, *np.searchsorted(ordered, edges[1:-1]), len(ordered)])  # np.histogram does not know the order
    buckets = [
        {"lower_bound": float(low), "upper_bound": float(high), "count": float(count)}
        for low, high, count in zip(edges, edges[1:], counts, strict=False)
    ]
    level = max(0, int(np.ceil(np.log2(len(ordered) / SKETCH_SIZE))))
    data: list[list[float]] = [[] for _ in range(level)]
    data.append(ordered[2**level // 2 :: 2**level].tolist())
    return {"buckets": buckets, "sketch": {"parameters": {"c": 0.64, "k": float(SKETCH_SIZE)}, "data": data}}
