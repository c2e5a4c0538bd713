"""What the training rows held, and what is to be said of a new row that holds something else.

A model answers such a row too, but nothing that was measured of it says how well: its interval promises nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from steps.column_settings import Column
from steps.columns import Columns

BEYOND = 0.1  # of the span of the training rows' numbers: so far outside of it a number is still like them
DAYS_BEYOND = (30, 365)  # a date may be outside by as many days as the data's dates span, within these limits
WHOLE = 1e15  # up to here a float is written as a whole number


@dataclass(frozen=True, kw_only=True)
class KnownValues:
    """Of the training rows: smallest and largest number, first and last day (ISO 8601), and levels of each input.

    `levels` are all that there were, also those that are too rare to be in `Features.levels`.
    """

    numbers: dict[str, tuple[float, float]] = field(default_factory=dict)
    days: dict[str, tuple[str, str]] = field(default_factory=dict)
    levels: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def learn(cls, columns: Columns, inputs: Mapping[str, Column]) -> KnownValues:
        """Learn from typed training rows; a column without any value is not known."""
        numbers, days, levels = {}, {}, {}
        for name, column in inputs.items():
            values = columns[name]
            if column.type in ("integer", "number") and not np.isnan(values).all():
                numbers[name] = (float(np.nanmin(values)), float(np.nanmax(values)))
            elif column.type == "date" and not np.isnat(values).all():
                there = values[~np.isnat(values)]
                days[name] = (str(there.min()), str(there.max()))
            elif column.type == "category":
                levels[name] = tuple(sorted({value for value in values if value is not None}))
        return cls(numbers=numbers, days=days, levels=levels)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> KnownValues:
        """Build it from `asdict`'s document as JSON keeps it; all is empty for models that were made before it."""
        return cls(
            **{
                key: {name: tuple(values) for name, values in document.get(key, {}).items()}
                for key in ("numbers", "days", "levels")
            }
        )


class Familiarity:
    """Says of new rows what the training rows were not like; compiled once from what is known of the inputs."""

    def __init__(self, inputs: Mapping[str, Column], known: KnownValues, levels: Mapping[str, tuple[str, ...]]) -> None:
        self._inputs, self._known = inputs, known
        limits = {name: self._number_limits(name) for name in inputs if inputs[name].type in ("integer", "number")}
        self._numbers = [name for name, (low, high) in limits.items() if low > -np.inf or high < np.inf]
        self._low = np.array([[limits[name][0]] for name in self._numbers])
        self._high = np.array([[limits[name][1]] for name in self._numbers])
        self._days = {name: _day_limits(*known.days[name]) for name in inputs if name in known.days}
        every = {**levels, **known.levels}
        # A missing value is not a level, and needs no warning.
        self._levels = {name: frozenset([*every[name], None]) for name in inputs if name in every}

    def warnings(self, columns: Columns) -> dict[int, list[str]]:
        """What is to be said of the typed rows: place of the row -> clauses, for the rows that there are any of."""
        found: dict[int, list[str]] = {}
        if self._numbers:
            values = np.array([columns[name] for name in self._numbers])
            outside = (values < self._low) | (values > self._high)
            if outside.any():
                for place, row in np.argwhere(outside).tolist():
                    clause = self._number_clause(self._numbers[place], float(values[place, row]))
                    found.setdefault(row, []).append(clause)
        for name, (first, last) in self._days.items():
            days = columns[name]
            for row in np.flatnonzero((days < first) | (days > last)).tolist():
                found.setdefault(row, []).append(self._day_clause(name, str(days[row]), bool(days[row] > last)))
        for name, known in self._levels.items():
            if not known.issuperset(columns[name]):
                for row, level in enumerate(columns[name]):
                    if level not in known:
                        found.setdefault(row, []).append(f"{name} {level!r} is a level that no training row had")
        return found

    def _number_limits(self, name: str) -> tuple[float, float]:
        """What the YAML's range accepts, and no more than a little beyond the training rows."""
        low, high = _declared(self._inputs[name])
        if name in self._known.numbers:
            smallest, largest = self._known.numbers[name]
            slack = BEYOND * (largest - smallest)
            low, high = max(low, smallest - slack), min(high, largest + slack)
        return low, high

    def _number_clause(self, name: str, value: float) -> str:
        low, high = _declared(self._inputs[name])
        if not low <= value <= high:
            accepted = f"from {_text(low)} to {_text(high)}"
            if np.inf in (-low, high):
                accepted = f"{_text(low)} or more" if high == np.inf else f"{_text(high)} or less"
            return f"{name} {_text(value)} is outside the range that training accepted, {accepted}"
        smallest, largest = self._known.numbers[name]
        return f"{name} {_text(value)} is far from the training rows, which have {_text(smallest)} to {_text(largest)}"

    def _day_clause(self, name: str, day: str, after: bool) -> str:
        first, last = self._known.days[name]
        end = f"after the training rows, which end on {last}" if after else f"before the training rows, from {first} on"
        return f"{name} {day} is long {end}"


def _declared(column: Column) -> tuple[float, float]:
    low, high = column.range or (None, None)
    return -np.inf if low is None else float(low), np.inf if high is None else float(high)


def _day_limits(first: str, last: str) -> tuple[np.datetime64, np.datetime64]:
    start, end = np.datetime64(first, "D"), np.datetime64(last, "D")
    slack = np.timedelta64(int(np.clip((end - start).astype(int), *DAYS_BEYOND)), "D")
    return start - slack, end + slack


def _text(number: float) -> str:
    """A number as a person writes it: no point behind whole ones."""
    return str(int(number)) if number.is_integer() and abs(number) < WHOLE else repr(number)
