"""The statistics of a period: sums, means and percentiles of what was measured in it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

import math
import re
from collections.abc import Sequence

from local_sagemaker.metrics.store import Point

PERCENTILE = re.compile(r"p(100|\d{1,2}(\.\d{1,10})?)")
SIMPLE = ("Sum", "Average", "Minimum", "Maximum", "SampleCount")


def is_statistic(name: str) -> bool:
    """Whether a statistic is one of those that are computed here."""
    return name in SIMPLE or PERCENTILE.fullmatch(name) is not None


def statistic(name: str, points: Sequence[Point]) -> float | None:
    """One statistic over all points; None where there is none, or for a percentile of which no values are known.

    ValueError for a statistic that is not computed here.
    """
    count = sum(point.count for point in points)
    if count == 0:
        return None
    if name == "SampleCount":
        return count
    if name == "Minimum":
        return min(point.low for point in points if point.count)
    if name == "Maximum":
        return max(point.high for point in points if point.count)
    if name in ("Sum", "Average"):
        total = sum(point.total for point in points)
        return total if name == "Sum" else total / count
    return percentile(name, [value for point in points for value in point.values])


def percentile(name: str, values: Sequence[float]) -> float | None:
    """p99 and its like, interpolated between the two nearest values; None where there are none."""
    if not PERCENTILE.fullmatch(name):
        raise ValueError(f"{name} is not a statistic that local SageMaker computes: {', '.join(SIMPLE)} and p0 to p100")
    if not values:
        return None
    ordered = sorted(values)
    place = float(name[1:]) / 100 * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
