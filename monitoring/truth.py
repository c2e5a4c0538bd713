"""Prices that came later, in Model Monitor's layout of ground truth, joined with requests by inferenceId."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

SCALES = (10.0, 100.0, 1000.0, 10_000.0, 1_000_000.0)
NEAR = 0.25  # of a power of ten, as a difference of logarithms: half of the prices must be that near to it


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
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if not line.strip():
                continue
            try:
                event = json.loads(line)
                key, price = str(event["eventMetadata"]["eventId"]), float(event["groundTruthData"]["data"])
                if not np.isfinite(price):
                    raise ValueError("not a number")
            except (ValueError, KeyError, TypeError):
                truth.unreadable += 1
                continue
            if key in truth.prices:
                truth.repeated += 1
                truth.contradicted += truth.prices[key] != price
            truth.prices[key] = price
    return truth


def other_scale(actual: np.ndarray, predicted: np.ndarray) -> float | None:
    """The power of ten by which the predictions are larger than the actual values (or smaller: below 1), if one is.

    Prices in thousands, or in cents, are not a model that is wrong.
    """
    known = (actual > 0) & (predicted > 0)
    if not known.any():
        return None
    middle = float(np.median(np.log(predicted[known] / actual[known])))
    for scale in SCALES:
        for factor in (scale, 1 / scale):
            if abs(middle - np.log(factor)) < NEAR:
                return factor
    return None
