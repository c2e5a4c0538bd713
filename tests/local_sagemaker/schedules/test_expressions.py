"""From an expression and a time zone to moments."""

from datetime import datetime, timezone

import pytest

from local_sagemaker.schedules.expressions import parse, written


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


def following(expression: str, after: str, zone: str = "UTC") -> str | None:
    found = parse(expression, zone, 0.0).next_after(moment(after))
    return None if found is None else written(found)


def test_a_rate_is_due_at_its_start_and_then_each_time() -> None:
    start = 1_800_000_000.7
    rate = parse("rate(90 minutes)", "UTC", start)
    first = rate.next_after(start - 1)
    assert first == 1_800_000_000
    assert rate.next_after(first) == first + 5400
    assert rate.next_after(first + 5399) == first + 5400
    assert rate.next_after(first + 5400) == first + 10800
    assert rate.latest(first, first + 10799) == first + 5400
    assert rate.latest(first, first + 10800) == first + 10800


def test_cron_is_in_the_time_of_its_zone() -> None:
    assert following("cron(0 9 * * ? *)", "2026-01-15T00:00:00", "America/New_York") == "2026-01-15T14:00:00Z"
    assert following("cron(0 9 * * ? *)", "2026-07-15T00:00:00", "America/New_York") == "2026-07-15T13:00:00Z"
    assert following("cron(0 9 * * ? *)", "2026-07-15T13:00:00", "America/New_York") == "2026-07-16T13:00:00Z"


def test_an_hour_that_spring_leaves_out_is_left_out() -> None:
    # In New York the clocks go from 02:00 to 03:00 on the 8th of March 2026.
    assert following("cron(30 2 * * ? *)", "2026-03-08T00:00:00", "America/New_York") == "2026-03-09T06:30:00Z"


def test_an_hour_that_autumn_repeats_counts_once() -> None:
    first = following("cron(30 1 * * ? *)", "2026-11-01T00:00:00", "America/New_York")
    assert first == "2026-11-01T05:30:00Z"
    assert following("cron(30 1 * * ? *)", "2026-11-01T05:30:00", "America/New_York") == "2026-11-02T06:30:00Z"


@pytest.mark.e2e
def test_the_last_time_of_a_year_of_minutes_is_found_at_once() -> None:
    minutes = parse("cron(* * * * ? *)", "UTC", 0.0)
    assert minutes.latest(moment("2025-01-01T00:00:00"), moment("2026-01-01T00:00:30")) == moment("2026-01-01T00:00:00")
    yearly = parse("cron(0 12 1 JAN ? *)", "UTC", 0.0)
    assert yearly.latest(moment("2025-01-01T12:00:00"), moment("2026-06-01T00:00:00")) == moment("2026-01-01T12:00:00")


def test_what_happened_once_is_over() -> None:
    assert following("at(2026-05-01T10:00:00)", "2026-05-01T07:59:59", "Europe/Berlin") == "2026-05-01T08:00:00Z"
    assert following("at(2026-05-01T10:00:00)", "2026-05-01T08:00:00", "Europe/Berlin") is None
    assert following("cron(0 12 1 1 ? 2025)", "2026-01-01T00:00:00") is None


@pytest.mark.parametrize(
    "text",
    [
        "rate(0 minutes)",
        "rate(5)",
        "rate(5 weeks)",
        "rate(1.5 hours)",
        "at(2026-05-01)",
        "at(2026-05-01T10:00:00Z)",
        "at(2026-02-30T10:00:00)",
        "cron(0 12 * * ?)",
        "every day",
        "rate(5 minutes) ",
    ],
)
def test_an_expression_that_scheduler_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text, "UTC", 0.0)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "", "America"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        parse("rate(1 day)", zone, 0.0)
