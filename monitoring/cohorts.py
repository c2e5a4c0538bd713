"""Served predictions by the month in which they were made, and the version that made them: never mixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from monitoring.captured import Capture, Served
from monitoring.checks import Check
from monitoring.sample import Sample
from monitoring.statistics import level, mape
from monitoring.truth import other_scale
from monitoring.window import Window
from steps.plain_values import convert_values
from steps.settings import DataSettings

FEWEST = 20  # rows with a price below which nothing is said of a cohort
NOT_TOLD = "not told"
Interval = tuple[float, float]


@dataclass(frozen=True)
class Cohort:
    """The rows of one month that one version answered, and how many have a price by now.

    level: of predicted / actual, less 1. Both are None where too few have a price, or where `scale`, by how many times
    the predictions are larger than the prices, says that these are of another unit. sample: the rows with a price of
    the right unit.
    """

    month: str
    version: str
    rows: int
    matured: int
    level: float | None = None
    mape: float | None = None
    mape_interval: Interval | None = None
    scale: float | None = None
    sample: Sample | None = field(default=None, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """The cohort in monitoring.json."""
        names = ("month", "version", "rows", "matured", "level", "mape", "mape_interval", "scale")
        return {name: getattr(self, name) for name in names}


def cohorts_of(capture: Capture, prices: Mapping[str, float], window: Window, data: DataSettings) -> tuple[Cohort, ...]:
    """All cohorts, the oldest month first. Answers in CSV, which do not name their version, are one of their own."""
    priced: dict[tuple[str, str], list[Served]] = {}
    for row in capture.served:
        if row.key in prices:
            priced.setdefault((f"{row.when:%Y-%m}", row.model), []).append(row)
    return tuple(
        _cohort(month, model, capture, priced_sample(priced.get((month, model), []), prices, data), window)
        for month, model in sorted(capture.by_month)
    )


def _cohort(month: str, model: str, capture: Capture, sample: Sample | None, window: Window) -> Cohort:
    version = str(window.versions.get(model, model or NOT_TOLD))
    counts = month, version, capture.by_month[month, model], capture.wanted_by_month[month, model]
    scale = None if sample is None else other_scale(sample.actual, sample.predicted)
    if sample is None or scale is not None:
        return Cohort(*counts, scale=scale)
    if len(sample) < FEWEST:
        return Cohort(*counts, sample=sample)
    found = mape(sample)
    interval = tuple(found["interval"]) if found["interval"] else None
    return Cohort(*counts, level(sample), found["value"], interval, sample=sample)


def newest_with(cohorts: Sequence[Cohort], version: str, least: int) -> Cohort | None:
    """The newest month of a version with so many prices, or else the one with most; None where no price is known.

    Answers that do not name their version count for it.
    """
    known = [each for each in cohorts if each.sample is not None and each.version in (version, NOT_TOLD)]
    enough = [each for each in known if each.sample is not None and len(each.sample) >= least]
    if enough:
        return max(enough, key=lambda each: (each.month, each.matured))
    return max(known, key=lambda each: each.matured, default=None)


def scale_check(cohorts: Sequence[Cohort]) -> Check | None:
    """What is raised where prices and predictions cannot be of one unit; None where they can."""
    other = next((each for each in cohorts if each.scale is not None), None)
    if other is None or other.scale is None:
        return None
    larger, smaller, times = "predictions", "prices", other.scale
    if times < 1:
        larger, smaller, times = smaller, larger, 1 / times
    sentence = (
        f"The {larger} of {other.month} are about {_rounded(times)} times the {smaller}, further than a market moves: "
        "the prices, or the requests, are of another unit, scale or currency. They are left out; give them as the YAML "
        "says."
    )
    return Check("scale of served predictions", sentence, p=0.0, certain=True)


def _rounded(factor: float) -> str:
    return f"{factor:,.0f}" if factor >= 10 else f"{factor:.2g}"


def priced_sample(rows: Sequence[Served], prices: Mapping[str, float], data: DataSettings) -> Sample | None:
    """The rows that can be read, with their prices; None where there are none."""
    if not rows:
        return None
    table, good = typed(rows, data)
    actual = np.array([prices[row.key] for row in rows])
    predicted, lower, upper = (
        np.array([getattr(row, name) for row in rows], dtype=float) for name in ("predicted", "lower", "upper")
    )
    sample = Sample(table, actual, predicted, lower, upper).take(good)
    return sample if len(sample) else None


def typed(rows: Sequence[Served], data: DataSettings) -> tuple[pd.DataFrame, np.ndarray]:
    """The rows as a table of the model's raw columns, and which of them could be read."""
    good = np.ones(len(rows), dtype=bool)
    columns: dict[str, Any] = {}
    for name, column in data.inputs.items():
        values, bad = convert_values([row.values.get(name) for row in rows], column)
        columns[name] = values
        if bad is not None:
            good &= ~bad
    return pd.DataFrame(columns), good
