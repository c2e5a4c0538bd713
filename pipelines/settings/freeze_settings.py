"""When no version is deployed to a stage: freeze windows, once or every week."""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, model_validator

from pipelines.settings.section import Section

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$"
FOREVER = 1000  # windows that follow each other without a gap, after which the end is not looked for any more


class FreezeSettings(Section):
    """One window: from `starts` to `ends` (dates or moments; the day `ends` is within it), or `days` of every week.

    `hours` are those of each day, the first to the last; `time_zone` is a name of the tz database.
    """

    starts: str | None = None
    ends: str | None = None
    days: list[Day] = Field(default=[], max_length=7)
    hours: list[str] = Field(default=["00:00", "24:00"], min_length=2, max_length=2)
    time_zone: str = "UTC"
    reason: str = ""

    def until(self, now: datetime) -> datetime | None:
        """The end of the window that a moment is in; None where it is in none."""
        if self.starts is not None and self.ends is not None:
            begin, end = self._moment(self.starts), self._moment(self.ends, last=True)
            return end if begin <= now < end else None
        local = now.astimezone(self._zone)
        if DAYS[local.weekday()] not in self.days:
            return None
        begin, end = (self._at(local.date(), clock) for clock in self.hours)
        return end if begin <= now < end else None

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def _at(self, day: date, clock: str) -> datetime:
        hours, minutes = map(int, clock.split(":"))
        midnight = datetime.combine(day + timedelta(days=hours // 24), time(hours % 24, minutes), self._zone)
        return midnight.astimezone(timezone.utc)

    def _moment(self, text: str, last: bool = False) -> datetime:
        """A moment, or the beginning of a day (the end of it, where it is the last)."""
        found = datetime.fromisoformat(text)
        whole_day = re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is not None
        found += timedelta(days=1) if whole_day and last else timedelta(0)
        return (found if found.tzinfo else found.replace(tzinfo=self._zone)).astimezone(timezone.utc)

    @model_validator(mode="after")
    def _possible(self) -> "FreezeSettings":
        try:
            _ = self._zone
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"time_zone is {self.time_zone}: name one such as Europe/Zurich.") from None
        once = [name for name in ("starts", "ends") if getattr(self, name) is not None]
        if bool(self.days) == bool(once) or len(once) == 1:
            raise ValueError("A freeze has either starts and ends, or days.")
        for clock in self.hours:
            if not re.match(CLOCK, clock):
                raise ValueError(f'hours has {clock!r}: write a time in quotes, such as "18:00".')
        if self.hours[0] >= self.hours[1]:
            raise ValueError(f"hours end at {self.hours[1]} and begin at {self.hours[0]}: write two windows.")
        if once and self.hours != ["00:00", "24:00"]:
            raise ValueError("hours belong to days: give the times in starts and ends.")
        if once:
            self._check_moments()
        return self

    def _check_moments(self) -> None:
        for name in ("starts", "ends"):
            try:
                self._moment(getattr(self, name))
            except ValueError:
                raise ValueError(f"{name} is {getattr(self, name)!r}: write 2026-12-24, or 2026-12-24T18:00.") from None
        if self._moment(str(self.starts)) >= self._moment(str(self.ends), last=True):
            raise ValueError(f"The freeze ends ({self.ends}) before it starts ({self.starts}).")


def frozen(windows: Sequence[FreezeSettings], now: datetime) -> tuple[datetime | None, str] | None:
    """Until when a stage is frozen, and why; None where it is not. Windows without a gap between them are one.

    The end is None where there is none to be found: every day is frozen.
    """
    end, reasons = now, dict[str, None]()
    for _ in range(FOREVER):
        open_windows = [(window.until(end), window.reason) for window in windows]
        later = [(until, reason) for until, reason in open_windows if until is not None]
        if not later:
            break
        reasons.update(dict.fromkeys(reason for _, reason in later if reason))
        end = max(until for until, _ in later)
    else:
        return None, ", ".join(reasons)
    return (end, ", ".join(reasons)) if end > now else None
