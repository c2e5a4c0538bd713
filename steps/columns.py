"""The columns of some rows as numpy arrays: what features are computed from, in jobs and at the endpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

# Name -> one value per row. Numbers and booleans are float64 with NaN for what is missing, dates datetime64[D] with
# NaT, texts and categories objects with None.
Columns = Mapping[str, np.ndarray]


def columns_of(table: pd.DataFrame, names: Iterable[str], types: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Return columns of a table of typed rows; a name without a type is a number."""
    return {name: array_of(table[name], types.get(name, "number")) for name in names}


def array_of(values: pd.Series, type_: str) -> np.ndarray:
    """Return the converted values of one column, see `steps.conversion`, as an array."""
    if type_ == "date":
        return values.to_numpy(dtype="datetime64[ns]").astype("datetime64[D]")
    if type_ in ("category", "text"):
        objects = values.to_numpy(dtype=object, copy=True)
        objects[values.isna().to_numpy()] = None
        return objects
    return values.to_numpy(dtype=float, na_value=np.nan)


class ColumnsOf(Mapping[str, np.ndarray]):
    """The same of a long table, each column as an array only while it is looked at."""

    def __init__(self, table: pd.DataFrame, types: Mapping[str, str]) -> None:
        self._table, self._types = table, types

    def __getitem__(self, name: str) -> np.ndarray:
        return array_of(self._table[name], self._types.get(name, "number"))

    def __iter__(self) -> Iterator[str]:
        return iter(map(str, self._table))

    def __len__(self) -> int:
        return self._table.shape[1]


def rows_of(columns: Columns, chosen: np.ndarray | slice) -> dict[str, np.ndarray]:
    """Return some of the rows; `chosen` are their places, or a boolean for each row."""
    return {name: values[chosen] for name, values in columns.items()}


def is_missing(values: np.ndarray) -> np.ndarray:
    """Say for each value of a column whether it is missing."""
    if values.dtype == object:
        return np.fromiter((value is None for value in values), dtype=bool, count=len(values))
    missing: np.ndarray = np.isnat(values) if values.dtype.kind == "M" else np.isnan(values)
    return missing


def missing(type_: str, rows: int) -> np.ndarray:
    """Return a column of that many missing values."""
    if type_ == "date":
        return np.full(rows, "NaT", dtype="datetime64[D]")
    return np.full(rows, None) if type_ in ("category", "text") else np.full(rows, np.nan)
