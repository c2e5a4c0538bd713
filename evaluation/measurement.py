"""evaluation.json: the candidates, the interval, the segments and the champion, measured on the test rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from evaluation.bias import SegmentError
from evaluation.bootstrap import CONFIDENCE, confidence_interval, metric_draws, standard_deviation
from evaluation.champion import Champion, improvement
from evaluation.plain_boosting import NAME as PLAIN
from steps.failure import JobError
from steps.interval import coverage
from steps.metrics import regression_metrics
from steps.other_libraries import XGBOOST
from steps.row_source import RowSource

BASELINE, CHAMPION = "linear", "champion"


@dataclass(frozen=True)
class Scored:
    """The typed raw test rows with what each model says of them; `interval` holds lower and upper bounds.

    registered: the candidate that is to be registered.
    """

    rows: RowSource
    actual: np.ndarray
    predictions: Mapping[str, np.ndarray]
    interval: tuple[np.ndarray, np.ndarray]
    champion: Champion
    registered: str = XGBOOST

    @property
    def challenger(self) -> np.ndarray:
        """The predictions of the model that is to be registered."""
        return self.predictions[self.registered]

    @cached_property
    def draws(self) -> dict[str, dict[str, np.ndarray]]:
        """The metrics of each candidate, and of the champion where it predicts, on each of the same resamples."""
        champion = {} if self.champion.predicted is None else {CHAMPION: self.champion.predicted}
        return metric_draws(self.actual, {**self.predictions, **champion})

    def batches(self) -> Iterator[tuple[slice, pd.DataFrame]]:
        """The rows batch after batch, and the places of each batch."""
        first = 0
        for table in self.rows.batches():
            yield slice(first, first + len(table)), table
            first += len(table)


def of_the_model(scored: Scored, segments: Sequence[SegmentError], wanted_coverage: float) -> dict[str, Any]:
    """What evaluation.json says of the challenger alone: interval, worst of the `segments`, and the count of rows.

    Raises JobError where a metric is not defined.
    """
    mape = _defined_metrics(scored.actual, scored.challenger)["mape"]
    return {
        "registered": scored.registered,
        "interval": _interval(scored, wanted_coverage),
        "worst_segment": _worst_segment(scored, segments, mape),
        "data": {"test_rows": len(scored.actual)},
    }


def compared(scored: Scored, earlier_looks: int = 0) -> dict[str, Any]:
    """What evaluation.json says of all models, in the layout of SageMaker's model quality statistics.

    Source: "Model Quality Metrics", SageMaker Developer Guide: regression_metrics.<metric>.{value,
    standard_deviation}. They are those of the challenger. Standard deviations and the interval of the improvement,
    which `earlier_looks` of other models widen, are over one set of bootstrap resamples. Raises JobError where a metric
    is not defined.
    """
    models, challenger, draws = dict(scored.predictions), scored.registered, scored.draws
    if scored.champion.predicted is not None:
        models[CHAMPION] = scored.champion.predicted
    measured = {name: metrics_of(scored.actual, predicted, draws[name]) for name, predicted in models.items()}
    rmse = {name: metrics["rmse"]["value"] for name, metrics in measured.items()}
    champion: dict[str, Any] = {"status": scored.champion.status}
    if scored.champion.predicted is not None:
        pair = [draws[name]["rmse"] for name in (challenger, CHAMPION)]
        champion["metrics"] = measured.pop(CHAMPION)
        champion["improvement"] = improvement(pair[0], pair[1], (rmse[challenger], rmse[CHAMPION]), earlier_looks)
    elif scored.champion.reason:
        champion["reason"] = scored.champion.reason
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = draws[challenger]["rmse"] / draws[BASELINE]["rmse"]
    ratio = {"value": _ratio(rmse[challenger], rmse[BASELINE]), "standard_deviation": standard_deviation(ratios)}
    return {
        "regression_metrics": measured[challenger],
        "candidates": measured,
        "comparison": {"rmse_ratio": ratio, "baseline_ratio": _baseline_ratio(challenger, rmse, draws)},
        "champion": champion,
    }


def metrics_of(actual: np.ndarray, predicted: np.ndarray, draws: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Each metric's value and standard deviation over bootstrap `draws`; JobError where one is not defined."""
    return {
        metric: {"value": value, "standard_deviation": standard_deviation(draws[metric])}
        for metric, value in _defined_metrics(actual, predicted).items()
    }


def _defined_metrics(actual: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    measured = regression_metrics(actual, predicted)
    undefined = [metric for metric, value in measured.items() if not np.isfinite(value)]
    if undefined:
        raise JobError(
            f"The metric {undefined[0]} is not defined on the {len(actual):,} rows "
            "(r2 needs targets that differ, mape one that is not zero): give more data."
        )
    return measured


def _baseline_ratio(
    challenger: str, rmse: Mapping[str, float], draws: Mapping[str, Mapping[str, np.ndarray]]
) -> dict[str, float]:
    """The challenger's RMSE over that of the plain boosting, with its confidence interval over the same resamples."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = draws[challenger]["rmse"] / draws[PLAIN]["rmse"]
    value = _ratio(rmse[challenger], rmse[PLAIN])
    low, high = confidence_interval(ratios) if np.isfinite(ratios).any() else (value, value)
    return {"value": value, "lower": low, "upper": high, "confidence": CONFIDENCE}


def _ratio(error: float, other: float) -> float:
    """1 where both are without error: then neither is better."""
    return error / other if other > 0 else 1.0


def _interval(scored: Scored, wanted: float) -> dict[str, Any]:
    lower, upper = scored.interval
    share = coverage(scored.actual, lower, upper)
    deviation = float(np.sqrt(share * (1 - share) / len(scored.actual)))
    width = np.abs(upper - lower) / np.maximum(np.abs(scored.challenger), np.finfo(float).tiny)
    return {
        "coverage": wanted,
        "measured": {"value": share, "standard_deviation": deviation},
        "median_width": {"value": float(np.median(upper - lower)), "share_of_prediction": float(np.median(width))},
    }


def _worst_segment(scored: Scored, segments: Sequence[SegmentError], mape: float) -> dict[str, Any]:
    """The segment with the highest MAPE, of those that are large enough; all rows where none is."""
    worst = {"name": "all rows", "rows": len(scored.actual), "mape": mape}
    for segment in segments:
        if not segment.small and segment.mape is not None and (segment.mape > mape or worst["name"] == "all rows"):
            mape = segment.mape
            worst = {"name": f"{segment.column} {segment.name}", "rows": segment.rows, "mape": mape}
    return worst
