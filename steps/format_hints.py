"""Which line of the YAML would make a value readable that is not of its column's type."""

from __future__ import annotations

import re

from steps.column_settings import Column

MISSING_WORDS = frozenset(
    ["na", "n/a", "#n/a", "nan", "null", "none", "nil", "?", "-", "--", "---", ".", "..", "missing", "unknown", "n.a."]
) | {"k.a.", "k. a.", "n.v.", "keine angabe"}
NUMBER = re.compile(r"[+-]?[\d.,'\u2019 \u00a0\u202f_]*\d")
DAY = re.compile(r"(\d{1,4})([./ -])(\d{1,2}|[A-Za-z]{3,9})\2(\d{2,4})")


def hint(name: str, value: str, column: Column) -> str:
    """What to change for a column that holds `value`, as the end of a sentence."""
    place, value = f"data.columns.{name}", value.strip()
    if value.lower() in MISSING_WORDS:
        return f"if {value!r} means that there is no value, add it to data.format.missing and set {place}.optional"
    if column.type in ("integer", "number"):
        return _number_hint(place, value, column)
    if column.type == "date" and DAY.match(value):
        return f'say in {place}.dates how days are written, such as ["{form_of_day(value)}"]'
    if column.type == "boolean":
        return f"say in {place}.yes_words and no_words which words mean yes and no"
    return f"change the value, or {place}.type"


def _number_hint(place: str, value: str, column: Column) -> str:
    number = NUMBER.search(value)
    if number is None:
        return f"change the value, or {place}.type"
    around = [word for word in (value[: number.start()].strip(), value[number.end() :].strip()) if word]
    if around:
        return f"say in {place}.units what {' and '.join(map(repr, around))} is worth, such as {{{around[0]!r}: 1}}"
    digits = number[0]
    if column.type == "integer" and re.fullmatch(r"[+-]?\d+\.\d+", digits):
        return f"set {place}.type to number, as {digits} is not whole"
    if re.fullmatch(r"[+-]?\d+,\d{1,2}|[+-]?\d+,\d{4,}|[+-]?[\d.]+,\d+", digits):
        return f'set {place}.decimal to ","'
    between = re.search(r"\d([,.'\u2019 \u00a0\u202f_])\d{3}(?!\d)", digits)
    if between:
        sign = {"\u2019": "'", "\u00a0": " ", "\u202f": " "}.get(between[1], between[1])
        return f'set {place}.thousands to "{sign}"'
    return f"change the value, or {place}.type"


def form_of_day(value: str) -> str:
    """The strptime form of a day, day before month where both are possible; DAY must match the value."""
    found = DAY.match(value)
    assert found is not None  # noqa: S101 - the caller has looked
    first, sign, second, third = found.groups()
    if second.isalpha():
        month = "%b" if len(second) == 3 else "%B"
        return f"%d{sign}{month}{sign}{'%Y' if len(third) == 4 else '%y'}"
    if len(first) > 2:
        return f"%Y{sign}%m{sign}%d"
    year = "%Y" if len(third) == 4 else "%y"
    return f"%m{sign}%d{sign}{year}" if int(second) > 12 else f"%d{sign}%m{sign}{year}"
