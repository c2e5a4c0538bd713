"""The statistics of a sample with their intervals, next to those at registration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from evaluation.bootstrap import confidence_interval, metric_draws, resamples
from evaluation.ratio_study import ratio_study
from monitoring.sample import Sample
from steps.metrics import regression_metrics

RATIOS = ("median_ratio", "cod", "vei")
MOST_RATIO_ROWS = 20_000  # of a larger sample so many are drawn: a median of a thousand resamples takes long


def measured(sample: Sample) -> dict[str, Any]:
    """Return statistic -> {"value", "interval"}: r2, mape, median_ratio, cod, vei, coverage.

    Intervals hold with 95 %, from a bootstrap of the rows; None for what these rows do not define.
    """
    values: dict[str, Any] = dict(regression_metrics(sample.actual, sample.predicted))
    draws: dict[str, np.ndarray] = dict(metric_draws(sample.actual, {"model": sample.predicted})["model"])
    study = ratio_study(sample.actual, sample.predicted)
    values |= {name: getattr(study, name) for name in RATIOS}
    draws |= _ratio_draws(sample)
    inside = sample.inside
    values["coverage"] = float(inside.mean()) if len(inside) else None
    resampled = resamples(len(inside)) if len(inside) else ()
    draws["coverage"] = np.array([counts @ inside / len(inside) for counts in resampled])
    return {name: _entry(values[name], draws[name]) for name in ("r2", "mape", *RATIOS, "coverage")}


def mape(sample: Sample) -> dict[str, Any]:
    """The MAPE alone, as `measured` gives it: {"value", "interval"}."""
    draws = metric_draws(sample.actual, {"model": sample.predicted})["model"]["mape"]
    return _entry(regression_metrics(sample.actual, sample.predicted)["mape"], draws)


def level(sample: Sample) -> float:
    """The median of predicted / actual, less 1: 0.02 where half of the predictions are more than 2 % too high."""
    return float(np.expm1(np.median(sample.known_ratios)))


def interval_of(statistic: Callable[..., float], *samples: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of a statistic of independent samples, each drawn again with replacement."""
    streams = [resamples(len(values), seed) for seed, values in enumerate(samples)]
    draws = [
        statistic(*(np.repeat(values, counts) for values, counts in zip(samples, drawn, strict=True)))
        for drawn in zip(*streams, strict=False)
    ]
    return confidence_interval(np.array(draws))


def _ratio_draws(sample: Sample) -> dict[str, np.ndarray]:
    places = np.linspace(0, len(sample) - 1, min(len(sample), MOST_RATIO_ROWS)).astype(int)
    actual, predicted = sample.actual[places], sample.predicted[places]
    found: Mapping[str, list[float]] = {name: [] for name in RATIOS}
    for counts in resamples(len(places)):
        study = ratio_study(np.repeat(actual, counts), np.repeat(predicted, counts))
        for name in RATIOS:
            value = getattr(study, name)
            found[name].append(np.nan if value is None else value)
    return {name: np.array(values) for name, values in found.items()}


def _entry(value: float | None, draws: np.ndarray) -> dict[str, Any]:
    if value is None or not np.isfinite(value) or not np.isfinite(draws).any():
        return {"value": None, "interval": None}
    return {"value": float(value), "interval": list(confidence_interval(draws))}
