"""Schedule expressions: from rate(...), cron(...) or at(...) to moments, in seconds since 1970.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timezone
from datetime import time as time_of_day
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local_sagemaker.schedules.cron import Cron

FORM = re.compile(r"(rate|cron|at)\((.*)\)")
RATE = re.compile(r"([1-9]\d*) (minute|hour|day)s?")
UNITS = {"minute": 60, "hour": 3600, "day": 86400}  # a day is 24 hours, also where the clocks change
AT = "%Y-%m-%dT%H:%M:%S"
LOOK_BACK = (3600.0, 86400.0, 35 * 86400.0, 400 * 86400.0)


class Expression(Protocol):
    """The moments at which a schedule is due; one that does not recur has one."""

    @property
    def recurs(self) -> bool:
        """Whether there is more than one."""

    def next_after(self, moment: float) -> float | None:
        """The first moment after another; None where there is none."""

    def latest(self, start: float, end: float, /) -> float:
        """The last moment up to `end`, of which `start` is an earlier one."""


@dataclass(frozen=True)
class Rate:
    """Every so many seconds from a beginning, which is the first moment."""

    seconds: int
    start: int
    recurs = True

    def next_after(self, moment: float) -> float:
        """See Expression; whole seconds, so that no moment comes twice by rounding."""
        return self.start + self.seconds * max(0, math.floor((moment - self.start) / self.seconds) + 1)

    def latest(self, start: float, end: float) -> float:
        """See Expression."""
        return start + self.seconds * math.floor((end - start) / self.seconds)


@dataclass(frozen=True)
class Calendar:
    """The moments of a cron expression in a time zone.

    An hour that the clocks leave out in spring is left out, and one that they repeat in autumn counts once.
    """

    cron: Cron
    zone: ZoneInfo
    recurs = True

    def next_after(self, moment: float) -> float | None:
        """See Expression."""
        begin = datetime.fromtimestamp(moment, self.zone).date()
        return next((found for day in self.cron.dates(begin) for found in self._on(day) if found > moment), None)

    def latest(self, start: float, end: float) -> float:
        """See Expression; looks back step by step, so that a year of minutes need not be counted."""
        found = start
        for seconds in LOOK_BACK:
            first = self.next_after(max(start, end - seconds))
            if first is not None and first <= end:
                found = first
                break
        while (following := self.next_after(found)) is not None and following <= end:
            found = following
        return found

    def _on(self, day: date) -> Iterator[float]:
        for hour in self.cron.hours:
            for minute in self.cron.minutes:
                there = datetime.combine(day, time_of_day(hour, minute), self.zone)
                moment = there.timestamp()
                if datetime.fromtimestamp(moment, self.zone).replace(tzinfo=None) == there.replace(tzinfo=None):
                    yield moment


@dataclass(frozen=True)
class Once:
    """One moment."""

    moment: float
    recurs = False

    def next_after(self, moment: float) -> float | None:
        """See Expression."""
        return self.moment if self.moment > moment else None

    def latest(self, start: float, _end: float) -> float:
        """See Expression."""
        return start


def parse(text: str, zone_name: str, start: float) -> Expression:
    """Read an expression; `start` is where a rate begins. ValueError says what is wrong."""
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{zone_name!r} is not an IANA time zone, such as America/New_York") from None
    form = FORM.fullmatch(text)
    if form is None:
        raise ValueError("it is neither rate(...), cron(...) nor at(...)")
    kind, inner = form.groups()
    if kind == "cron":
        return Calendar(Cron.parse(inner), zone)
    if kind == "at":
        return _once(inner, zone)
    rate = RATE.fullmatch(inner)
    if rate is None:
        raise ValueError("a rate is a whole number and minutes, hours or days, such as rate(5 minutes)")
    return Rate(int(rate[1]) * UNITS[rate[2]], int(start))


def _once(text: str, zone: ZoneInfo) -> Once:
    try:
        there = datetime.strptime(text, AT)
    except ValueError:
        raise ValueError("a time is at(yyyy-mm-ddThh:mm:ss), without a zone") from None
    return Once(there.replace(tzinfo=zone).timestamp())


def written(moment: float) -> str:
    """A moment as the keyword <aws.scheduler.scheduled-time> has it."""
    return f"{datetime.fromtimestamp(moment, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
