"""Freeze windows: when they hold, when they end, and what cannot be one."""

from datetime import datetime, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.settings.freeze_settings import FreezeSettings, frozen


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def window(**fields: Any) -> FreezeSettings:
    return FreezeSettings.model_validate(fields)


HOLIDAYS = window(starts="2026-12-24", ends="2026-12-26", reason="holidays")
EVENINGS = window(days=["friday"], hours=["16:00", "24:00"])
WEEKENDS = window(days=["saturday", "sunday"], reason="weekend")


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-12-23T23:59:59", None),
        ("2026-12-24T00:00:00", "2026-12-27T00:00:00"),
        ("2026-12-26T23:59:59", "2026-12-27T00:00:00"),
        ("2026-12-27T00:00:00", None),
    ],
)
def test_days_are_frozen_from_the_first_to_the_end_of_the_last(now: str, end: str | None) -> None:
    assert frozen([HOLIDAYS], at(now)) == ((at(end), "holidays") if end else None)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-11-27T15:59:59", None),  # a Friday
        ("2026-11-27T16:00:00", "2026-11-30T00:00:00"),
        ("2026-11-29T23:59:59", "2026-11-30T00:00:00"),
        ("2026-11-30T00:00:00", None),
    ],
)
def test_windows_that_follow_each_other_are_one(now: str, end: str | None) -> None:
    assert frozen([EVENINGS, WEEKENDS], at(now)) == ((at(end), "weekend") if end else None)


def test_moments_and_days_are_of_the_time_zone() -> None:
    zurich = window(days=["monday"], hours=["08:00", "09:00"], time_zone="Europe/Zurich")
    assert frozen([zurich], at("2026-11-30T07:30:00")) == (at("2026-11-30T08:00:00"), "")
    assert frozen([zurich], at("2026-11-30T08:00:00")) is None
    moments = window(starts="2026-07-01T18:00", ends="2026-07-01T20:00", time_zone="Europe/Zurich")
    assert frozen([moments], at("2026-07-01T16:00:00")) == (at("2026-07-01T18:00:00"), "")
    assert frozen([window(starts="2026-07-01T18:00+02:00", ends="2026-07-01")], at("2026-07-01T15:59:00")) is None


def test_what_is_always_frozen_has_no_end() -> None:
    always = window(days=["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"])
    assert frozen([always], at("2026-11-30T08:00:00")) == (None, "")
    assert frozen([], at("2026-11-30T08:00:00")) is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "either starts and ends, or days"),
        ({"starts": "2026-12-24"}, "either starts and ends, or days"),
        ({"starts": "2026-12-24", "ends": "2026-12-26", "days": ["monday"]}, "either starts and ends, or days"),
        ({"starts": "24.12.2026", "ends": "2026-12-26"}, "starts is '24.12.2026'"),
        ({"starts": "2026-12-24", "ends": "2026-12-23"}, "ends .* before it starts"),
        ({"days": ["mon"]}, "monday"),
        ({"days": ["monday"], "hours": ["18:00", "08:00"]}, "write two windows"),
        ({"days": ["monday"], "hours": ["8", "18:00"]}, 'such as "18:00"'),
        ({"days": ["monday"], "time_zone": "Mars/Olympus"}, "name one such as Europe/Zurich"),
        ({"starts": "2026-12-24", "ends": "2026-12-26", "hours": ["08:00", "09:00"]}, "hours belong to days"),
    ],
)
def test_what_cannot_be_a_window(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        window(**fields)
