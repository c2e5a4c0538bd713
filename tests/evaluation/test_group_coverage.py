"""A group is said to be covered too little only where chance cannot have made it so."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.group_coverage import bands_of, group_coverage, undercovered
from evaluation.segments import Grouping


def one_group(hits: int, rows: int) -> tuple[np.ndarray, Grouping]:
    inside = np.arange(rows) < hits
    return inside, Grouping("kind", ("a",), np.zeros(rows, dtype=int))


def test_the_bounds_are_those_of_clopper_and_pearson() -> None:
    inside, groups = one_group(81, 100)
    (found,) = group_coverage(inside, [groups], 0.9)
    # R: binom.test(81, 100)$conf.int
    assert (found.lower, found.upper) == (pytest.approx(0.7193, abs=1e-4), pytest.approx(0.8816, abs=1e-4))
    assert found.share == 0.81


@pytest.mark.parametrize(("hits", "low"), [(79, True), (80, False)])
def test_a_group_is_low_where_its_upper_bound_is_more_than_three_points_below(hits: int, low: bool) -> None:
    inside, groups = one_group(hits, 100)
    (found,) = group_coverage(inside, [groups], 0.9)
    assert found.low == (found.upper < 0.87)
    assert found.low == low


def test_more_groups_have_wider_bounds() -> None:
    inside, groups = one_group(81, 100)
    alone = group_coverage(inside, [groups], 0.9)[0]
    both = group_coverage(np.tile(inside, 2), [Grouping("kind", ("a", "b"), np.repeat([0, 1], 100))], 0.9)[0]
    assert both.lower < alone.lower
    assert both.upper > alone.upper


def test_low_groups_are_counted_but_for_those_of_columns_that_are_not_judged() -> None:
    inside, groups = one_group(10, 100)
    found = group_coverage(inside, [groups, Grouping("price", ("b",), groups.codes)], 0.9)
    assert undercovered(found, ("price",)) == {"count": 1, "names": ["kind a"]}
    assert undercovered(found, ("price", "kind")) == {"count": 0, "names": []}
    assert undercovered(found, ()) == {"count": 2, "names": ["kind a", "price b"]}


def test_all_and_none_inside_have_bounds_at_the_ends() -> None:
    groups = Grouping("kind", ("all", "none", "empty"), np.repeat([0, 1], 50))
    found = group_coverage(np.repeat([True, False], 50), [groups], 0.9)
    assert [each.name for each in found] == ["all", "none"]
    assert found[0].upper == 1
    assert found[1].lower == 0


def test_bands_of_the_prediction_have_equally_many_rows() -> None:
    assert bands_of(np.arange(100.0)).counts.tolist() == [20] * 5
