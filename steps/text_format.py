"""How a data file writes its values: what the YAML says of a whole file (data.format) and of one column.

Imports no library, so that the settings can be checked without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

STRICT = {"extra": "forbid", "strict": True}
DECIMALS = (".", ",")
THOUSANDS = (",", ".", " ", "'", "_")
# The keys that a column may have of its own -> the types of columns that they mean something for.
NUMBERS, ANY = ("integer", "number"), ("integer", "number", "boolean", "category", "text", "date")
APPLIES_TO: dict[str, tuple[str, ...]] = {
    "decimal": NUMBERS,
    "thousands": NUMBERS,
    "units": NUMBERS,
    "missing": ANY,
    "yes_words": ("boolean",),
    "no_words": ("boolean",),
    "dates": ("date",),
}


@dataclass(frozen=True, kw_only=True)
class ValueFormat:
    """How values are written; None for what is not said, which then is as in data.format, or the default.

    decimal: "." (default) or ",".
    thousands: what stands between groups of digits: "," "." " " (also the narrow ones) "'" or "_"; default nothing.
    units: words around a number -> what one of it is worth, such as {"$": 1, "k": 1000, "mi.": 1.609}.
    missing: the words that mean that there is no value; an empty cell always does.
    yes_words, no_words: of a boolean; default true, yes, y, t, 1 and false, no, n, f, 0, in small or large letters.
    dates: how days are written, as in Python's strptime, such as "%d.%m.%Y"; ISO 8601 is always understood.
    """

    __pydantic_config__ = STRICT

    decimal: str | None = None
    thousands: str | None = None
    units: dict[str, float] | None = None
    missing: tuple[str, ...] | None = None
    yes_words: tuple[str, ...] | None = None
    no_words: tuple[str, ...] | None = None
    dates: tuple[str, ...] | None = None

    @property
    def is_default(self) -> bool:
        """Whether nothing is said of how values are written."""
        return all(getattr(self, name) is None for name in APPLIES_TO)

    def check_format(self) -> None:
        """Raise ValueError, in one sentence, for what cannot be."""
        if self.decimal not in (None, *DECIMALS):
            raise ValueError(f"decimal is {self.decimal!r}: it must be '.' or ','.")
        if self.thousands not in (None, "", *THOUSANDS):
            raise ValueError(f"thousands is {self.thousands!r}: it must be one of {' '.join(map(repr, THOUSANDS))}.")
        if self.thousands and self.thousands == (self.decimal or "."):
            raise ValueError(f"thousands and decimal are both {self.thousands!r}: they must differ.")
        for word, worth in (self.units or {}).items():
            if not word.strip() or worth == 0:
                raise ValueError(f"units: {word!r} is worth {worth:g}: give a word and a number that is not 0.")
        both = {word.lower() for word in self.yes_words or ()} & {word.lower() for word in self.no_words or ()}
        if both:
            raise ValueError(f"{min(both)!r} is in yes_words and in no_words: it can mean one of them only.")
        for form in self.dates or ():
            if "%" not in form:
                raise ValueError(f"dates: {form!r} is not a form such as '%d.%m.%Y'.")


@dataclass(frozen=True, kw_only=True)
class FileFormat(ValueFormat):
    """How the file is written: what a CSV file is made of, and what holds for the values of all its columns.

    separator: the character between the fields of a CSV file. encoding: of its text. Both mean nothing for Parquet.
    """

    separator: str = ","
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        self.check_format()
        if len(self.separator) != 1 or self.separator.isalnum() or self.separator in "\"'.\r\n":
            raise ValueError(f'separator is {self.separator!r}: it must be one character, such as ";" or "\\t".')
        try:
            "a".encode(self.encoding)
        except LookupError as error:
            raise ValueError(
                f"encoding is {self.encoding!r}: it must be one of Python's, such as utf-8 or cp1252."
            ) from error

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> FileFormat:
        """Build the format from its parsed section."""
        return cls(**with_tuples(document))


def with_tuples(document: Mapping[str, Any]) -> dict[str, Any]:
    """JSON's lists as the tuples that a ValueFormat holds."""
    lists = ("missing", "yes_words", "no_words", "dates")
    return {name: tuple(value) if name in lists and value is not None else value for name, value in document.items()}


def with_file_format(column: Mapping[str, Any], file: Mapping[str, Any]) -> dict[str, Any]:
    """A column's section with what data.format says, where it means something for the column's type.

    What the column says itself counts. A word that the column declares as a level is not missing there.
    """
    result = dict(column)
    for name, types in APPLIES_TO.items():
        if file.get(name) is not None and result.get(name) is None and column.get("type") in types:
            result[name] = file[name]
    if result.get("missing") and column.get("missing") is None and column.get("levels"):
        result["missing"] = [word for word in result["missing"] if word not in column["levels"]]
    return result


def refuse_foreign(column: ValueFormat, kind: str) -> None:
    """Raise ValueError where a column says something that means nothing for its type."""
    for field in fields(ValueFormat):
        types = APPLIES_TO[field.name]
        if getattr(column, field.name) is not None and kind not in types:
            raise ValueError(f"only {_article(types)} has {field.name}, not a {kind}.")


def _article(types: tuple[str, ...]) -> str:
    return "an integer or number" if types == NUMBERS else f"a {types[0]}"
