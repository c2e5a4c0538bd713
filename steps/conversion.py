"""Give the values of one column their declared type: the same way from CSV, Parquet and requests."""

from __future__ import annotations

import numpy as np
import pandas as pd

from steps.settings import Column

_TRUE, _FALSE = ("true", "1", "1.0"), ("false", "0", "0.0")
NAMES = {
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "category": "a text",
    "text": "a text",
    "date": "a date such as 2014-10-13 or 20141013T000000",
}


def convert(values: pd.Series, column: Column) -> tuple[pd.Series, np.ndarray]:
    """Convert values to a column's type.

    Returns the converted values and a boolean array that marks those that cannot be converted. What
    is missing or cannot be converted is missing in the result: NaN, None for texts, NaT for dates.
    Types of the result: int64 (float64 if some are missing) for integers, float64 for numbers and for
    booleans (0, 1), object for texts and categories, datetime64[ns] at midnight for dates.
    """
    if values.dtype == object or isinstance(values.dtype, pd.StringDtype | pd.CategoricalDtype):
        values = values.astype(object)
        stripped = values.map(lambda value: value.strip() if isinstance(value, str) else value)
        values = stripped.mask(stripped == "", None)
    missing = values.isna().to_numpy()
    if column.type == "date":
        converted = _dates(values)
    elif column.type in ("category", "text"):
        converted = _texts(values, column.width)
    elif column.type == "boolean":
        converted = _booleans(values)
    else:
        converted = _numbers(values, whole=column.type == "integer")
    bad = converted.isna().to_numpy() & ~missing
    if column.type == "integer" and not converted.isna().any():
        converted = converted.astype("int64")
    return converted, bad


def _numbers(values: pd.Series, whole: bool) -> pd.Series:
    if values.dtype == bool or pd.api.types.is_datetime64_any_dtype(values):
        return pd.Series(np.nan, index=values.index)
    if values.dtype == object:
        values = values.map(lambda value: value if isinstance(value, str | int | float | np.number) else np.nan)
        values = values.mask(values.map(lambda value: isinstance(value, bool)), np.nan)
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    numbers = numbers.where(np.isfinite(numbers))
    return numbers.where(numbers == numbers.round()) if whole else numbers


def _booleans(values: pd.Series) -> pd.Series:
    known = {**dict.fromkeys(_TRUE, 1.0), **dict.fromkeys(_FALSE, 0.0)}
    if values.dtype == bool:
        return values.astype("float64")
    return values.map(lambda value: known.get(str(value).lower(), np.nan)).astype("float64")


def _texts(values: pd.Series, width: int) -> pd.Series:
    def text(value: object) -> str | None:
        if value is None or value is pd.NA or value != value:
            return None
        if isinstance(value, bool | list | dict):
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # an integer column with gaps is read as floats
        return str(value).zfill(width)

    if pd.api.types.is_integer_dtype(values):
        return values.astype(str).str.zfill(width).astype(object)
    return values.map(text).astype(object)


def _dates(values: pd.Series) -> pd.Series:
    """Dates in ISO 8601, basic (20141013T000000) or extended; bare numbers are not dates."""
    if pd.api.types.is_numeric_dtype(values):
        return pd.Series(pd.NaT, index=values.index, dtype="datetime64[ns]")
    if values.dtype == object:
        values = values.map(lambda value: None if isinstance(value, bool | int | float | list | dict) else value)
        # A short text such as "1955" is a year or a number, not a day.
        values = values.map(lambda value: None if isinstance(value, str) and len(value) < 8 else value)
        values = pd.to_datetime(values, errors="coerce", format="ISO8601", utc=True)
    elif isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC")
    dates = pd.to_datetime(values)
    if dates.dt.tz is not None:
        dates = dates.dt.tz_localize(None)
    return dates.dt.normalize().astype("datetime64[ns]")
