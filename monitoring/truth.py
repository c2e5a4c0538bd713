"""Prices that came later, in Model Monitor's layout of ground truth, joined with requests by inferenceId."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

FURTHEST = 3.0  # times the prices, in the median: what a market, or a model that can be used, may be off by
NEAR = 0.25  # of a power of ten, as a difference of logarithms


@dataclass
class Truth:
    """The price of each key. contradicted: keys with several prices, of which the last one counts."""

    prices: dict[str, float] = field(default_factory=dict)
    repeated: int = 0
    contradicted: int = 0
    unreadable: int = 0


def read_truth(folder: Path) -> Truth:
    """Read the files (*.jsonl) below a folder in the order of their paths, which is that of time.

    Source of the layout: "Ingest ground truth labels and merge them with predictions", SageMaker Developer Guide.
    """
    truth = Truth()
    for path in sorted(folder.rglob("*.jsonl")) if folder.is_dir() else ():
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in filter(str.strip, lines):
                _add(line, truth)
    return truth


def _add(line: str, truth: Truth) -> None:
    try:
        event = json.loads(line)
        key, price = str(event["eventMetadata"]["eventId"]), float(event["groundTruthData"]["data"])
        if not np.isfinite(price):
            raise ValueError("not a number")
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        truth.unreadable += 1
        return
    if key in truth.prices:
        truth.repeated += 1
        truth.contradicted += truth.prices[key] != price
    truth.prices[key] = price


def other_scale(actual: np.ndarray, predicted: np.ndarray) -> float | None:
    """How many times the actual values the predictions are (below 1: smaller), if no market moves so far; else None.

    Prices in thousands, in cents or in another currency are not a model that is wrong. What is near a power of ten is
    told as that.
    """
    known = (actual > 0) & (predicted > 0)
    if not known.any():
        return None
    middle = float(np.median(np.log(predicted[known] / actual[known])))
    if abs(middle) < np.log(FURTHEST):
        return None
    tens = 10.0 ** round(middle / np.log(10))
    return tens if abs(middle - np.log(tens)) < NEAR else float(np.exp(middle))
