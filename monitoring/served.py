"""What was served: captured rows as typed tables, with their prices where these are known, and by cohort."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from monitoring.captured import Capture, Served
from monitoring.sample import Sample
from monitoring.statistics import level, measured
from monitoring.truth import Truth, other_scale
from monitoring.window import Window
from steps.plain_values import convert_values
from steps.settings import DataSettings

FEWEST = 20  # rows with a price below which nothing is said of a cohort
UNTOLD = ""


@dataclass(frozen=True)
class Cohort:
    """The rows of one month that one version answered, and how many have a price by now.

    level: of predicted / actual, less 1. Both are None where too few have a price.
    """

    month: str
    version: str
    rows: int
    matured: int
    level: float | None = None
    mape: float | None = None
    mape_interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class ServedSamples:
    """What was served.

    inputs: the rows of the window that the live version answered, with its answers; width: of their intervals, NaN
    where an answer had none. priced: those with a price, of any month.
    """

    inputs: pd.DataFrame
    predicted: np.ndarray
    width: np.ndarray
    priced: Sample | None
    cohorts: tuple[Cohort, ...]
    notes: tuple[str, ...]


def served_samples(capture: Capture, truth: Truth, window: Window, data: DataSettings) -> ServedSamples:
    """Type the captured rows and join them with prices; versions are kept apart."""
    notes = _notes_of(capture, truth, window)
    live = {identity for identity, version in window.versions.items() if version == window.live} | {UNTOLD}
    rows = [row for row in capture.served if row.model in live]
    now = [row for row in rows if window.since <= row.when < window.until]
    inputs, good = _typed(now, data)
    if len(now) and not good.all():
        notes.append(f"{int((~good).sum()):,} captured rows have values that cannot be read as the YAML says.")
    predicted = np.array([row.predicted for row in now], dtype=float)[good]
    width = np.array([row.upper - row.lower for row in now], dtype=float)[good]
    priced = _priced([row for row in rows if row.key in truth.prices], truth, data)
    if priced is not None and (factor := other_scale(priced.actual, priced.predicted)) is not None:
        notes.append(
            f"The prices that were given are of another scale or currency: the predictions are about {factor:g} times "
            "as large; they are left out. Give them in the unit of the YAML."
        )
        priced = None
    cohorts = _cohorts(capture, truth, window, data)
    if any(cohort.matured < cohort.rows for cohort in cohorts):
        notes.append("Prices that are known early are of houses that sold fast: a selection, not a sample.")
    return ServedSamples(inputs[good].reset_index(drop=True), predicted, width, priced, cohorts, tuple(notes))


def _typed(rows: Sequence[Served], data: DataSettings) -> tuple[pd.DataFrame, np.ndarray]:
    """The rows as a table of the model's raw columns, and which of them could be read."""
    good = np.ones(len(rows), dtype=bool)
    columns: dict[str, Any] = {}
    for name, column in data.inputs.items():
        values, bad = convert_values([row.values.get(name) for row in rows], column)
        columns[name] = values
        if bad is not None:
            good &= ~bad
    return pd.DataFrame(columns), good


def _priced(rows: Sequence[Served], truth: Truth, data: DataSettings) -> Sample | None:
    if not rows:
        return None
    table, good = _typed(rows, data)
    actual = np.array([truth.prices[row.key] for row in rows])
    predicted, lower, upper = (
        np.array([getattr(row, name) for row in rows], dtype=float) for name in ("predicted", "lower", "upper")
    )
    sample = Sample(table, actual, predicted, lower, upper).take(good)
    return sample if len(sample) else None


def _cohorts(capture: Capture, truth: Truth, window: Window, data: DataSettings) -> tuple[Cohort, ...]:
    priced: dict[tuple[str, str], list[Served]] = {}
    for row in capture.served:
        if row.key in truth.prices:
            priced.setdefault((f"{row.when:%Y-%m}", row.model), []).append(row)
    found = []
    for (month, model), rows in sorted(capture.by_month.items()):
        matured = priced.get((month, model), [])
        version = str(window.versions.get(model, model or "not told"))
        sample = _priced(matured, truth, data) if len(matured) >= FEWEST else None
        if sample is None or other_scale(sample.actual, sample.predicted) is not None:
            found.append(Cohort(month, version, rows, len(matured)))
            continue
        mape = measured(sample)["mape"]
        interval = tuple(mape["interval"]) if mape["interval"] else None
        found.append(Cohort(month, version, rows, len(matured), level(sample), mape["value"], interval))
    return tuple(found)


def _notes_of(capture: Capture, truth: Truth, window: Window) -> list[str]:
    """What was wrong with the files, each in one sentence."""
    return [*_of_capture(capture, window), *_of_versions(capture, window), *_of_truth(capture, truth)]


def _of_capture(capture: Capture, window: Window) -> Iterator[str]:
    if window.sampling is None and not capture.rows:
        yield "The endpoint captures nothing, so what was served is not known: set capture for its stage."
    elif not capture.rows:
        yield f"No request was captured since {window.captured_since:%Y-%m-%d}."
    elif window.sampling is not None and window.sampling < 100:
        yield f"{window.sampling} % of the requests are captured: counts are of those alone."
    if capture.repeated:
        yield f"{capture.repeated:,} captured events are there more than once, and count once."
    if capture.unreadable:
        yield f"{capture.unreadable:,} captured events cannot be read (first: {capture.example})."


def _of_versions(capture: Capture, window: Window) -> Iterator[str]:
    models = sorted({model for _, model in capture.by_month})
    told = [str(window.versions.get(model, f"of identity {model}")) for model in models if model != UNTOLD]
    if len(told) > 1:
        yield f"More than one version answered ({', '.join(told)}): each is looked at by itself."
    if UNTOLD in models:
        yield "Answers in CSV do not say which version gave them: they count for the live one."


def _of_truth(capture: Capture, truth: Truth) -> Iterator[str]:
    unknown = len(truth.prices) - len({row.key for row in capture.served} & truth.prices.keys())
    if unknown:
        yield f"{unknown:,} of {len(truth.prices):,} prices are of requests that were not captured."
    if truth.contradicted:
        yield f"{truth.contradicted:,} requests have several prices: the last one counts."
    if truth.unreadable:
        yield f"{truth.unreadable:,} lines of prices cannot be read."
