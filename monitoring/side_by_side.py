"""Versions, or variants, that served side by side: whose error is lower, said so that looking often does no harm.

A month after a month somebody looks whether the new version is better. An ordinary interval is left by chance far more
often than it says when it is looked at again and again; a confidence sequence holds at all looks together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.number_texts import counted, percent, signed
from monitoring.captured import Served
from monitoring.truth import other_scale
from monitoring.window import Window

NEEDED = ("ville",)
ERRORS = 0.05  # the chance that any comparison of a window, at any of its looks, leaves out the true difference
FEWEST = 100  # prices of each side: the sequence is asymptotic
NARROWEST_AT = 500  # prices of a side at which its interval is as narrow as it can be


@dataclass(frozen=True)
class Comparison:
    """Two sides that answered requests whose prices are known. first: the live version, or whoever has most prices.

    rows, mape: of both. difference: the MAPE of the second less that of the first. interval: what holds of it at all
    looks together, over all comparisons; None with too few prices. together: whether they served at the same time; the
    rows are of that time alone then.
    """

    first: str
    second: str
    rows: tuple[int, int]
    mape: tuple[float, float]
    difference: float
    interval: tuple[float, float] | None
    together: bool

    @property
    def is_decided(self) -> bool:
        """Whether one of them errs less, beyond chance."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]

    @property
    def sentence(self) -> str:
        """What was found."""
        prices = [counted(rows, "price", "prices") for rows in self.rows]
        sides = f"{self.second} has a MAPE of {percent(self.mape[1])} on {prices[1]}"
        sides += f", {self.first} has {percent(self.mape[0])} on {prices[0]}"
        if self.interval is None:
            return f"{sides}: not enough data, for {FEWEST} of each are needed."
        low, high = map(signed, self.interval)
        what = "the errors differ" if self.is_decided else "no difference is shown yet"
        told = f"{sides}: {what} ({low} to {high} of the price, at all looks together)."
        apart = " They served at different times for the most part, and the market of those is in the difference."
        return told if self.together else told + apart


def side_by_side(rows: Sequence[Served], prices: Mapping[str, float], window: Window) -> tuple[Comparison, ...]:
    """Each side against the first one; empty where only one has answered, or the prices are of another scale."""
    known = [row for row in rows if prices.get(row.key, 0) > 0 and np.isfinite(row.predicted)]
    sides: dict[tuple[str, str], list[Served]] = defaultdict(list)
    for row in known:
        sides[_version(row, window), row.variant].append(row)
    if len(sides) < 2:
        return ()
    actual, predicted = np.array([(prices[row.key], row.predicted) for row in known]).T
    if other_scale(actual, predicted) is not None:
        return ()
    names = _names(list(sides))
    live = f"Version {window.live}"
    ordered = sorted(sides, key=lambda side: (side[0] != live, -len(sides[side]), side))
    share = ERRORS / (len(ordered) - 1)
    return tuple(
        _compared((names[ordered[0]], names[other]), (sides[ordered[0]], sides[other]), prices, share)
        for other in ordered[1:]
    )


def _version(row: Served, window: Window) -> str:
    """Answers in CSV do not say which version gave them: they count for the live one."""
    if not row.model:
        return f"Version {window.live}"
    number = window.versions.get(row.model)
    return f"Version {number}" if number is not None else f"The model of identity {row.model}"


def _names(sides: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What each is called: its version, and its variant where the version stands behind several."""
    times = Counter(version for version, _ in sides)
    return {
        (version, variant): f"{version} ({variant})" if times[version] > 1 else version for version, variant in sides
    }


def _compared(
    names: tuple[str, str], sides: tuple[list[Served], list[Served]], prices: Mapping[str, float], share: float
) -> Comparison:
    common = _of_the_same_time(sides)
    streams = [_errors(side, prices) for side in common or sides]
    (low, high), (other_low, other_high) = (_interval(errors, share / 2) for errors in streams)
    interval = (other_low - high, other_high - low)
    mape = float(streams[0].mean()), float(streams[1].mean())
    return Comparison(
        *names,
        (len(streams[0]), len(streams[1])),
        mape,
        mape[1] - mape[0],
        interval if np.isfinite(interval).all() else None,
        common is not None,
    )


def _of_the_same_time(sides: tuple[list[Served], list[Served]]) -> tuple[list[Served], list[Served]] | None:
    """The rows of the time in which both served; None where that is too short to say what both together could say."""
    begin = max(min(row.when for row in side) for side in sides)
    end = min(max(row.when for row in side) for side in sides)
    first, second = ([row for row in side if begin <= row.when <= end] for side in sides)
    least = min(FEWEST, *map(len, sides))
    return (first, second) if min(len(first), len(second)) >= max(1, least) else None


def _errors(rows: Sequence[Served], prices: Mapping[str, float]) -> np.ndarray:
    """The relative errors in the order of the requests."""
    ordered = sorted(rows, key=lambda row: (row.when, row.key))
    return np.array([abs(row.predicted / prices[row.key] - 1) for row in ordered])


def _interval(errors: np.ndarray, share: float) -> tuple[float, float]:
    """What holds of the mean at all looks, but for a share of the times; infinite with too few.

    Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory and asymptotic confidence
    sequences, Annals of Statistics 2024. Each side has half of the share, so their difference keeps the whole.
    """
    from ville import AsymptoticCS

    low, high = AsymptoticCS(alpha=share, t_opt=NARROWEST_AT, min_samples=FEWEST).fit(errors).interval()
    return float(low), float(high)
