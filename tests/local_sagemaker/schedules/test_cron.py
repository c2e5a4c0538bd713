"""Cron expressions as EventBridge Scheduler reads them."""

from datetime import date

import pytest

from local_sagemaker.schedules.cron import Cron, numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", tuple(range(60))),
        ("0/15", (0, 15, 30, 45)),
        ("5", (5,)),
        ("10-12", (10, 11, 12)),
        ("0-15/5", (0, 5, 10, 15)),
        ("1,3,58-59", (1, 3, 58, 59)),
        ("8-8", (8,)),
        ("*/30", (0, 30)),
    ],
)
def test_a_field_stands_for_these_numbers(text: str, expected: tuple[int, ...]) -> None:
    assert numbers("minutes", text, 0, 59) == expected


@pytest.mark.parametrize("text", ["60", "-1", "5-3", "1/0", "x", "", "*-3", "1//2", "MON"])
def test_what_no_field_can_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="minutes"):
        numbers("minutes", text, 0, 59)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("* ? 1 * ", []),
        ("1 * ?", [1]),
        ("L * ?", [29]),
        ("LW * ?", [29]),
        ("3W * ?", [2]),  # the 3rd of February 2024 is a Saturday
        ("4W * ?", [5]),  # a Sunday
        ("31W * ?", []),
        ("15,L * ?", [15, 29]),
        ("? * 6L", [23]),  # the last Friday
        ("? * FRI#2", [9]),
        ("? * 3#5", []),  # there are four Tuesdays
        ("? * MON-WED", [5, 6, 7, 12, 13, 14, 19, 20, 21, 26, 27, 28]),
        ("? * L", [3, 10, 17, 24]),  # Saturdays
        ("? * 1", [4, 11, 18, 25]),  # Sundays
    ],
)
def test_the_days_of_february_2024(fields: str, expected: list[int]) -> None:
    parts = fields.split()
    if len(parts) == 4:
        with pytest.raises(ValueError, match="six fields"):
            Cron.parse(f"0 12 {fields} *")
        return
    assert Cron.parse(f"0 12 {fields} *").days(2024, 2) == expected


def test_the_first_day_of_a_month_that_is_a_saturday_moves_to_monday() -> None:
    assert Cron.parse("0 12 1W * ? *").days(2024, 6) == [3]
    assert Cron.parse("0 12 30W * ? *").days(2024, 6) == [28]  # a Sunday at the end moves back


@pytest.mark.parametrize("text", ["0 12 * * * *", "0 12 ? * ? *", "0 24 * * ? *", "0 12 * 13 ? *", "0 12 0 * ? *"])
def test_an_expression_that_scheduler_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"day of month|hours|month"):
        Cron.parse(text)


def test_dates_go_on_over_months_and_end_with_the_years() -> None:
    cron = Cron.parse("0 12 31 * ? 2024-2025")
    found = list(cron.dates(date(2025, 8, 1)))
    assert found == [date(2025, 8, 31), date(2025, 10, 31), date(2025, 12, 31)]
