"""What share of each group's actual values lies in their interval, and whether that is less than chance allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evaluation.segments import Grouping, grouping
from steps.evaluation_settings import Segment

BANDS = 5  # of the prediction, with equally many rows each
CONFIDENCE = 0.95  # that no group's interval misses its true share, over all groups together
TOLERATED = 0.03  # a group is low where even its upper bound is further below the wanted share


@dataclass(frozen=True)
class GroupCoverage:
    """One group: its share of rows whose actual value is inside, with simultaneous bounds; low: it is too small."""

    column: str
    name: str
    rows: int
    share: float
    lower: float
    upper: float
    low: bool


def bands_of(predicted: np.ndarray) -> Grouping:
    """The rows by bands of their prediction, which is known of a new row too, unlike the actual value."""
    return grouping("prediction", pd.Series(predicted), Segment(quantiles=BANDS))


def group_coverage(inside: np.ndarray, groupings: Sequence[Grouping], wanted: float) -> list[GroupCoverage]:
    """Measure each group that has rows; `inside` says for each row whether its actual value is in its interval.

    The bounds are those of Clopper and Pearson, The use of confidence or fiducial limits, Biometrika 1934, with
    Bonferroni's correction for the number of groups.
    """
    from scipy.special import betaincinv  # the quantiles of the beta distribution; scipy.stats takes longer to import

    groups = [(each, place) for each in groupings for place, rows in enumerate(each.counts) if rows]
    tail = (1 - CONFIDENCE) / 2 / max(1, len(groups))
    found = []
    for each, place in groups:
        hits = inside[each.codes == place]
        rows, count = len(hits), int(hits.sum())
        lower = float(betaincinv(count, rows - count + 1, tail)) if count else 0.0
        upper = float(betaincinv(count + 1, rows - count, 1 - tail)) if count < rows else 1.0
        low = upper < wanted - TOLERATED
        found.append(GroupCoverage(each.column, each.names[place], rows, count / rows, lower, upper, low))
    return found


def undercovered(groups: Sequence[GroupCoverage], but: Sequence[str]) -> dict[str, Any]:
    """How many groups are low, and what they are called; those of the columns in `but` are not judged.

    By bands of the prediction the interval is not calibrated, and by the actual value the extremes are covered less by
    regression to the mean alone.
    """
    low = [f"{group.column} {group.name}" for group in groups if group.low and group.column not in but]
    return {"count": len(low), "names": low}
