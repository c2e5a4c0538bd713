from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from monitoring.captured import Served
from monitoring.side_by_side import ERRORS, FEWEST, Comparison, side_by_side
from tests.monitoring.conftest import moment, window

BOTH = window(versions={"live": 3, "new": 4})


def served(
    model: str, errors: np.ndarray, since: str = "2026-06-01", variant: str = "AllTraffic"
) -> tuple[list[Served], dict[str, float]]:
    """Requests, one an hour, whose predictions are off by these shares of their prices; and the prices."""
    rows, prices = [], {}
    for number, error in enumerate(errors):
        key = f"{model}-{variant}-{number}"
        when = moment(since) + timedelta(hours=number)
        rows.append(Served(key, when, model, {}, 100_000 * (1 + error), 0.0, 0.0, variant))
        prices[key] = 100_000.0
    return rows, prices


def compared(*sides: tuple[list[Served], dict[str, float]], judged: Any = BOTH) -> tuple[Comparison, ...]:
    prices = {key: price for _, known in sides for key, price in known.items()}
    return side_by_side([row for rows, _ in sides for row in rows], prices, judged)


def errors(mean: float, count: int, seed: int) -> np.ndarray:
    return np.abs(np.random.default_rng(seed).normal(0, mean * 1.2533, count))  # whose mean is that


def test_one_version_is_compared_with_nothing() -> None:
    assert compared(served("live", errors(0.1, 300, 1))) == ()
    assert compared() == ()


def test_a_version_that_errs_less_is_found_and_told() -> None:
    (found,) = compared(served("live", errors(0.15, 600, 1)), served("new", errors(0.08, 600, 2)))
    assert (found.first, found.second, found.rows, found.together) == ("Version 3", "Version 4", (600, 600), True)
    assert found.is_decided
    assert found.interval is not None
    assert found.interval[1] < 0
    assert abs(found.difference - (-0.07)) < 0.015
    assert "the errors differ" in found.sentence


def test_a_single_price_is_told_as_one() -> None:
    (found,) = compared(served("live", errors(0.1, 30, 1)), served("new", np.array([0.1])))
    told = "Version 4 has a MAPE of 10.0 % on 1 price, Version 3 has"
    assert found.sentence.startswith(told)
    assert found.sentence.endswith("on 1 price: not enough data, for 100 of each are needed.")


def test_the_interval_is_that_of_the_paper() -> None:
    """Waudby-Smith and others, 2024, written down once more: each side has half of the errors."""
    first, second = errors(0.1, 200, 1), errors(0.1, 300, 2)
    (found,) = compared(served("live", first), served("new", second))
    alpha = ERRORS / 2
    widths = []
    for stream in (first[:200], second[:200]):  # the hours of both
        count, best = len(stream), 500
        grid = np.exp(np.linspace(-8, 8, 4001)) / best  # rho squared, of which the best is looked for
        at_best = np.sqrt((best * grid + 1) / grid * np.log((best * grid + 1) / alpha**2)) / best
        rho = grid[at_best.argmin()]
        boundary = np.sqrt((count * rho + 1) / rho * np.log((count * rho + 1) / alpha**2)) / count
        widths.append(stream.std(ddof=1) * boundary)
    assert found.rows == (200, 200)
    assert found.interval is not None
    middle, half = found.difference, sum(widths)
    assert found.interval == pytest.approx((middle - half, middle + half), rel=1e-3)


@pytest.mark.e2e
def test_looking_every_day_raises_no_more_false_alarms_than_are_set() -> None:
    """A t-test that is looked at as often told 13 % of 1,000 such comparisons of equals to differ."""
    alarms = 0
    for seed in range(40):
        sides = [served(name, errors(0.1, 400, 2 * seed + place)) for place, name in enumerate(("live", "new"))]
        looks = range(FEWEST, 401, 50)
        alarms += any(
            each.is_decided for at in looks for each in compared(*[(rows[:at], known) for rows, known in sides])
        )
    assert alarms <= 4  # 2 of 40 are expected at most, and 5 would come once in 20 times


@pytest.mark.parametrize(("count", "enough"), [(FEWEST - 1, False), (FEWEST, True)])
def test_too_few_prices_are_not_enough_data(count: int, enough: bool) -> None:
    (found,) = compared(served("live", errors(0.1, 300, 1)), served("new", errors(0.1, count, 2)))
    assert (found.interval is not None) is enough
    assert ("not enough data" in found.sentence) is not enough


def test_versions_that_served_one_after_the_other_are_told_to_have() -> None:
    (found,) = compared(served("live", errors(0.1, 200, 1)), served("new", errors(0.1, 200, 2), since="2026-09-01"))
    assert not found.together
    assert found.rows == (200, 200)
    assert "at different times" in found.sentence


def test_two_variants_of_one_version_are_told_apart() -> None:
    sides = [served("live", errors(0.1, 150, place), variant=name) for place, name in enumerate("AB")]
    (found,) = compared(*sides)
    assert {found.first, found.second} == {"Version 3 (A)", "Version 3 (B)"}


def test_the_live_version_comes_first_and_all_comparisons_share_the_errors() -> None:
    sides = [
        served("other", errors(0.1, 300, 1)),
        served("new", errors(0.1, 200, 2)),
        served("live", errors(0.1, 150, 3)),
    ]
    both = compared(*sides)
    assert [(each.first, each.second) for each in both] == [
        ("Version 3", "The model of identity other"),
        ("Version 3", "Version 4"),
    ]
    (alone,) = compared(sides[1], sides[2])
    assert alone.interval is not None
    assert both[1].interval is not None
    assert both[1].interval[0] < alone.interval[0] < alone.interval[1] < both[1].interval[1]


def test_prices_of_another_scale_are_compared_with_nothing() -> None:
    rows, prices = served("live", errors(0.1, 200, 1))
    more, known = served("new", errors(0.1, 200, 2))
    assert side_by_side([*rows, *more], {key: 100.0 for key in {**prices, **known}}, BOTH) == ()
