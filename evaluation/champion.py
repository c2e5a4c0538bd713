"""The champion: the approved model that a new one, the challenger, must beat on the same test rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from evaluation.bootstrap import CONFIDENCE, confidence_interval
from steps.archive import load_archive
from steps.failure import JobError
from steps.hosts import ALONE, Hosts

ARCHIVE = "model.tar.gz"
MARKER = "none.json"


@dataclass(frozen=True)
class Champion:
    """status: none (no version is approved yet), scored, or unusable (`reason` says why)."""

    status: Literal["none", "scored", "unusable"]
    predicted: np.ndarray | None = None
    reason: str = ""


def score(folder: Path, batches: Iterable[pd.DataFrame]) -> Champion:
    """Predict typed raw test rows, batch after batch, with the model in `folder`.

    The folder holds model.tar.gz, or the marker none.json where no version is approved. A champion that
    cannot be loaded or cannot predict is unusable, which the gates treat as not beaten.
    """
    if (folder / MARKER).is_file():
        return Champion("none")
    try:
        model = load_archive(folder / ARCHIVE)
        predicted = np.concatenate([np.empty(0), *map(model.predict, batches)])
    except JobError as error:
        return Champion("unusable", reason=str(error).rstrip("."))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        # What a model of another version of this code, or of other columns, makes of itself.
        return Champion("unusable", reason=f"{type(error).__name__}: {error}")
    return Champion("scored", predicted)


def merged(share: Champion, hosts: Hosts = ALONE) -> Champion:
    """The champion on all test rows, of which each host has scored its `share`; it must be usable on every host."""
    for status, reason in hosts.told([share.status, share.reason]):
        if status != "scored":
            return Champion(status, reason=reason)
    assert share.predicted is not None  # noqa: S101
    predicted = hosts.gathered(share.predicted)
    wrong = int(np.count_nonzero(~np.isfinite(predicted)))
    if wrong:
        return Champion("unusable", reason=f"it predicts NaN or infinity for {wrong:,} of {len(predicted):,} test rows")
    return Champion("scored", predicted)


def improvement(
    challenger: np.ndarray, champion: np.ndarray, measured: tuple[float, float], earlier_looks: int = 0
) -> dict[str, Any]:
    """By which share the challenger's RMSE is lower than the champion's, with its confidence interval.

    `challenger` and `champion` are their RMSEs on the same resamples, `measured` those on all test rows. Of many models
    one looks better by chance, so the confidence is Bonferroni's for as many as have met these rows: this one, and
    `earlier_looks` others.
    """
    confidence = 1 - (1 - CONFIDENCE) / (1 + earlier_looks)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = confidence_interval(1 - challenger / champion, confidence)
    value = 1 - measured[0] / measured[1] if measured[1] > 0 else 0.0
    return {"value": value, "lower": low, "upper": high, "confidence": confidence}
