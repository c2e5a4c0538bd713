"""Why the error is another than at registration: other houses, another market, or a worse model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.bootstrap import confidence_interval, resamples
from evaluation.segments import Grouping
from monitoring.sample import Sample


@dataclass(frozen=True)
class Decomposition:
    """Parts of the change of the MAPE since registration, as shares; they add up to `now - before`.

    mix: the test part's MAPE with as many houses of each segment as are sold now, less `before`. market: what a
    correction of the level alone would take off; `market_interval` holds with 95 %. model: the rest, which only another
    model could take off.
    """

    before: float
    now: float
    mix: float
    market: float
    market_interval: tuple[float, float]
    model: float


def decompose(reference: Sample, current: Sample, places: Grouping | None) -> Decomposition:
    """Divide the change; `places` divides the rows of the reference and then those of the current sample."""
    before, now = float(np.nanmean(reference.errors)), float(np.nanmean(current.errors))
    mix = _reweighted(reference, places) - before if places is not None else 0.0
    level = float(np.median(current.known_ratios) - np.median(reference.known_ratios))
    corrected = _corrected(current, level)
    market = now - float(np.nanmean(corrected))
    gained = np.nan_to_num(current.errors - corrected)
    draws = np.array([counts @ gained for counts in resamples(len(current))]) / len(current)
    return Decomposition(before, now, mix, market, confidence_interval(draws), now - before - mix - market)


def _corrected(sample: Sample, level: float) -> np.ndarray:
    """The relative errors of predictions whose level is put right."""
    predicted = sample.predicted * np.exp(-level)
    nothing = np.full(len(sample), np.nan)
    errors: np.ndarray = np.divide(
        np.abs(predicted - sample.actual), np.abs(sample.actual), nothing, where=sample.actual != 0
    )
    return errors


def _reweighted(reference: Sample, places: Grouping) -> float:
    codes = places.codes[: len(reference)], places.codes[len(reference) :]
    names = len(places.names)
    counts = [np.bincount(each[each >= 0], minlength=names) for each in codes]
    both = (counts[0] > 0) & (counts[1] > 0)
    if not both.any():
        return float(np.nanmean(reference.errors))
    known = (codes[0] >= 0) & np.isfinite(reference.errors)
    sums = np.bincount(codes[0][known], reference.errors[known], minlength=names)
    means = np.divide(sums, counts[0], np.zeros(names), where=counts[0] > 0)
    weights = np.where(both, counts[1], 0)
    return float((means * weights).sum() / weights.sum())
