"""Houses sold in the window that the model has not seen: read, checked and scored like the training data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.number_texts import counted
from monitoring.checks import Check
from monitoring.sample import Sample
from monitoring.window import Window
from steps.data_set import parts_of
from steps.examination import examine, most_frequent
from steps.failure import JobError
from steps.model import Model
from steps.settings import JobSettings
from steps.split import row_keys
from steps.validation import Validation

SCHEMA = "schema of the sales file"


@dataclass(frozen=True)
class NewSales:
    """What a data file has of a window. rows: typed, of which `known` were left out as training has seen them.

    check: whether the file is as the YAML says; rejected: how many rows of the window are not.
    """

    rows: pd.DataFrame | None
    check: Check
    known: int = 0
    rejected: int = 0
    notes: tuple[str, ...] = ()


def new_sales(folder: Path, seen: np.ndarray | None, window: Window, settings: JobSettings) -> NewSales:
    """The accepted rows that are dated in the window and that are not among the keys in `seen`.

    A file whose columns are not those of the YAML is a finding, not a failure. `seen` is None for a version that was
    registered without its keys: then no row can be told to be new.
    """
    date = settings.data.date
    if date is None:
        return _none("The YAML names no date column (data.date): which houses were sold in the window is not known.")
    if seen is None:
        return _none(
            f"Version {window.live} was registered without the keys of the rows that it has seen, so new sales cannot "
            "be told from those: run the training pipeline, and approve and deploy what it registers."
        )
    validation = Validation()
    try:
        examine(parts_of(folder), settings, validation)
    except JobError as error:
        return NewSales(None, Check(SCHEMA, f"The sales file cannot be used: {error}", p=0.0, certain=True))
    table = validation.table
    inside = _dated(table[date], window.since, window.until)
    rejected = inside & validation.rejected
    accepted = table[inside & ~validation.rejected].reset_index(drop=True)
    known = np.isin(row_keys(accepted, settings.data), seen) if len(accepted) else np.zeros(0, dtype=bool)
    notes = [_elsewhere(table[date], window)] if not inside.any() else []
    check = _rejections(int(rejected.sum()), int(inside.sum()), validation, settings)
    return NewSales(accepted[~known].reset_index(drop=True), check, int(known.sum()), int(rejected.sum()), tuple(notes))


def scored(rows: pd.DataFrame, model: Model) -> Sample:
    """What a model says of rows whose prices are known."""
    predicted = model.predict(rows)
    lower, upper = model.predict_interval(rows)
    return Sample(rows, rows[model.features.target].to_numpy(dtype=float), predicted, lower, upper)


def _none(sentence: str) -> NewSales:
    return NewSales(None, Check(SCHEMA, f"Not enough data: {sentence[0].lower()}{sentence[1:]}"), notes=(sentence,))


def _dated(dates: pd.Series, since: datetime, until: datetime) -> np.ndarray:
    """Which dates, without a time zone and taken for UTC, lie in the window."""
    low, high = (pd.Timestamp(each).tz_convert("UTC").tz_localize(None) for each in (since, until))
    found: np.ndarray = ((dates >= low) & (dates < high)).to_numpy(dtype=bool)
    return found


def _elsewhere(dates: pd.Series, window: Window) -> str:
    return (
        f"No row of the sales file is dated {window.title}: its rows are from {dates.min():%Y-%m-%d} to "
        f"{dates.max():%Y-%m-%d}; give a newer file with --data, or another window."
    )


def _rejections(rejected: int, rows: int, validation: Validation, settings: JobSettings) -> Check:
    """More rejected rows than training would take are a finding."""
    limit = settings.validation.max_rejected_share
    if rows == 0:
        return Check(SCHEMA, "Not enough data: no row of the sales file is dated in the window.")
    if rejected <= limit * rows:
        return Check(SCHEMA, "The sales file is as the YAML says.", p=1.0, certain=True)
    why = most_frequent(validation)
    rest = f"of {counted(rows, 'row', 'rows')} of the sales file in the window"
    sentence = (
        f"{counted(rejected, f'{rest} is', f'{rest} are')} not valid, {rejected / rows:.2%} where "
        f"{limit:.2%} is allowed (most often: {why}{validation.advice})."
    )
    return Check(SCHEMA, sentence, p=0.0, certain=True)
