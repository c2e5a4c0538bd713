"""How the values of one column are written: which type, which marks, which words mean missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from steps.conversion import convert
from steps.format_hints import MISSING_WORDS
from steps.settings import column_of

READABLE = 0.98  # share of the present values that must be of a type; the others reject their rows
LEVELS_TOO = ("na", "none", "n/a", "missing", "unknown", "nil")  # words that a category may mean in earnest
NUMBER = re.compile(r"([^\d+\-\u2212.,]*)([+\-\u2212]?[\d.,'\u2019\u00a0\u202f ]*\d[.,]?)([^\d.,].*)?")
MAGNITUDES = {"k": 1e3, "m": 1e6, "mio": 1e6, "mio.": 1e6, "mn": 1e6, "bn": 1e9, "b": 1e9, "%": 0.01}
MARKS = ((".", ""), (".", ","), (",", ""), (",", "."), (",", " "), (".", " "), (".", "'"))
WORDS = (("yes", "no"), ("true", "false"), ("y", "n"), ("t", "f"))
OTHER_WORDS = (
    ("ja", "nein"),
    ("oui", "non"),
    ("sí", "no"),
    ("si", "no"),
    ("sim", "não"),
    ("ja", "nee"),
    ("tak", "nie"),
)
DAYS = (
    *("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d %b %Y", "%d-%b-%Y", "%d %B %Y"),
    *("%b %d, %Y", "%B %d, %Y", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%d-%b-%y"),
)
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
LIKE_A_DAY = re.compile(r"\w{1,9}[ .,/-]+\w{1,9}[ .,/-]+\d{2,4}\b")
MOST_UNITS = 4


@dataclass(frozen=True)
class Written:
    """A type that a column's values can be read as: what the YAML must say, and the share that can be read."""

    type: str
    keys: dict[str, Any] = field(default_factory=dict)
    readable: float = 1.0
    notes: tuple[str, ...] = ()


def written_as(values: pd.Series, prefer_comma: bool = False) -> Written:
    """The type of a column's values, and how they are written; `prefer_comma` decides on what could be both."""
    if values.dtype == bool or str(values.dtype) == "boolean":
        return Written("boolean")
    if pd.api.types.is_datetime64_any_dtype(values):
        return Written("date")
    if pd.api.types.is_numeric_dtype(values):
        return _of_numbers(values)
    texts = values.dropna().astype(str).str.strip()
    counts = texts[texts != ""].value_counts()
    if counts.empty:
        return Written("text")
    return _of_texts(counts, prefer_comma)


def _of_numbers(values: pd.Series) -> Written:
    present = values.dropna()
    if set(present.unique()) == {0, 1}:
        return Written("boolean")
    whole = bool((present == present.round()).all())
    return Written("integer" if whole else "number")


def _of_texts(counts: pd.Series, prefer_comma: bool) -> Written:
    words = [str(value) for value in counts.index if str(value).lower() in MISSING_WORDS]
    core = counts.drop(words)
    if core.empty:
        return Written("text")
    candidates: list[Callable[[], Iterator[Written]]] = [
        lambda: _booleans(core),
        lambda: _days(core),
        lambda: _numbers(core, prefer_comma),
    ]
    for found in candidates:
        best = max(found(), key=lambda each: each.readable, default=None)
        if best is not None and best.readable >= READABLE:
            return _with_missing(best, words)
    in_earnest = [word for word in words if word.lower() in LEVELS_TOO]
    missing = [word for word in words if word not in in_earnest]
    notes = tuple(f"{word!r} ({counts[word]:,} rows) is treated as a level" for word in in_earnest)
    return Written("category", {"missing": missing} if missing else {}, 1.0, notes)


def _with_missing(best: Written, words: list[str]) -> Written:
    return Written(best.type, {**best.keys, "missing": words}, best.readable, best.notes) if words else best


def _share(core: pd.Series, **column: Any) -> float:
    """The share of the values that a column with these keys can read."""
    _, bad = convert(pd.Series(core.index, dtype=object), column_of(column))
    return float(core.to_numpy()[~bad].sum() / core.sum())


def _booleans(core: pd.Series) -> Iterator[Written]:
    found = {str(value).lower() for value in core.index}
    if found in ({"0", "1"}, *map(set, WORDS)):
        yield Written("boolean")
    for yes, no in OTHER_WORDS:
        if found == {yes, no}:
            yield Written("boolean", {"yes_words": [yes], "no_words": [no]})


def _days(core: pd.Series) -> Iterator[Written]:
    """Days in ISO 8601, or in one of the usual forms; both orders of day and month where both are possible."""
    texts = [str(value) for value in core.index]
    if not any(re.search(r"\D", text) for text in texts) or not all(len(text) >= 6 for text in texts):
        return  # bare numbers are numbers
    if not any(re.fullmatch(r"[+-]?[\d.,]+", text) for text in texts[:20]):
        yield Written("date", readable=_share(core, type="date"))
    sample = core.head(200)
    if sum(bool(LIKE_A_DAY.match(str(text))) for text in sample.index) < READABLE * len(sample):
        return
    possible = []
    for form in (day + clock for clock in CLOCKS for day in DAYS):
        if _share(sample, type="date", dates=[form]) >= READABLE:
            possible.append(Written("date", {"dates": [form]}, _share(core, type="date", dates=[form])))
    sure = [each for each in possible if each.readable >= READABLE]
    forms = [each.keys["dates"][0] for each in sure]
    note = f"could also be written {forms[1]}: look at some rows" if len(forms) > 1 else ""
    for each in sure[:1]:
        yield Written(each.type, each.keys, each.readable, (note,) if note else ())


def _numbers(core: pd.Series, prefer_comma: bool) -> Iterator[Written]:
    if _are_codes(core):
        return
    units, notes = _units(core)
    if units is None:
        return
    shares = []
    for decimal, thousands in MARKS:
        keys: dict[str, Any] = {"units": units} if units else {}
        keys |= {"decimal": ","} if decimal == "," else {}
        keys |= {"thousands": thousands} if thousands else {}
        shares.append(Written("number", keys, _share(core, type="number", **keys), notes))
    best = max(each.readable for each in shares)
    equal = [each for each in shares if each.readable == best]
    wanted = [each for each in equal if (each.keys.get("decimal") == ",") == prefer_comma]
    chosen = (wanted or equal)[0]
    whole = _share(core, type="integer", **chosen.keys)
    yield Written("integer", chosen.keys, whole, notes) if whole == best else chosen


def is_comma_sure(values: pd.Series) -> bool:
    """Whether a column can only be read with a decimal comma."""
    if values.dtype != object:
        return False
    found = written_as(values)
    return found.type in ("integer", "number") and found.keys.get("decimal") == ","


def _are_codes(core: pd.Series) -> bool:
    """Digits with leading zeros name things, such as 00501."""
    texts = pd.Series(core.index.astype(str))
    zeros = texts.str.fullmatch(r"0\d+")
    return bool(zeros.any() and texts.str.fullmatch(r"\d+").all())


def _units(core: pd.Series) -> tuple[dict[str, float] | None, tuple[str, ...]]:
    """The words around the numbers and what they are worth; None where the values are no numbers with units."""
    if _share(core, type="number") >= READABLE:
        return {}, ()
    words: dict[str, float] = {}
    matched = 0
    for text, count in core.items():
        found = NUMBER.fullmatch(str(text))
        if found is None:
            continue
        matched += int(count)
        for word in (found[1].strip(), (found[3] or "").strip()):
            if word and not re.fullmatch(r"[eE][+-]?", word):
                words.setdefault(word, MAGNITUDES.get(word.lower(), 1.0))
        if len(words) > MOST_UNITS:
            return None, ()
    if matched < READABLE * core.sum():
        return None, ()
    unknown = [word for word, worth in words.items() if worth == 1.0 and word.isascii() and word[0].isalpha()]
    note = f"say in units what one of each is worth: {', '.join(unknown)} count as 1" if len(unknown) > 1 else ""
    return words, (note,) if note else ()


def width_of(values: pd.Series) -> int:
    """The number of digits of codes with leading zeros, 0 where they are none."""
    texts = values.dropna().astype(str).str.strip()
    texts = texts[texts != ""]
    if not len(texts) or not texts.str.fullmatch(r"\d+").all() or not texts.str.startswith("0").any():
        return 0
    return int(texts.str.len().max())


def robust_z(values: np.ndarray) -> np.ndarray:
    """How many robust standard deviations (1.4826 x the median absolute deviation) values are from the median."""
    middle = np.nanmedian(values)
    spread = 1.4826 * np.nanmedian(np.abs(values - middle))
    return np.abs(values - middle) / spread if spread > 0 else np.zeros(len(values))
