"""Convert the values of a request to a column's type: as `steps.conversion` does it, without pandas.

A request holds few rows, for which each call of pandas takes longer than all else. So values that are written plainly
are converted here, and whatever else a client sends is left to `steps.conversion`, which alone says what it means.
So is every value of a column whose YAML says how it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd

from steps.column_settings import Column
from steps.columns import array_of
from steps.conversion import convert

# Up to 15 digits: any reader of numbers, pandas' own too, finds the nearest float for them.
_NUMBER = re.compile(r"-?(?=[0-9.]{1,16}$)[0-9]{1,15}(\.[0-9]{1,14})?")
_DATE = re.compile(r"((?:1[7-9]|2[01])[0-9]{2})(-?)([0-9]{2})\2([0-9]{2})(?:T00(?:0000|:00:00))?")
_NUMBERS = {int, float, str, type(None)}
_EXACT = 2.0**53  # up to here a float holds every whole number
_UNIX = date(1970, 1, 1).toordinal()
_NO_DATE = int(np.datetime64("NaT", "D").astype(np.int64))
_BOOLEANS = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}


class _NotPlainError(ValueError):
    """A value that `steps.conversion` must look at."""


def convert_values(values: Sequence[Any], column: Column) -> tuple[np.ndarray, np.ndarray | None]:
    """Convert values to a column's type, as `steps.columns` holds it.

    Returns the array, in which is missing what is missing or cannot be converted, and a boolean array that marks the
    latter, None if there is none.
    """
    plain = _read_plainly(values, column) if column.is_default else None
    if plain is not None:
        return plain, None
    converted, bad = convert(pd.Series(values, dtype=object), column)
    return array_of(converted, column.type), bad if bad.any() else None


def _read_plainly(values: Sequence[Any], column: Column) -> np.ndarray | None:
    try:
        return _plain[column.type](values, column)
    except _NotPlainError:
        return None


def _numbers(values: Sequence[Any], column: Column) -> np.ndarray:
    kinds = set(map(type, values))
    if str in kinds:
        values = [_number(value) if isinstance(value, str) else value for value in values]
    if not kinds <= _NUMBERS:
        raise _NotPlainError
    try:
        numbers = np.array(values, dtype=float)
    except OverflowError as error:  # an integer that no float can hold
        raise _NotPlainError from error
    plain = (np.abs(numbers) < _EXACT) & ((numbers != 0) | ~np.signbit(numbers))
    if column.type == "integer":
        plain &= numbers == np.floor(numbers)
    if not plain.all() and not (plain | np.isnan(numbers)).all():
        raise _NotPlainError
    return numbers


def _number(text: str) -> float | None:
    text = text.strip()
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise _NotPlainError
    return float(text)


def _booleans(values: Sequence[Any], _column: Column) -> np.ndarray:
    return np.array([_boolean(value) for value in values], dtype=float)


def _boolean(value: Any) -> float | None:
    if value is None or value == "":
        return None
    known = _BOOLEANS.get(str(value).lower())
    if known is None:
        raise _NotPlainError
    return known


def _texts(values: Sequence[Any], column: Column) -> np.ndarray:
    result = np.empty(len(values), dtype=object)
    result[:] = list(map(_text, values, repeat(column.width)))
    return result


def _text(value: Any, width: int) -> str | None:
    kind = type(value)
    if kind is str:
        return value.strip().zfill(width) if value and not value.isspace() else None
    if kind is int:
        return str(value).zfill(width)
    if value is None:
        return None
    raise _NotPlainError


def _dates(values: Sequence[Any], _column: Column) -> np.ndarray:
    return np.array([_day(value) for value in values], dtype=np.int64).view("datetime64[D]")


def _day(value: Any) -> int:
    """Days since 1970-01-01, as numpy counts them."""
    if value is None or value == "":
        return _NO_DATE
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise _NotPlainError
    try:
        return date(int(found[1]), int(found[3]), int(found[4])).toordinal() - _UNIX
    except ValueError as error:
        raise _NotPlainError from error


_plain: dict[str, Callable[[Sequence[Any], Column], np.ndarray]] = {
    "integer": _numbers,
    "number": _numbers,
    "boolean": _booleans,
    "category": _texts,
    "text": _texts,
    "date": _dates,
}
