"""Two variants' captured answers: which belong together, and what of their differences is more than chance."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from monitoring.captured import Served
from monitoring.shadow_comparison import comparison, overlap, pairs
from tests.monitoring.conftest import SETTINGS, moment

START = moment("2026-06-15")


def served(size: float, predicted: float, minute: int = 0, lower: float = np.nan, upper: float = np.nan) -> Served:
    values = {"size": size, "quarter": "a"}
    return Served("any", START + timedelta(minutes=minute), "m", values, predicted, lower, upper)


def test_answers_to_the_same_fields_are_a_pair_whatever_their_order() -> None:
    production = [served(1, 10.0), served(2, 20.0), served(3, 30.0)]
    shadow = [served(2, 21.0), served(4, 1.0), served(1, 11.0)]
    assert [(a.predicted, b.predicted) for a, b in pairs(production, shadow)] == [(10.0, 11.0), (20.0, 21.0)]


def test_a_row_that_was_asked_for_twice_is_paired_in_the_order_of_time() -> None:
    production = [served(1, 10.0, 5), served(1, 9.0, 1)]
    shadow = [served(1, 11.0, 6), served(1, 8.0, 2)]
    assert [(a.predicted, b.predicted) for a, b in pairs(production, shadow)] == [(9.0, 8.0), (10.0, 11.0)]
    assert len(pairs(production, shadow[:1])) == 1


def test_a_difference_that_is_there_is_found_with_its_interval() -> None:
    random = np.random.default_rng(3)
    production = [served(n, 100.0) for n in range(300)]
    shadow = [served(n, 100 * (1.03 + 0.01 * random.normal())) for n in range(300)]
    found = comparison(production, shadow, SETTINGS, 0.1)
    low, high = found["mean_interval"]
    assert 0.025 < low < 0.03 < high < 0.035
    assert (found["enough"], found["why"], found["moved"], found["moved_interval"]) == (True, "", 0, [0.0, 0.0])
    assert {each["segment"] for each in found["segments"]} == {"quarter a"}


def test_too_few_pairs_and_too_wide_an_interval_are_not_enough() -> None:
    least = replace(SETTINGS, monitoring=replace(SETTINGS.monitoring, min_requests=20))
    production = [served(n, 100.0) for n in range(20)]
    same = [served(n, 100.0) for n in range(20)]
    assert comparison(production, same, least, 0.1)["enough"]
    assert "19 pairs are fewer than 20" in comparison(production, same[1:], least, 0.1)["why"]
    assert "1 pair is fewer than 20" in comparison(production, same[19:], least, 0.1)["why"]
    wild = [served(n, 100.0 + 20 * (-1) ** n) for n in range(20)]
    found = comparison(production, wild, least, 0.1)
    assert "the mean difference is known within" in found["why"]
    assert found["moved"] == 20


def test_a_difference_of_just_the_limit_counts_as_none() -> None:
    found = comparison([served(1, 100.0), served(2, 100.0)], [served(1, 150.0), served(2, 150.1)], SETTINGS, 0.5)
    assert found["moved"] == 1


def test_without_a_pair_there_are_counts_alone() -> None:
    found = comparison([served(1, 10.0)], [], SETTINGS, 0.1)
    assert (found["production"], found["shadow"], found["pairs"], found["enough"]) == (1, 0, 0, False)


def test_the_overlap_of_intervals() -> None:
    def pair(first: tuple[float, float], second: tuple[float, float]) -> tuple[Served, Served]:
        return served(1, 1.0, 0, *first), served(1, 1.0, 0, *second)

    assert overlap([pair((0, 2), (1, 3)), pair((0, 1), (2, 3)), pair((0, 1), (0, 1))]) == {
        "pairs": 3,
        "overlapping": 2,
        "common": pytest.approx((1 / 3 + 0 + 1) / 3),
    }
    assert overlap([(served(1, 1.0), served(1, 1.0))]) is None
