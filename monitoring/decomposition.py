"""Why the error is another than at registration: other houses, another market, or a worse model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.bootstrap import SEED, confidence_interval, resamples
from evaluation.number_texts import percent
from evaluation.segments import Grouping
from monitoring.sample import Sample

Interval = tuple[float, float]


@dataclass(frozen=True)
class Decomposition:
    """Parts of the change of the MAPE since registration, as shares; they add up to `now - before`.

    mix: the test part's MAPE with as many houses of each segment as are sold now, less `before`. market: what a
    correction of the level alone would take off. model: the rest, which only another model could take off. The
    intervals hold with 95 %.
    """

    before: float
    now: float
    mix: float
    market: float
    market_interval: Interval
    model: float
    model_interval: Interval

    @property
    def sentence(self) -> str:
        """What a retrain would buy, against correcting the level alone."""
        low, high = map(percent, self.market_interval)
        least, most = map(percent, self.model_interval)
        taken = f"Correcting the level alone would take {percent(self.market)} off the MAPE (95 %: {low} to {high})"
        if self.model <= 0:
            return f"{taken}; the rest is no larger than at registration, so a retrain promises no more than that."
        return f"{taken}; a retrain could take off at most {percent(self.model)} more (95 %: {least} to {most})."


def decompose(reference: Sample, current: Sample, places: Grouping | None) -> Decomposition:
    """Divide the change; `places` divides the rows of the reference and then those of the current sample."""
    before, now = float(np.nanmean(reference.errors)), float(np.nanmean(current.errors))
    weights, errors = _weights(reference, places), np.nan_to_num(reference.errors)
    mix = float(weights @ errors) - before
    level = float(np.median(current.known_ratios) - np.median(reference.known_ratios))
    corrected = _corrected(current, level)
    market = now - float(np.nanmean(corrected))
    known, left = np.isfinite(corrected), np.nan_to_num(corrected)
    gained = np.nan_to_num(current.errors - corrected)
    markets, models = [], []
    for counts, others in zip(resamples(len(current)), resamples(len(reference), SEED + 1), strict=False):
        markets.append(counts @ gained / len(current))
        drawn = others * weights
        models.append(counts @ left / max(1, counts @ known) - drawn @ errors / max(drawn.sum(), 1e-12))
    intervals = [confidence_interval(np.array(each)) for each in (markets, models)]
    return Decomposition(before, now, mix, market, intervals[0], now - before - mix - market, intervals[1])


def _corrected(sample: Sample, level: float) -> np.ndarray:
    """The relative errors of predictions whose level is put right."""
    predicted = sample.predicted * np.exp(-level)
    nothing = np.full(len(sample), np.nan)
    errors: np.ndarray = np.divide(
        np.abs(predicted - sample.actual), np.abs(sample.actual), nothing, where=sample.actual != 0
    )
    return errors


def _weights(reference: Sample, places: Grouping | None) -> np.ndarray:
    """What each row of the reference counts for, 1 in all, so that its places are as frequent as they are now."""
    known: np.ndarray = np.isfinite(reference.errors)
    alike: np.ndarray = known / known.sum()
    if places is None:
        return alike
    codes = places.codes[: len(reference)], places.codes[len(reference) :]
    counted = codes[0][known & (codes[0] >= 0)], codes[1][codes[1] >= 0]
    before, now = (np.bincount(each, minlength=len(places.names)) for each in counted)
    share = np.divide(now, before, np.zeros(len(before)), where=before > 0)
    weights: np.ndarray = np.where(known & (codes[0] >= 0), share[codes[0]], 0.0)
    return weights / weights.sum() if weights.any() else alike
