"""What each column of a table seems to be, and what is strange about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from profiling.values import Written, decimal_of, number_of, robust_z, width_of, written_as
from steps.conversion import convert
from steps.settings import column_of

MOST_LEVELS = 300  # a category with more is encoded by what its rows were worth
ROWS_PER_LEVEL = 3
POSTCODE = re.compile(r"zip|postal|postcode|post_code|plz|cep\b", re.IGNORECASE)
IDENTITY = re.compile(
    r"(^|[_\W])(?i:id|ids|key|uuid|guid|nr|no|number|index|rownames|row|serial|parcel|apn|pid|vin)($|[_\W])"
    r"|Id$|ID$|^Unnamed: \d+$",
)
LATITUDE, LONGITUDE = re.compile(r"^lat(itude)?$", re.I), re.compile(r"^(lon|lng|long|longitude)$", re.I)
SENTINELS = (-1, -9, -99, -999, -9999, 99, 999, 9999, 99999, 999999)
RARE = 0.005  # more rows than this outside of a range are a tail, not slips
SHOWN = 3
MOSTLY = 0.4  # a share of zeros that makes the quantiles those of the zeros
LONGEST_SCALE = 30  # different values of a scale such as a grade


@dataclass(frozen=True)
class Draft:
    """A column as the YAML will have it; `column` holds its keys, `notes` what a person should look at.

    values: typed, as the jobs will see them.
    """

    name: str
    column: dict[str, Any]
    values: pd.Series
    notes: tuple[str, ...] = ()
    distinct: int = 0
    unreadable: int = 0

    @property
    def type(self) -> str:
        """The column's type."""
        return str(self.column["type"])

    @property
    def is_feature(self) -> bool:
        """Whether the model may learn from it."""
        return bool(self.column.get("feature", True))

    @property
    def is_number(self) -> bool:
        """Whether it is an integer or a number."""
        return self.type in ("integer", "number")

    def noted(self, *notes: str, **keys: Any) -> Draft:
        """The same with more notes, and other keys."""
        return replace(self, notes=(*self.notes, *notes), column={**self.column, **keys})


def drafts(table: pd.DataFrame, hollow: np.ndarray, separator: str) -> list[Draft]:
    """A draft for each column, in the file's order; gaps in the `hollow` rows make no column optional."""
    signs = [decimal_of(table[name].head(2000)) for name in table]
    # A semicolon separates fields where the comma is taken.
    prefer_comma = "," in signs or (separator == ";" and "." not in signs)
    return [_draft(str(name), table[name].reset_index(drop=True), hollow, prefer_comma) for name in table]


def hollow_rows(table: pd.DataFrame) -> np.ndarray:
    """Marks the few rows that are more than half empty where the others are not, such as a total below the table."""
    gaps = np.column_stack([(table[name].isna() | (table[name].astype(object) == "")).to_numpy() for name in table])
    empty = gaps.mean(axis=1)
    found: np.ndarray = empty > 0.5
    few = found.sum() <= max(3, RARE * len(table))
    return found if few and len(table) and np.median(empty) < 0.25 else np.zeros(len(table), dtype=bool)


def as_numbers(each: Draft, raw: pd.Series, hollow: np.ndarray) -> Draft:
    """The same as numbers where at least half of its values are, such as prices among `on request`; else as it is."""
    written = number_of(raw)
    return each if written is None else _as_written(each.name, raw.reset_index(drop=True), written, hollow)


def _draft(name: str, raw: pd.Series, hollow: np.ndarray, prefer_comma: bool) -> Draft:
    return _as_written(name, raw, written_as(raw, prefer_comma), hollow)


def _as_written(name: str, raw: pd.Series, written: Written, hollow: np.ndarray) -> Draft:
    keys: dict[str, Any] = {"type": written.type, **written.keys}
    if written.type in ("integer", "number") and POSTCODE.search(name):
        keys = {"type": "category", **{key: value for key, value in keys.items() if key == "missing"}}
    values, bad = convert(raw, column_of(keys))
    keys, notes = _kind(name, keys, values)
    if keys["type"] in ("category", "text") and (width := width_of(values)):
        keys["width"] = width
    if keys["type"] in ("integer", "number"):
        values, own = _numbers(values)
        notes += own
    gaps = values.isna().to_numpy() & ~bad & ~hollow
    if gaps.any():
        keys["optional"] = True
    if bad.any():
        shown = ", ".join(repr(str(value)) for value in raw[bad].unique()[:SHOWN])
        notes.append(f"{counted(int(bad.sum()))} a value that cannot be read, and will be rejected: {shown}")
    return Draft(name, keys, values, (*written.notes, *notes), int(values.nunique()), int(bad.sum()))


def _kind(name: str, keys: dict[str, Any], values: pd.Series) -> tuple[dict[str, Any], list[str]]:
    """The keys with `feature: false` or another type where the values are names, free text or all the same."""
    rows, distinct = int(values.notna().sum()), int(values.nunique())
    keys = dict(keys)
    if rows == 0:
        return {"type": "text", "optional": True, "feature": False}, ["it has no value in any row"]
    if distinct == 1 and rows == len(values):
        keys["feature"] = False
        return keys, ["it is the same in all rows"]
    if distinct == 1:
        value = values.dropna().iloc[0]
        shown = f"{value:.10g}" if isinstance(value, float) else repr(value)
        return keys, [f"it is {shown} in {rows:,} row{'' if rows == 1 else 's'}, and in the others nothing"]
    if keys["type"] == "category" and distinct > max(20, rows / ROWS_PER_LEVEL):
        keys["type"] = "text"
        note = "each row has its own value" if distinct == rows else f"{distinct:,} different texts"
        return keys, [f"{note}: text is not a feature"]
    if keys["type"] == "integer" and is_identity(name, values):
        keys["feature"] = False
    return keys, []


def counted(rows: int) -> str:
    """The beginning of a sentence about so many rows."""
    return f"{rows:,} row{' has' if rows == 1 else 's have'}"


def is_identity(name: str, values: pd.Series) -> bool:
    """Whether a column names its rows: whole numbers or texts, all different, by its name or because it counts."""
    present = values.dropna()
    if len(present) < len(values) or present.nunique() < len(values) or pd.api.types.is_float_dtype(present):
        return False
    if IDENTITY.search(name):
        return True
    return bool(pd.api.types.is_integer_dtype(present) and (np.diff(present.to_numpy()) == 1).all())


def _numbers(values: pd.Series) -> tuple[pd.Series, list[str]]:
    """Notes on numbers that are strange among the others."""
    notes: list[str] = []
    numbers = values.dropna().to_numpy(dtype=float)
    if not len(numbers):
        return values, notes
    fractions = numbers != np.round(numbers)
    if 0 < fractions.sum() <= max(3, RARE * len(numbers)):
        shown = ", ".join(f"{number:.10g}" for number in numbers[fractions][:SHOWN])
        many = "fraction" if fractions.sum() == 1 else "fractions"
        notes.append(f"{int(fractions.sum()):,} {many} where the rest are whole: {shown}")
    for sentinel in SENTINELS:
        count = int((numbers == sentinel).sum())
        others = numbers[numbers != sentinel]
        alone = len(others) and (others.min() > sentinel >= -1e9 if sentinel < 0 else others.max() < sentinel / 2)
        if count > 1 and alone and (sentinel < -1 or others.min() >= 0):
            notes.append(f'{sentinel} in {count:,} rows may mean that there is no value: missing: ["{sentinel}"]')
    return values, notes


def range_of(values: pd.Series) -> tuple[list[float] | None, list[str]]:
    """A range that leaves room around the values but not for slips, and a note on what lies outside of it.

    From the quantiles: twice as far from the median as the first and last per cent, in the logarithm
    where all values are positive. Where more than a few rows lie outside, the values reach that far, and the range too.
    """
    numbers = values.dropna().to_numpy(dtype=float)
    if len(numbers) < 20 or numbers.min() == numbers.max():
        return None, []
    whole = bool((numbers == np.round(numbers)).all())
    low, high = (_rounded(limit, down, whole) for limit, down in zip(_limits(numbers), (True, False), strict=True))
    below, above = numbers < low, numbers > high
    near = whole & _next_to_others(numbers, below | above)
    if (near & below).any():
        low, below = _rounded(numbers[near].min(), True, whole), below & ~near
    if (near & above).any():
        high, above = _rounded(numbers[near].max(), False, whole), above & ~near
    notes = []
    if below.sum() > RARE * len(numbers) or np.quantile(numbers, 0.01) == np.median(numbers):
        low, below = _rounded(numbers.min(), True, whole), np.zeros(len(numbers), dtype=bool)
    if above.sum() > RARE * len(numbers) or np.quantile(numbers, 0.99) == np.median(numbers):
        high, above = _rounded(numbers.max(), False, whole), np.zeros(len(numbers), dtype=bool)
    outside = below | above
    if outside.any():
        z = robust_z(numbers)[outside]
        order = np.argsort(-z)[:SHOWN]
        pairs = zip(numbers[outside][order], z[order], strict=True)
        shown = ", ".join(f"{number:.10g} (robust z {far:.0f})" for number, far in pairs)
        rows = f"{int(outside.sum()):,} row{'s are' if outside.sum() > 1 else ' is'}"
        notes.append(f"{rows} far from the others and will be rejected: {shown}")
    return [low, high], notes


def _limits(numbers: np.ndarray) -> tuple[float, float]:
    """In the logarithm where all values are positive; the high one by the positive ones where most values are 0."""
    lowest = numbers.min()
    if lowest > 0:
        first, middle, last = np.quantile(np.log(numbers), [0.01, 0.5, 0.99])
        return float(np.exp(first - 2 * (middle - first))), float(np.exp(last + 2 * (last - middle)))
    if lowest == 0 and (numbers == 0).mean() > MOSTLY:
        return 0.0, _limits(numbers[numbers > 0])[1]
    first, middle, last = np.quantile(numbers, [0.01, 0.5, 0.99])
    low = first - 2 * (middle - first)
    return float(max(low, 0.0) if lowest == 0 else low), float(last + 2 * (last - middle))


def _next_to_others(numbers: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Whether each value is one step from a value that is not outside: the end of a scale such as 1, 2, 3, is."""
    inside = np.unique(numbers[~outside])
    if len(np.unique(numbers)) > LONGEST_SCALE or not len(inside):
        return np.zeros(len(numbers), dtype=bool)
    near: np.ndarray = (numbers >= inside[0] - 1) & (numbers <= inside[-1] + 1)
    return near


def _rounded(number: float, down: bool, whole: bool) -> float:
    """Outward to two digits; for whole numbers a whole one, inward where it is small."""
    if number == 0:
        return 0
    size = 10.0 ** (np.floor(np.log10(abs(number))) - 1)
    if whole and size < 1:
        return int(np.ceil(number) if down else np.floor(number))
    result = float(f"{float((np.floor if down else np.ceil)(round(number / size, 9)) * size):.10g}")
    return int(result) if result == round(result) else result
