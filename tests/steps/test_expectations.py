"""Great Expectations decides, row by row and table by table; settings that it cannot evaluate are named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from steps import expectations
from steps.expectations import Outcome, check, check_columns, check_single_rows, expectations_of_columns
from steps.failure import JobError
from steps.known_expectations import judges_single_rows
from steps.row_store import RowStore
from steps.settings import Column, Expectation

pytestmark = pytest.mark.e2e  # importing Great Expectations takes seconds

ROOT = Path(__file__).parents[2]

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


EVERY_WAY: list[tuple[str, dict[str, Any]]] = [
    ("expect_column_values_to_not_be_null", {"column": "a"}),
    ("expect_column_values_to_not_be_null", {"column": "c", "mostly": 0.5}),
    ("expect_column_values_to_be_between", {"column": "a", "min_value": 2, "mostly": 0.9}),
    ("expect_column_values_to_be_in_set", {"column": "c", "value_set": ["x", "y"]}),
    ("expect_column_values_to_match_regex", {"column": "a", "regex": "^[^-]"}),  # -0.0 is another text than 0.0
    ("expect_column_pair_values_to_be_equal", {"column_A": "a", "column_B": "b", "ignore_row_if": "neither"}),
    ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "a", "column_B": "b"}),
    ("expect_multicolumn_sum_to_equal", {"column_list": ["a", "b"], "sum_total": 4}),
    ("expect_select_column_values_to_be_unique_within_record", {"column_list": ["a", "b"]}),
    ("expect_column_values_to_be_unique", {"column": "a"}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["a", "c"]}),
    ("expect_column_values_to_be_increasing", {"column": "b"}),
]


@pytest.fixture
def rows() -> pd.DataFrame:
    random = np.random.default_rng(0)
    a = random.choice([0.0, -0.0, 1.0, 2.0, 3.0, np.nan], 200)
    return pd.DataFrame(
        {"a": a, "b": random.integers(0, 4, 200), "c": random.choice(np.array(["x", "y", "z", None]), 200)}
    )


def test_the_verdict_of_each_row_is_that_of_great_expectations_on_all_rows(rows: pd.DataFrame) -> None:
    """The oracle is shown every row; `check` shows one of those that are the same."""
    import great_expectations as gx

    batch = (
        gx.get_context(mode="ephemeral").data_sources.add_pandas("oracle").add_dataframe_asset("rows")
        .add_batch_definition_whole_dataframe("all").get_batch({"dataframe": rows})
    )  # fmt: skip
    expectations = [Expectation(name, arguments) for name, arguments in EVERY_WAY]
    for outcome in check(rows, expectations, "rows"):
        name, arguments = outcome.expectation.expectation, outcome.expectation.arguments
        kind = getattr(gx.expectations, "".join(word.capitalize() for word in name.split("_")), None)
        assert kind is not None, name
        result = batch.validate(kind(**arguments), result_format="COMPLETE").result
        assert outcome.unexpected.tolist() == sorted(result["unexpected_index_list"]), name
        assert outcome.success == (not len(outcome.unexpected))


def test_expectations_of_one_name_and_the_same_columns_are_judged_each_for_itself() -> None:
    """A rule of one's own beside the range of a column; and the same one written in different ways."""
    between, mean = "expect_column_values_to_be_between", "expect_column_mean_to_be_between"
    limits: list[dict[str, Any]] = [
        {"min_value": 2},
        {"max_value": 6},
        {"min_value": 2.0, "mostly": 1.0},
        {"min_value": 2, "mostly": 0.5},
        {"max_value": 6},
    ]
    of_rows = check(TABLE, [Expectation(between, {"column": "a", **limit}) for limit in limits], "rows")
    assert [outcome.unexpected.tolist() for outcome in of_rows] == [[0], [3], [0], [0], [3]]
    of_table = check(
        TABLE, [Expectation(mean, {"column": "a", **limit}) for limit in ({"min_value": 2}, {"max_value": 2})], "table"
    )
    assert [(outcome.success, outcome.observed) for outcome in of_table] == [(True, "5.0"), (False, "5.0")]


@pytest.mark.parametrize("most", [1, 2, 16])
def test_single_rows_are_judged_in_any_batches_as_in_one(
    rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr("steps.expectations.MOST_BATCHES", most)
    single = [Expectation(*each) for each in EVERY_WAY if judges_single_rows(each[0])]
    whole = [outcome.unexpected.tolist() for outcome in check(rows, single, "rows")]
    assert sum(map(bool, whole)) > 3
    store = RowStore(tmp_path)
    for number, batch in enumerate(np.array_split(np.arange(len(rows)), 5)):
        store.add(store.batch(rows.iloc[batch], str(number)))
    assert [found.tolist() for found in check_single_rows(store, single)] == whole
    chosen = rows.index % 3 > 0
    wanted = [[place for place in places if chosen[place]] for places in whole]
    assert [found.tolist() for found in check_single_rows(store, single, chosen)] == wanted
    assert all(not len(found) for found in check_single_rows(store, single, np.zeros(len(rows), dtype=bool)))


def test_the_library_is_imported_before_there_are_other_processes() -> None:
    """Of a single long file nothing has asked for it before."""
    code = """
import sys
import pandas as pd
from steps.expectations import check_single_rows
from steps.row_store import RowStore
from steps.settings import Expectation
store = RowStore()
for value in (1.0, 2.0):
    store.add(store.batch(pd.DataFrame({"a": [value], "b": [value]}), ""))
above = [Expectation("expect_column_values_to_be_between", {"column": name, "min_value": 2}) for name in "ab"]
print([found.tolist() for found in check_single_rows(store, above)], "great_expectations" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[[0], [0]] True\n"


def test_many_examples_are_not_in_memory_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steps.batches.ROWS", 10)
    store, judged = RowStore(), list[int]()
    for first in range(0, 100, 10):
        store.add(store.batch(pd.DataFrame({"a": np.arange(first, first + 10.0)}), ""))

    def recorded(table: pd.DataFrame, *rest: Any) -> Any:
        judged.append(len(table))
        return own(table, *rest)

    own = expectations._check
    monkeypatch.setattr(expectations, "_check", recorded)
    monkeypatch.setattr("steps.workers.cores", lambda: 1)
    limits = Expectation("expect_column_values_to_be_between", {"column": "a", "min_value": 7, "max_value": 50})
    (found,) = check_single_rows(store, [limits])
    assert found.tolist() == [*range(7), *range(51, 100)]
    assert judged == [20] * 5


def test_a_batch_without_gaps_is_judged_with_integers_whatever_another_one_lacks() -> None:
    store = RowStore()
    for values in ([1, 2], [1.0, np.nan]):
        store.add(store.batch(pd.DataFrame({"a": values}), ""))
    digits = Expectation("expect_column_values_to_match_regex", {"column": "a", "regex": r"^\d$"})
    (found,) = check_single_rows(store, [digits])
    assert found.tolist() == [2]  # 1.0


def test_what_must_be_unique_is_found_in_any_batch(rows: pd.DataFrame, tmp_path: Path) -> None:
    def unexpected(outcomes: list[Outcome]) -> list[list[int]]:
        return [outcome.unexpected.tolist() for outcome in outcomes]

    rows = pd.concat(
        [rows, pd.DataFrame({"a": [7.5, 8.5, 7.5], "b": [1, 2, 3], "c": ["x", "x", None]})], ignore_index=True
    )
    expectations = [Expectation(name, arguments) for name, arguments in EVERY_WAY[-3:]]
    store = RowStore(tmp_path)
    for number, batch in enumerate(np.array_split(np.arange(len(rows)), 3)):
        store.add(store.batch(rows.iloc[batch], str(number)))
    assert unexpected(check_columns(store, expectations, "rows")) == unexpected(check(rows, expectations, "rows"))
    alone = RowStore()
    for row in ([0.5, 1, "x"], [1.5, 1, "x"]):
        alone.add(alone.batch(pd.DataFrame([row], columns=["a", "b", "c"]), ""))
    assert unexpected(check_columns(alone, expectations[:2], "rows")) == [[], []]
