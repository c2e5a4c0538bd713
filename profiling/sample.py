"""A request to a model, made of rows of a data file: what an endpoint of this table takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from profiling.errors import DataError
from steps.data_set import parts_of
from steps.failure import JobError
from steps.raw_data import converted_columns, read_part
from steps.settings import Column, JobSettings


def request_of(path: Path, sections: Mapping[str, Any], rows: int) -> str:
    """JSON of the rows at even shares of the target, from small to large; of one row, the one in the middle.

    Only complete rows are taken where there are any. Raises DataError where the file is not that of the settings.
    """
    try:
        settings = JobSettings.from_json(sections)
        data = settings.data
        tables = [
            converted_columns(read_part(part, data.format)[0], data.columns, part.name)[0] for part in parts_of(path)
        ]
    except JobError as error:
        raise DataError(str(error)) from error
    inputs = data.inputs
    required = [data.target, *(name for name, column in inputs.items() if not column.optional)]
    usable = pd.concat(tables, ignore_index=True).dropna(subset=required)
    complete = usable.dropna(subset=list(inputs))
    chosen = (complete if len(complete) else usable).sort_values(data.target, kind="stable")
    if chosen.empty:
        raise DataError(f"No row of {path.name} has a value in every column that a prediction needs.")
    places = np.unique(np.linspace(0, len(chosen) - 1, rows + 2)[1:-1].round().astype(int))
    records = [
        {name: _value(row[name], column) for name, column in inputs.items()}
        for row in chosen.iloc[places].to_dict("records")
    ]
    return json.dumps(records[0] if rows == 1 else {"instances": records}, indent=2, ensure_ascii=False) + "\n"


def _value(value: Any, column: Column) -> Any:
    """A typed value as JSON has it."""
    if pd.isna(value):
        return None
    if column.type == "boolean":
        return bool(value)
    if column.type == "date":
        return pd.Timestamp(value).date().isoformat()
    if column.type == "integer":
        return int(value)
    return float(value) if column.type == "number" else str(value)
