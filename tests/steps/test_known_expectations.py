"""The table of expectations is that of the library, and a slip in the YAML is found by it."""

from __future__ import annotations

import os

import pytest

from steps.known_expectations import ROWS, TABLE
from steps.settings import Expectation, ValidationSettings

pytestmark = pytest.mark.e2e  # importing Great Expectations takes seconds

OF_EVERY_EXPECTATION = {"id", "meta", "notes", "result_format", "description", "catch_exceptions", "rendered_content"}
OF_EVERY_EXPECTATION |= {"windows", "batch_id", "table", "severity", "library_metadata"}
LEFT_OUT = {"row_condition", "condition_parser"}


def test_the_table_is_that_of_great_expectations() -> None:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations  # noqa: F401 - registers the expectations
    from great_expectations.expectations import expectation, registry

    by_row = (
        expectation.ColumnMapExpectation,
        expectation.ColumnPairMapExpectation,
        expectation.MulticolumnMapExpectation,
    )
    for name, words in {**ROWS, **TABLE}.items():
        kind = registry.get_expectation_impl(name)
        fields = {key: field for key, field in kind.__fields__.items() if key not in OF_EVERY_EXPECTATION | LEFT_OUT}
        expected = {key + ("*" if field.required else "") for key, field in fields.items()}
        assert set(words.split()) == expected - ({"column_index"} - set(words.split())), name
        assert issubclass(kind, by_row) == (name in ROWS), name
    registered = registry.list_registered_expectation_implementations()
    missing = {each for each in registered if each.startswith("expect_") and each not in {**ROWS, **TABLE}}
    assert not {each for each in missing if "query" not in each and "other_table" not in each}


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("expect_column_values_to_be_betwen", {"column": "a"}, "did you mean expect_column_values_to_be_between"),
        ("be_good", {}, "be_good is not an expectation of Great Expectations"),
        ("expect_column_values_to_be_between", {"colum": "a"}, "no argument colum; did you mean column"),
        ("expect_column_values_to_be_in_set", {"column": "a"}, "lacks the argument value_set"),
    ],
)
def test_a_name_or_an_argument_that_does_not_exist_is_named(
    name: str, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Expectation(name, arguments)


def test_what_judges_the_table_can_reject_no_row() -> None:
    expectation = Expectation("expect_table_row_count_to_be_between", {"min_value": 1})
    with pytest.raises(ValueError, match=r"put it under validation.table"):
        ValidationSettings(rows=(expectation,))
    ValidationSettings(table=(expectation,))
