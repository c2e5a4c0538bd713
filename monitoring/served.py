"""What was served: captured rows as typed tables, with their prices where these are known, and by cohort."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.number_texts import counted
from monitoring.captured import Capture
from monitoring.checks import Check
from monitoring.cohorts import Cohort, cohorts_of, newest_with, priced_sample, scale_check, typed
from monitoring.sample import Sample
from monitoring.side_by_side import Comparison, side_by_side
from monitoring.truth import Truth
from monitoring.window import Window
from steps.settings import DataSettings

UNTOLD = ""


@dataclass(frozen=True)
class ServedSamples:
    """What was served.

    inputs: the rows of the window that the live version answered, with its answers; width: of their intervals, NaN
    where an answer had none. priced: those with a price of the newest month that has enough of them, or else of the one
    with most. matured: those of the window with a price. scale: raised where prices are of another scale, and left out.
    comparisons: of versions that served side by side.
    """

    inputs: pd.DataFrame
    predicted: np.ndarray
    width: np.ndarray
    priced: Sample | None
    matured: Sample | None
    scale: Check | None
    cohorts: tuple[Cohort, ...]
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...]


def served_samples(capture: Capture, truth: Truth, window: Window, data: DataSettings, least: int) -> ServedSamples:
    """Type the captured rows and join them with prices; versions and months are kept apart.

    `least` is how many prices a month needs to be judged.
    """
    notes = _notes_of(capture, truth, window)
    live = {identity for identity, version in window.versions.items() if version == window.live} | {UNTOLD}
    rows = [row for row in capture.served if row.model in live]
    now = [row for row in rows if window.since <= row.when < window.until]
    inputs, good = typed(now, data)
    if len(now) and not good.all():
        bad = counted(int((~good).sum()), "captured row has a value", "captured rows have a value")
        notes.append(f"{bad} that cannot be read as the YAML says: not among the inputs.")
    predicted = np.array([row.predicted for row in now], dtype=float)[good]
    width = np.array([row.upper - row.lower for row in now], dtype=float)[good]
    prices = truth.prices.of(row.key for row in capture.served)
    found = cohorts_of(capture, prices, window, data)
    if any(cohort.matured < cohort.rows for cohort in found):
        notes.append("Prices that are known early are of houses that sold fast: a selection, not a sample.")
    judged, scale = newest_with(found, str(window.live), least), scale_check(found)
    priced = None if judged is None else judged.sample
    if judged and priced and len(priced) >= least and sum(each.matured > 0 for each in found) > 1:
        notes.append(f"Of the served predictions those of {judged.month} are judged, the newest with enough prices.")
    known = [row for row in now if row.key in prices and scale is None]
    comparisons = side_by_side(capture.served, prices, window)
    notes += [each.sentence for each in comparisons if each.is_decided]
    return ServedSamples(
        inputs[good].reset_index(drop=True),
        predicted,
        width,
        priced,
        priced_sample(known, prices, data),
        scale,
        found,
        comparisons,
        tuple(notes),
    )


def _notes_of(capture: Capture, truth: Truth, window: Window) -> list[str]:
    """What was wrong with the files, each in one sentence."""
    return [*_of_capture(capture, window), *_of_versions(capture, window), *_of_truth(capture, truth, window)]


def _of_capture(capture: Capture, window: Window) -> Iterator[str]:
    if window.sampling is None and window.changed is not None and not capture.rows:
        yield "The endpoint captures nothing, so what was served is not known: set capture for its stage."
    elif not capture.rows:
        yield f"No request was captured since {window.captured_since:%Y-%m-%d}."
    elif window.sampling is not None and window.sampling < 100:
        yield f"{window.sampling} % of the requests are captured: counts are of those alone."
    if capture.latest is not None and capture.latest < window.since:
        yield f"No request of the window was captured: the last one that was is of {capture.latest:%Y-%m-%d %H:%M}."
    if capture.rows and window.sampling is None and window.changed is not None:
        yield (
            f"The endpoint captures nothing since it was changed ({window.changed:%Y-%m-%d %H:%M}): what it serves "
            "from then on is not known."
        )
    if capture.repeated:
        one, many = "captured event repeats an earlier one and is", "captured events repeat earlier ones and are"
        yield f"{counted(capture.repeated, one, many)} not counted a second time."
    if capture.encoded:
        one, many = "captured event is in BASE64 and was", "captured events are in BASE64 and were"
        yield f"{counted(capture.encoded, one, many)} decoded: the capture of the endpoint names no content types."
    if capture.unreadable:
        unreadable = counted(capture.unreadable, "captured event", "captured events")
        yield f"{unreadable} cannot be read (the first: {capture.example})."


def _of_versions(capture: Capture, window: Window) -> Iterator[str]:
    if window.changed is not None and window.since <= window.changed < window.until:
        yield (
            f"The endpoint was changed within the window ({window.changed:%Y-%m-%d %H:%M}): version {window.live}, "
            "which serves now, is judged."
        )
    models = {model for _, model in capture.by_month}
    found = [window.versions.get(model, f"of identity {model}") for model in models if model != UNTOLD]
    if len(found) > 1:
        told = ", ".join(map(str, sorted(found, key=lambda each: (isinstance(each, str), each))))
        yield (
            f"More than one version answered since {window.captured_since:%Y-%m-%d} ({told}): each has cohorts of its "
            f"own, and version {window.live} is judged."
        )
    if UNTOLD in models:
        yield "Answers in CSV do not say which version gave them: they count for the live version."


def _of_truth(capture: Capture, truth: Truth, window: Window) -> Iterator[str]:
    unknown = len(truth.prices) - capture.found
    if unknown:
        known = f"of {counted(len(truth.prices), 'price', 'prices')}"
        one, many = f"{known} is of a request that was", f"{known} are of requests that were"
        time = f"from {window.captured_since:%Y-%m-%d} to {window.until:%Y-%m-%d}"
        yield f"{counted(unknown, one, many)} not captured {time}."
    if same := truth.repeated - truth.contradicted:
        one, many = "price repeats an earlier one and is", "prices repeat earlier ones and are"
        yield f"{counted(same, one, many)} not counted a second time."
    if truth.contradicted:
        one, many = "price differs from an earlier one", "prices differ from earlier ones"
        yield f"{counted(truth.contradicted, one, many)} of the same request: the last one counts."
    if truth.unreadable:
        yield f"{counted(truth.unreadable, 'line', 'lines')} of prices cannot be read."
