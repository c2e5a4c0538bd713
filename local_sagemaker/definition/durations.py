"""Durations as a step's CacheConfig writes them: ISO 8601, such as P30D, 30d or T16m."""

import re

DURATION = re.compile(
    r"P?(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE
)
SECONDS = (365 * 86400, 30 * 86400, 7 * 86400, 86400, 3600, 60, 1)


def seconds(text: str) -> float:
    """The seconds of a duration, a year being 365 and a month 30 days; ValueError where it is not one."""
    match = DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(f"{text!r} is not a duration such as P30D or T16M")
    return float(sum(int(count or 0) * unit for count, unit in zip(match.groups(), SECONDS, strict=True)))
