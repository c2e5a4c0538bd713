"""Cron expressions of EventBridge Scheduler: minutes, hours, day of month, month, day of week, year.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
"""

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
YEARS = (1970, 2199)
SATURDAY = 7
PART = re.compile(r"(?P<first>\*|\w+)(-(?P<last>\w+))?(/(?P<step>\d+))?")
NEAREST = re.compile(r"(\d{1,2})W")
LAST_OF = re.compile(r"(\w+)L")
NTH = re.compile(r"(\w+)#([1-5])")


@dataclass(frozen=True)
class Cron:
    """When an expression holds, by its own calendar."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    day_of_month: str
    months: tuple[int, ...]
    day_of_week: str
    years: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> "Cron":
        """Read the six fields; ValueError says which of them is wrong."""
        fields = text.upper().split()
        if len(fields) != 6:
            raise ValueError(f"a cron expression has six fields, and this has {len(fields)}")
        minutes, hours, day_of_month, months, day_of_week, years = fields
        if (day_of_month == "?") == (day_of_week == "?"):
            raise ValueError("exactly one of day of month and day of week must be ?")
        found = cls(
            numbers("minutes", minutes, 0, 59),
            numbers("hours", hours, 0, 23),
            day_of_month,
            numbers("month", months, 1, 12, MONTHS),
            day_of_week,
            numbers("year", years, *YEARS),
        )
        found.days(2024, 1)
        return found

    def days(self, year: int, month: int) -> list[int]:
        """The days of a month on which it holds, in order."""
        length = calendar.monthrange(year, month)[1]
        if self.day_of_week == "?":
            found = {day for part in self.day_of_month.split(",") for day in _days_of_month(part, year, month, length)}
        else:
            found = {day for part in self.day_of_week.split(",") for day in _weekdays(part, year, month, length)}
        return sorted(found)

    def dates(self, start: date) -> Iterator[date]:
        """The days on which it holds, from one on, in order."""
        for year in self.years:
            for month in self.months:
                if (year, month) >= (start.year, start.month):
                    found = (date(year, month, day) for day in self.days(year, month))
                    yield from (day for day in found if day >= start)


def numbers(field: str, text: str, low: int, high: int, names: Mapping[str, int] | None = None) -> tuple[int, ...]:
    """The numbers that a field such as `0/15`, `1-5` or `*` stands for, in order; ValueError where it is wrong."""
    found: set[int] = set()
    for part in text.split(","):
        match = PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{text!r} is not valid for {field}")
        first, last, step = match["first"], match["last"], match["step"]
        start = low if first == "*" else _number(field, first, low, high, names or {})
        to_the_end = first == "*" or step is not None
        end = _number(field, last, low, high, names or {}) if last else high if to_the_end else start
        if start > end or (first == "*" and last) or (step is not None and int(step) == 0):
            raise ValueError(f"{part!r} is not valid for {field}")
        found.update(range(start, end + 1, int(step or 1)))
    return tuple(sorted(found))


def _number(field: str, text: str, low: int, high: int, names: Mapping[str, int]) -> int:
    number = names.get(text, int(text) if text.isdecimal() else None)
    if number is None or not low <= number <= high:
        raise ValueError(f"{text!r} is not valid for {field}: {low} to {high} is")
    return number


def _days_of_month(text: str, year: int, month: int, length: int) -> list[int]:
    if text == "L":
        return [length]
    if text == "LW":
        return [_nearest_weekday(length, year, month, length)]
    if nearest := NEAREST.fullmatch(text):
        day = _number("day of month", nearest[1], 1, 31, {})
        return [_nearest_weekday(day, year, month, length)] if day <= length else []
    return [day for day in numbers("day of month", text, 1, 31) if day <= length]


def _nearest_weekday(day: int, year: int, month: int, length: int) -> int:
    """The weekday of the same month that is nearest to a day."""
    weekday = date(year, month, day).weekday()
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < length else day - 2
    return day


def _weekdays(text: str, year: int, month: int, length: int) -> list[int]:
    field = "day of week"
    if text == "L":
        wanted, nth = {SATURDAY}, None
    elif found := LAST_OF.fullmatch(text):
        wanted, nth = {_number(field, found[1], 1, 7, WEEKDAYS)}, -1
    elif found := NTH.fullmatch(text):
        wanted, nth = {_number(field, found[1], 1, 7, WEEKDAYS)}, int(found[2]) - 1
    else:
        wanted, nth = set(numbers(field, text, 1, 7, WEEKDAYS)), None
    # Sunday is 1 here, and Monday is 0 in Python.
    days = [day for day in range(1, length + 1) if (date(year, month, day).weekday() + 1) % 7 + 1 in wanted]
    return days if nth is None else days[nth:][:1]
