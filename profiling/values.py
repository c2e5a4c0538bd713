"""How the values of one column are written: which type, which marks, which words mean missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from steps.conversion import convert
from steps.format_hints import MISSING_WORDS
from steps.settings import column_of

MOSTLY_NUMBERS = 0.5  # share of a target's values that must be numbers
READABLE = 0.98  # share of the present values that must be of a type; the others reject their rows
LEVELS_TOO = ("na", "none", "n/a", "missing", "unknown", "nil")  # words that a category may mean in earnest
NUMBER = re.compile(r"([^\d+\-\u2212.,]*)([+\-\u2212]?[\d.,'\u2019\u00a0\u202f ]*\d[.,]?)([^\d.,].*)?")
WHOLE, PLAIN = re.compile(r"[+-]?\d{1,15}"), re.compile(r"([+-]?\d{1,15})(?:\.(\d{1,15}))?")
MAGNITUDES = {
    **{"k": 1e3, "k€": 1e3, "tsd": 1e3, "tsd.": 1e3, "тыс": 1e3, "тыс.": 1e3, "thousand": 1e3, "%": 0.01},
    **{"m": 1e6, "mio": 1e6, "mio.": 1e6, "mn": 1e6, "mln": 1e6, "млн": 1e6, "million": 1e6, "m€": 1e6},
    **{"bn": 1e9, "b": 1e9, "mrd": 1e9, "mrd.": 1e9, "billion": 1e9, "млрд": 1e9},
    **{"lac": 1e5, "lacs": 1e5, "lakh": 1e5, "lakhs": 1e5, "cr": 1e7, "cr.": 1e7, "crore": 1e7, "crores": 1e7},
    **{"万": 1e4, "万円": 1e4, "万元": 1e4, "億円": 1e8, "亿": 1e8},
}
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
    ("да", "нет"),
    ("wahr", "falsch"),
    ("vrai", "faux"),
    ("有", "無"),
)
CURRENCIES = frozenset(
    [
        *("USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "CAD", "AUD", "NZD", "RUB", "BRL", "PLN", "CZK", "HUF"),
        *("SEK", "NOK", "DKK", "TRY", "ZAR", "MXN", "KRW", "SGD", "HKD", "AED", "RS", "RM", "KR"),
    ]
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
    """The type of a column's values, and how they are written; `prefer_comma` decides on what could be both.

    What could be both is noted: 350.000 may be 350, or 350 thousand.
    """
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
    notes = tuple(
        f"{word!r} ({counts[word]:,} row{'' if counts[word] == 1 else 's'}) is treated as a level"
        for word in in_earnest
    )
    return Written("category", {"missing": missing} if missing else {}, 1.0, notes)


def number_of(values: pd.Series) -> Written | None:
    """How the numbers of a column are written that at least half of its values are; None where fewer are."""
    texts = values.dropna().astype(str).str.strip()
    counts = texts[texts != ""].value_counts()
    words = [str(value) for value in counts.index if str(value).lower() in MISSING_WORDS]
    core = counts.drop(words)
    like = core[[NUMBER.fullmatch(str(value)) is not None for value in core.index]]
    if like.sum() < MOSTLY_NUMBERS * core.sum() or core.empty:
        return None
    found = next(_numbers(like, prefer_comma=False), None)
    return None if found is None or found.readable < READABLE else _with_missing(found, words)


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
        iso = Written("date", readable=_share(core, type="date"))
        yield iso
        if iso.readable == 1.0:
            return  # nothing can be better, and the other forms take long to try
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
    plain = _plain_numbers(core)
    if plain is not None and not (prefer_comma and plain.type == "integer"):
        yield plain
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
    usual = chosen.keys.get("decimal", ".") == "." and chosen.keys.get("thousands") == ","
    if len({each.keys.get("decimal", ".") for each in equal}) > 1 and not usual and _in_threes(core):
        example = str(core.index[0])
        read = float(convert(pd.Series([example], dtype=object), column_of({"type": "number", **chosen.keys}))[0][0])
        note = f"{example!r} is read as {read:g}: if that is wrong, say decimal and thousands"
        chosen = replace(chosen, notes=(*notes, note))
        notes = chosen.notes
    whole = _share(core, type="integer", **chosen.keys)
    yield Written("integer", chosen.keys, whole, notes) if whole == best else chosen


def _plain_numbers(core: pd.Series) -> Written | None:
    """Whole numbers, or ones with a point that cannot be one between thousands; None for all that has to be tried."""
    texts = [str(text) for text in core.index]
    if all(WHOLE.fullmatch(text) for text in texts):
        return Written("integer")
    fractions = [found for text in texts if (found := PLAIN.fullmatch(text))]
    if len(fractions) < len(texts) or all(len(found[2] or "123") == 3 for found in fractions):
        return None
    whole = all(not (found[2] or "").strip("0") for found in fractions)
    return Written("integer" if whole else "number")


def decimal_of(values: pd.Series) -> str | None:
    """The sign that a column of texts can only be read with before fractions; None where it could be either."""
    if values.dtype != object:
        return None
    found = {sign: written_as(values, sign == ",") for sign in (".", ",")}
    signs = {each.keys.get("decimal", ".") for each in found.values()}
    numbers = all(each.type in ("integer", "number") for each in found.values())
    fractions = any(each.type == "number" for each in found.values())
    return signs.pop() if numbers and fractions and len(signs) == 1 else None


def _in_threes(core: pd.Series) -> bool:
    """Whether each number that has a point or a comma has three digits behind it, and no nought before it alone."""
    marked = [str(text) for text in core.index if re.search(r"\d[.,]\d", str(text))]
    return bool(marked) and all(re.search(r"(?<![\d.,])[1-9]\d{0,2}([.,]\d{3})+(?![\d.,])", text) for text in marked)


def _are_codes(core: pd.Series) -> bool:
    """Digits with leading zeros name things, such as 00501."""
    texts = pd.Series(core.index.astype(str))
    zeros = texts.str.fullmatch(r"0\d+")
    return bool(zeros.any() and texts.str.fullmatch(r"\d+").all())


def _units(core: pd.Series) -> tuple[dict[str, float] | None, tuple[str, ...]]:
    """The words around the numbers and what they are worth; None where the values are not numbers with units."""
    if _share(core, type="number") >= READABLE:
        return {}, ()
    words: dict[str, float] = {}
    matched = 0
    for text, count in core.items():
        found = NUMBER.fullmatch(str(text))
        if found is None:
            continue
        if re.search(r"[^\W\d]$", found[1]) and found[1].strip().upper() not in CURRENCIES:
            continue  # A12 is a code
        matched += int(count)
        for word in (found[1].strip().lstrip("("), (found[3] or "").strip().rstrip(")")):
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
