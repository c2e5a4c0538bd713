"""Output parameters are typed as the step declares them."""

from typing import Any

import pytest

from local_sagemaker.definition.output_parameters import LONGEST_VALUE, declared_type, described, output_values


def declared(**types: str) -> dict[str, Any]:
    return {"OutputParameters": [{"OutputName": name, "OutputType": kind} for name, kind in types.items()]}


def test_texts_and_values_become_what_is_declared_and_the_rest_is_left_out() -> None:
    step = declared(a="Integer", b="Float", c="Boolean", d="String", e="String")
    given = {"a": "3", "b": 1, "c": "true", "d": "3", "e": 4, "statusCode": 200}
    values = output_values(step, given)
    assert values == {"a": 3, "b": 1, "c": True, "d": "3", "e": "4"}
    assert described(values)[:2] == [{"Name": "a", "Value": "3"}, {"Name": "b", "Value": "1"}]
    assert output_values({}, given) == {}


@pytest.mark.parametrize(
    ("given", "words"), [({}, "output parameter a is missing"), ({"a": "x"}, "a is of type Integer; 'x' is not")]
)
def test_what_is_missing_or_of_another_type_is_named(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        output_values(declared(a="Integer"), given)


def test_a_value_is_listed_up_to_the_length_that_the_service_allows() -> None:
    assert LONGEST_VALUE == 1024  # String1024 of botocore's OutputParameter
    assert described({"a": "x" * 1025}) == [{"Name": "a", "Value": "x" * 1024}]


def test_the_declared_type_of_an_output_is_string_where_it_has_none() -> None:
    step = {"OutputParameters": [{"OutputName": "a", "OutputType": "Integer"}, {"OutputName": "b"}]}
    assert [declared_type(step, name) for name in ("a", "b", "c")] == ["Integer", "String", None]
    assert declared_type({}, "a") is None
