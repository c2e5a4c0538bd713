"""Rows as an endpoint is asked for them: those of captured requests, or those of a test part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evaluation.golden import plain
from evaluation.number_texts import counted
from monitoring.captured import SEED, read_captured
from steps.failure import JobError
from steps.settings import DataSettings

MOST_ROWS = 20_000


@dataclass(frozen=True)
class RequestRow:
    """The fields of one row, and what a person knows it by: its identity, or the id of its request."""

    name: str
    values: Mapping[str, Any]


def captured_rows(folder: Path, names: Sequence[str], data: DataSettings) -> list[RequestRow]:
    """The rows of the captured requests below a folder, an even sample where there are more than MOST_ROWS.

    `names` are the fields of a CSV body without a header. JobError where there are none that can be read.
    """
    captured = read_captured(folder, {}, names)
    if not captured.served:
        said = f": {captured.example}" if captured.example else ""
        events = counted(captured.events, "captured event", "captured events")
        raise JobError(f"Of {events}, none can be read{said}.")
    return _sample([RequestRow(_name(row.values, data) or row.key, row.values) for row in captured.served])


def rows_of_test_part(path: Path, data: DataSettings) -> list[RequestRow]:
    """The rows of a test part with the fields that a request has, an even sample where there are more than MOST_ROWS.

    JobError where the file is not a table.
    """
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise JobError(f"The test part {path.name} cannot be read: {error}.") from error
    records = [{str(name): plain(value) for name, value in record.items()} for record in table.to_dict("records")]
    inputs = data.inputs
    return _sample(
        [
            RequestRow(
                _name(record, data) or str(place), {key: value for key, value in record.items() if key in inputs}
            )
            for place, record in enumerate(records)
        ]
    )


def _name(values: Mapping[str, Any], data: DataSettings) -> str:
    """The identity of a row; empty where the data names none, or the row lacks a part of it."""
    parts = [values.get(name) for name in data.identity]
    return " ".join(map(str, parts)) if parts and None not in parts else ""


def _sample(rows: list[RequestRow]) -> list[RequestRow]:
    if len(rows) <= MOST_ROWS:
        return rows
    places = np.sort(np.random.default_rng(SEED).choice(len(rows), MOST_ROWS, replace=False))
    return [rows[place] for place in places]
