"""Give the values of one column their declared type: the same way from CSV, Parquet and requests."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from steps.column_settings import Column
from steps.converted import is_converted

YES_WORDS, NO_WORDS = ("true", "yes", "y", "t", "1", "1.0"), ("false", "no", "n", "f", "0", "0.0")
FEW = 1000  # values that are converted one by one; of more, each different text once
SPACES = re.compile("[\u00a0\u2009\u202f]")  # no-break, thin and narrow spaces between groups of digits
NAMES = {
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "category": "a text",
    "text": "a text",
    "date": "a date such as 2014-10-13 or 20141013T000000",
}


def described(column: Column) -> str:
    """What a value of the column is, as people say it, with what the YAML says of how it is written."""
    noun, written = NAMES[column.type], ""
    if column.type in ("integer", "number"):
        if column.decimal == ",":
            written += " with a decimal comma"
        if column.thousands:
            written += f"{' and' if written else ' with'} {column.thousands!r} between thousands"
        if column.units:
            written += f" in {' or '.join(column.units)}"
    elif column.type == "boolean" and column.yes_words:
        return f"one of {', '.join([*column.yes_words, *(column.no_words or NO_WORDS)])}"
    elif column.type == "date" and column.dates:
        return f"a date in the form {' or '.join(column.dates)}"
    return noun + written


def convert(values: pd.Series, column: Column) -> tuple[pd.Series, np.ndarray]:
    """Convert values to a column's type.

    Returns the converted values and a boolean array that marks those that cannot be converted. What
    is missing or cannot be converted is missing in the result: NaN, None for texts, NaT for dates.
    Types of the result: int64 (float64 if some are missing) for integers, float64 for numbers and for
    booleans (0, 1), object for texts and categories, datetime64[ns] at midnight for dates. Values that are there
    already, as in the rows that ValidateData has accepted, are returned as they are.
    """
    if is_converted(values, column):
        return values, np.zeros(len(values), dtype=bool)
    if len(values) < FEW or not _worth_once(values, column):
        return _convert(values, column)
    codes, different = pd.factorize(values, use_na_sentinel=False)
    converted, bad = _convert(pd.Series(different), column)
    return converted.take(codes).set_axis(values.index), bad[codes]


def _worth_once(values: pd.Series, column: Column) -> bool:
    """Whether to convert each different value once; among objects of any types 1 and True would be one."""
    if values.dtype == object:
        return pd.api.types.infer_dtype(values, skipna=True) in ("string", "date")
    return column.type in ("category", "text")


def _convert(values: pd.Series, column: Column) -> tuple[pd.Series, np.ndarray]:
    values = _without_missing_words(values, column.missing or ())
    missing = values.isna().to_numpy()
    if column.type == "date":
        converted = _dates(values, column.dates or ())
    elif column.type in ("category", "text"):
        converted = _texts(values, column.width)
    elif column.type == "boolean":
        converted = _booleans(values, column)
    else:
        converted = _numbers(values, column)
    bad = converted.isna().to_numpy() & ~missing
    if column.type == "integer" and not converted.isna().any():
        converted = converted.astype("int64")
    return converted, bad


def _without_missing_words(values: pd.Series, words: tuple[str, ...]) -> pd.Series:
    """Texts without spaces around them; None for empty ones and for the words that mean missing."""
    if values.dtype == object or isinstance(values.dtype, pd.StringDtype | pd.CategoricalDtype):
        values = values.astype(object)
        stripped = values.map(lambda value: value.strip() if isinstance(value, str) else value)
        return stripped.mask(stripped.isin({"", *words}), None)
    if words and pd.api.types.is_numeric_dtype(values) and values.dtype != bool:
        numbers = pd.to_numeric(pd.Series(words, dtype=object), errors="coerce").dropna()
        return values.mask(values.isin(numbers))
    return values


def _numbers(values: pd.Series, column: Column) -> pd.Series:
    if values.dtype == bool or values.dtype.kind in "mM":  # durations and moments, which count nanoseconds
        return pd.Series(np.nan, index=values.index)
    if values.dtype == object:
        values = values.map(lambda value: value if isinstance(value, str | int | float | np.number) else np.nan)
        values = values.mask(values.map(lambda value: isinstance(value, bool)), np.nan)
        if column.units or column.thousands or column.decimal == ",":
            read = number_reader(column)
            values = values.map(lambda value: read(value) if isinstance(value, str) else value)
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    numbers = numbers.where(np.isfinite(numbers))
    return numbers.where(numbers == numbers.round()) if column.type == "integer" else numbers


def number_reader(column: Column) -> Callable[[str], float]:
    """What reads the column's numbers from texts: NaN for what is not written as the YAML says."""
    between, point = re.escape(column.thousands or ""), re.escape(column.decimal or ".")
    # Groups of three digits, or of two before the last one, as in India.
    grouped = rf"\d{{1,3}}(?:{between}\d{{2,3}})*{between}\d{{3}}|" if between else ""
    form = re.compile(rf"([+-]?)((?:{grouped}\d+)?)(?:{point}(\d*))?((?:[eE][+-]?\d+)?)")
    units = sorted((column.units or {}).items(), key=lambda unit: -len(unit[0]))

    def read(text: str) -> float:
        factor, rest = 1.0, SPACES.sub(" ", text.replace("\u2212", "-").replace("\u2019", "'"))
        sign, rest = _unbracketed(rest)
        for _ in range(2):  # one word in front and one behind, as in "$ 1.2 M"
            for word, worth in units:
                shorter = _without(rest, word)
                if shorter is not None:
                    factor, rest = factor * worth, shorter
                    break
        inner, rest = _unbracketed(rest)
        factor *= sign * inner
        found = form.fullmatch(rest)
        if found is None or not (found[2] or found[3]):
            return float("nan")
        whole = found[2].replace(column.thousands, "") if column.thousands else found[2]
        return float(f"{found[1]}{whole or '0'}.{found[3] or '0'}{found[4]}") * factor

    return read


def _unbracketed(text: str) -> tuple[float, str]:
    """The sign and the text without the brackets in which accountants write what is below 0: (1,200) or $(1,200)."""
    bracketed = len(text) > 2 and text.startswith("(") and text.endswith(")")
    return (-1.0, text[1:-1].strip()) if bracketed else (1.0, text)


def _without(text: str, word: str) -> str | None:
    """A text without a word at its beginning, after a sign too, or at its end; None where it is at neither."""
    folded, small = text.casefold(), word.casefold()
    sign = text[:1] if text[:1] in ("+", "-") else ""
    if len(folded) != len(text):  # a letter whose small form is longer: compare as it is written
        folded, small = text, word
    if folded[len(sign) :].startswith(small):
        return sign + text[len(sign) + len(word) :].strip()
    return text[: len(text) - len(word)].strip() if folded.endswith(small) else None


def _booleans(values: pd.Series, column: Column) -> pd.Series:
    yes, no = column.yes_words or YES_WORDS, column.no_words or NO_WORDS
    known = {**{word.lower(): 0.0 for word in no}, **{word.lower(): 1.0 for word in yes}}
    if values.dtype == bool:
        return values.astype("float64")
    if column.yes_words or column.no_words:  # true, false and their numbers are what requests and Parquet hold
        known = {"true": 1.0, "false": 0.0, **known}
        if not pd.api.types.is_object_dtype(values):
            known = {"1": 1.0, "1.0": 1.0, "0": 0.0, "0.0": 0.0, **known}
    return values.map(lambda value: known.get(str(value).lower(), np.nan)).astype("float64")


def _texts(values: pd.Series, width: int) -> pd.Series:
    def text(value: object) -> str | None:
        if isinstance(value, bool | bytes | list | dict | np.ndarray):
            return None
        if value is None or value is pd.NA or value != value:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # an integer column with gaps is read as floats
        return str(value).zfill(width)

    if pd.api.types.is_integer_dtype(values) and not values.hasnans:
        return pd.Series([str(number).zfill(width) for number in values.tolist()], index=values.index, dtype=object)
    return values.map(text).astype(object)


def _dates(values: pd.Series, forms: tuple[str, ...]) -> pd.Series:
    """Dates in the forms, and in ISO 8601, basic (20141013T000000) or extended; bare numbers are not dates."""
    if pd.api.types.is_numeric_dtype(values) or values.dtype.kind == "m":
        return pd.Series(pd.NaT, index=values.index, dtype="datetime64[ns]")
    if values.dtype == object:
        values = values.map(lambda value: None if isinstance(value, bool | int | float | list | dict) else value)
        found = pd.Series(pd.NaT, index=values.index, dtype="datetime64[ns]")
        for form in forms:
            found = found.fillna(pd.to_datetime(values.where(found.isna()), errors="coerce", format=form))
        # A short text such as "1955" is a year or a number, not a day.
        rest = values.where(found.isna())
        rest = rest.map(lambda value: None if isinstance(value, str) and len(value) < 8 else value)
        values = pd.to_datetime(rest, errors="coerce", format="ISO8601", utc=True).dt.tz_localize(None)
        values = values.fillna(found)
    elif isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC")
    dates = pd.to_datetime(values)
    if dates.dt.tz is not None:
        dates = dates.dt.tz_localize(None)
    return dates.dt.normalize().astype("datetime64[ns]")
