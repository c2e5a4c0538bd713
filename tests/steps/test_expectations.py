"""Great Expectations decides, row by row and table by table; settings that it cannot evaluate are named."""

from __future__ import annotations

import pandas as pd
import pytest

from steps.expectations import check, expectations_of_columns
from steps.failure import JobError
from steps.settings import Column, Expectation

pytestmark = pytest.mark.e2e  # importing Great Expectations takes seconds

TABLE = pd.DataFrame({"a": [1.0, 5.0, None, 9.0], "b": [1, 1, 2, 2], "c": ["x", "y", "x", "z"]})


def test_columns_imply_expectations() -> None:
    columns = {
        "a": Column(type="number", range=(0, 6), unit="m"),
        "b": Column(type="integer", optional=True, range=(None, 1)),
        "c": Column(type="category", levels=("x", "y")),
    }
    outcomes = check(TABLE, expectations_of_columns(columns), "rows")
    found = {outcome.expectation.reason: outcome.unexpected.tolist() for outcome in outcomes}
    assert found == {
        "a is missing": [2],
        "a must be from 0 to 6 m": [3],
        "b must be at most 1": [2, 3],
        "c is missing": [],
        "c must be one of x, y": [3],
    }
    assert [outcome.success for outcome in outcomes] == [False, False, False, True, False]


def test_the_same_expectation_twice_has_two_outcomes() -> None:
    twice = [Expectation("expect_column_values_to_not_be_null", {"column": "a"}, reason) for reason in "xy"]
    assert [outcome.expectation.reason for outcome in check(TABLE, twice, "rows")] == ["x", "y"]


def test_table_level_outcome_tells_what_was_observed() -> None:
    expectation = Expectation("expect_column_mean_to_be_between", {"column": "b", "min_value": 2})
    (outcome,) = check(TABLE, [expectation], "table")
    assert not outcome.success
    assert outcome.observed == "1.5"


def test_expectation_that_cannot_be_evaluated_is_named() -> None:
    expectation = Expectation("expect_column_values_to_be_between", {"column": "c", "min_value": 1})
    with pytest.raises(JobError, match="could not be evaluated"):
        check(TABLE, [expectation], "rows")


def test_columns_that_differ_in_case_only_are_judged_each_for_itself() -> None:
    """Great Expectations itself looks at the first of them whatever the case."""
    table = pd.DataFrame({"area": [100.0, 200.0, 300.0], "AREA": [1.0, 2.0, 30.0], "Area_2": [1.0, 1.0, 1.0]})
    of_area = Expectation("expect_column_values_to_be_between", {"column": "area", "max_value": 250})
    of_other = Expectation("expect_column_values_to_be_between", {"column": "AREA", "max_value": 10})
    equal = Expectation("expect_column_pair_values_to_be_equal", {"column_A": "AREA", "column_B": "Area_2"})
    unique = Expectation("expect_compound_columns_to_be_unique", {"column_list": ["AREA", "Area_2"]})
    found = check(table, [of_area, of_other, equal, unique], "rows")
    assert [outcome.unexpected.tolist() for outcome in found] == [[2], [2], [1, 2], []]
    assert [outcome.expectation for outcome in found] == [of_area, of_other, equal, unique]


def test_nothing_expected_is_nothing_checked() -> None:
    assert check(TABLE, [], "table") == []
