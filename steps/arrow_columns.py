"""The columns of a model from a batch of Arrow, converted as those of a request; what cannot be is told by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from steps.column_settings import Column
from steps.columns import array_of, is_missing, missing
from steps.conversion import convert, described

if TYPE_CHECKING:
    from pyarrow import Array, RecordBatch


class ArrowColumns:
    """columns: name -> values as `steps.columns` holds them. faults: row -> why it cannot be predicted.

    A value that a request is refused for (not of its column's type; missing where the column is not optional) is
    missing in `columns`, and its row has a fault.
    """

    def __init__(self, batch: RecordBatch, inputs: Mapping[str, Column], told: Mapping[str, str]) -> None:
        """`told` is what the folders of the batch's file say, of columns that the batch lacks; others are missing."""
        rows = batch.num_rows
        self.columns: dict[str, np.ndarray] = {}
        self.faults: dict[int, str] = {}
        for name, column in inputs.items():
            if name in batch.schema.names:
                self._add(name, column, batch.column(name))
            elif name in told:
                self._add(name, column, pa.array([told[name] or None], pa.string()).take(pa.array(np.zeros(rows, int))))
            else:
                self.columns[name] = missing(column.type, rows)

    def _add(self, name: str, column: Column, values: Array) -> None:
        converted, bad = _converted(values, column)
        for row in np.flatnonzero(bad).tolist():
            value = _shown(values[row].as_py())
            self.faults.setdefault(row, f"field {name}: {value} is not {described(column)}")
        if not column.optional:
            for row in np.flatnonzero(is_missing(converted) & ~bad).tolist():
                self.faults.setdefault(row, f"field {name}: the value is missing")
        self.columns[name] = converted


def _converted(values: Array, column: Column) -> tuple[np.ndarray, np.ndarray]:
    """The values converted, and which of them cannot be; of texts, each different one is converted once."""
    plain = pa.types.is_floating(values.type) or pa.types.is_integer(values.type) or pa.types.is_boolean(values.type)
    if (plain and column.type not in ("category", "text")) or pa.types.is_nested(values.type):
        return _by_pandas(values, column)
    if not pa.types.is_dictionary(values.type):
        try:
            values = values.dictionary_encode()
        except pa.ArrowNotImplementedError:  # of a type that has no codes
            return _by_pandas(values, column)
    # One more place behind the different values stands for what is missing.
    different, bad = _by_pandas(values.dictionary, column)
    places = values.indices.fill_null(len(different)).to_numpy(zero_copy_only=False)
    return np.append(different, missing(column.type, 1))[places], np.append(bad, False)[places]


def _by_pandas(values: Array, column: Column) -> tuple[np.ndarray, np.ndarray]:
    if pa.types.is_decimal(values.type):  # a database's decimals: as near as a float comes to them
        values = values.cast(pa.float64())
    nested = pa.types.is_nested(values.type)  # pandas would make arrays of lists
    series = pd.Series(values.to_pylist(), dtype=object) if nested else pd.Series(values.to_pandas())
    converted, bad = convert(series, column)
    return array_of(converted, column.type), bad


def _shown(value: Any) -> str:
    """A value as it is told: no more than a line of it."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
