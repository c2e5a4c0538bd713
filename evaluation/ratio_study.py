"""The assessor's statistics of predictions: level, uniformity and vertical equity of the ratio predicted / actual.

Source: IAAO, Standard on Ratio Studies: COD, PRD and PRB as in its edition of April 2013, VEI as in Appendix E of that
of October 2026.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

FEWEST = 20  # rows below which the standard does not judge vertical equity
EDITIONS = {"median_ratio": "2013", "cod": "2013", "prd": "2013", "prb": "2013", "vei": "2026"}
GROUPS = ((50, 2), (500, 4))  # up to so many rows, so many groups for the VEI; more rows make MOST_GROUPS
MOST_GROUPS = 10
# What the standard accepts; of COD the range of single-family houses in one area.
ACCEPTED = {"median_ratio": (0.9, 1.1), "cod": (5, 15), "prd": (0.98, 1.03), "prb": (-0.05, 0.05), "vei": (-10, 10)}


@dataclass(frozen=True)
class RatioStudy:
    """Of the ratio predicted / actual; None where it is not defined for these rows.

    median_ratio: the level, 1 where half of the predictions are too high. cod: the mean absolute deviation from the
    median, in per cent of it. prd: the mean ratio over the ratio of the sums; above 1 dear rows are valued too low.
    prb: by what share the ratio rises when the value doubles. vei: the median ratio of the dearest group less that of
    the cheapest, in per cent of the median of all. Negative prb and vei are regressive.
    """

    rows: int
    median_ratio: float | None = None
    cod: float | None = None
    prd: float | None = None
    prb: float | None = None
    vei: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The section `ratio_study` of evaluation.json, with the ranges that the standard accepts and its editions."""
        accepted = {name: list(limits) for name, limits in ACCEPTED.items()}
        return {**asdict(self), "accepted": accepted, "editions": EDITIONS}


def ratio_study(actual: np.ndarray, predicted: np.ndarray) -> RatioStudy:
    """Measure the rows whose actual and predicted values are above 0: there is no ratio of others."""
    positive = (actual > 0) & (predicted > 0)
    actual, predicted = actual[positive], predicted[positive]
    if not len(actual):
        return RatioStudy(0)
    ratio = predicted / actual
    median = float(np.median(ratio))
    # Half the price and half the prediction: by the price alone the cheap rows look over-valued by chance.
    proxy = 0.5 * actual + 0.5 * predicted / median
    enough = len(actual) >= FEWEST and bool(np.ptp(proxy) > 0)
    return RatioStudy(
        rows=len(actual),
        median_ratio=median,
        cod=float(100 * np.mean(np.abs(ratio - median)) / median),
        prd=float(ratio.mean() / (predicted.sum() / actual.sum())),
        prb=_slope(np.log2(proxy), (ratio - median) / median) if enough else None,
        vei=_vei(ratio, proxy, median) if enough else None,
    )


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    deviation = x - x.mean()
    return float((deviation * y).sum() / (deviation**2).sum())


def _vei(ratio: np.ndarray, proxy: np.ndarray, median: float) -> float:
    groups = next((count for rows, count in GROUPS if len(ratio) <= rows), MOST_GROUPS)
    edges = np.quantile(proxy, [1 / groups, 1 - 1 / groups])
    first, last = ratio[proxy <= edges[0]], ratio[proxy > edges[1]]
    return float(100 * (np.median(last) - np.median(first)) / median)
