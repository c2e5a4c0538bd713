"""Ranges and strategies: every value within its range, on its scale, and the same for the same seed."""

import math
import random
import statistics
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_sagemaker.errors import ServiceError
from local_sagemaker.tuning.ranges import Categories, Continuous, Whole, ranges
from local_sagemaker.tuning.search import grid_candidates, random_candidates


def bounds(low: Any, high: Any, **fields: Any) -> dict[str, Any]:
    return {"Name": "p", "MinValue": str(low), "MaxValue": str(high), **fields}


def median(drawn: Continuous | Whole) -> float:
    dice = random.Random(0)
    return statistics.median(float(drawn.draw(dice)) for _ in range(999))


@given(
    st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.sampled_from(["Linear", "Logarithmic", "Auto"]), st.integers(0, 99)
)
def test_a_number_is_within_its_range(one: float, other: float, scale: str, seed: int) -> None:
    low, high = sorted((one, other))
    [continuous] = ranges({"ContinuousParameterRanges": [bounds(low, high, ScalingType=scale)]})
    assert low <= float(continuous.draw(random.Random(seed))) <= high
    [whole] = ranges({"IntegerParameterRanges": [bounds(math.ceil(low), math.ceil(high), ScalingType=scale)]})
    assert math.ceil(low) <= int(whole.draw(random.Random(seed))) <= math.ceil(high)


@pytest.mark.e2e
@given(st.floats(0, 0.999999), st.floats(0, 0.999999), st.integers(0, 99))
def test_a_number_on_the_reverse_logarithmic_scale_is_within_its_range(one: float, other: float, seed: int) -> None:
    low, high = sorted((one, other))
    [each] = ranges({"ContinuousParameterRanges": [bounds(low, high, ScalingType="ReverseLogarithmic")]})
    assert low <= float(each.draw(random.Random(seed))) <= high


def test_half_of_the_draws_are_below_the_middle_of_the_scale() -> None:
    assert median(Continuous("p", 0, 10, "Linear")) == pytest.approx(5, rel=0.1)
    assert median(Continuous("p", 1e-4, 1, "Logarithmic")) == pytest.approx(1e-2, rel=0.5)
    assert median(Continuous("p", 0.9, 0.9999, "ReverseLogarithmic")) == pytest.approx(1 - 10**-2.5, rel=0.01)
    assert median(Whole("p", 1, 1000, "Logarithmic")) == pytest.approx(math.sqrt(1000), rel=0.4)


def test_a_scale_that_is_left_to_the_service_is_logarithmic_for_wide_ranges_only() -> None:
    [wide] = ranges({"ContinuousParameterRanges": [bounds(1e-5, 0.1)]})
    [narrow] = ranges({"IntegerParameterRanges": [bounds(1, 10, ScalingType="Auto")]})
    assert isinstance(wide, Continuous)
    assert isinstance(narrow, Whole)
    assert (wide.scale, narrow.scale) == ("Logarithmic", "Linear")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "no ranges of hyperparameters"),
        ({"AutoParameters": [{"Name": "p", "ValueHint": "1"}]}, "does not support AutoParameters"),
        ({"IntegerParameterRanges": [bounds("1.5", 2)]}, "MinValue of the hyperparameter p is '1.5'"),
        ({"ContinuousParameterRanges": [bounds(0, "nan")]}, "MaxValue of the hyperparameter p is 'nan'"),
        ({"IntegerParameterRanges": [bounds(2, 1)]}, "greater than its MaxValue"),
        ({"IntegerParameterRanges": [bounds(0, 1, ScalingType="Logarithmic")]}, "must be above 0"),
        ({"IntegerParameterRanges": [bounds(0, 1, ScalingType="ReverseLogarithmic")]}, "use Linear, Logarithmic"),
        ({"ContinuousParameterRanges": [bounds(0, 1, ScalingType="ReverseLogarithmic")]}, "within 0 <= x < 1"),
        ({"IntegerParameterRanges": [bounds(0, 1)] * 2}, "p has more than one range"),
    ],
)
def test_a_range_that_is_wrong_is_named(document: dict[str, Any], words: str) -> None:
    with pytest.raises(ServiceError, match=words):
        ranges(document)


def test_the_same_seed_finds_the_same_candidates() -> None:
    found = [Whole("a", 1, 1000, "Linear"), Continuous("b", 0, 1, "Linear")]
    first, again, other = (list(islice(random_candidates(found, seed), 5)) for seed in (7, 7, 8))
    assert first == again != other


def test_no_candidate_is_tried_twice_while_others_are_left() -> None:
    found = [Whole("a", 1, 3, "Linear"), Categories("b", ("x", "y"))]
    tried = list(islice(random_candidates(found, 0), 8))
    assert len({tuple(each.values()) for each in tried[:6]}) == 6
    assert len(tried) == 8


def test_a_grid_has_every_combination_once() -> None:
    found = [Categories("a", ("1", "2")), Categories("b", ("x", "y"))]
    assert [tuple(each.values()) for each in grid_candidates(found)] == [
        ("1", "x"),
        ("1", "y"),
        ("2", "x"),
        ("2", "y"),
    ]
