"""Conditions with the values that they compared."""

import io
import json
from typing import Any

import pytest

from studio.graph.definition import read_definition
from studio.pages.gates import Gate, compare, gates_of
from tests.studio.conftest import Answering, FakeAccount

FILE = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.E.PropertyFiles.R"}, "Path": "m['r2'].values[1]"}}


def gates(conditions: list[Any], document: Any, **parameters: str) -> list[Gate]:
    body = json.dumps(document).encode()
    s3 = Answering(get_object=lambda **_: {"ContentLength": len(body), "Body": io.BytesIO(body)})
    step = {"Name": "If", "Type": "Condition", "Arguments": {"Conditions": conditions}}
    declared = [
        {"Name": "Least", "Type": "Float"},
        {"Name": "Word", "Type": "String"},
        {"Name": "Usual", "Type": "Float", "DefaultValue": 0.9},
    ]
    definition = read_definition(json.dumps({"Parameters": declared, "Steps": [step]}))
    return gates_of(FakeAccount(s3=s3), definition, parameters, {("E", "R"): "s3://b/k.json"})  # type: ignore[arg-type]


def at_least(left: Any, right: Any) -> dict[str, Any]:
    return {"Type": "GreaterThanOrEqualTo", "LeftValue": left, "RightValue": right}


def test_a_file_is_compared_with_a_parameter() -> None:
    (gate,) = gates([at_least(FILE, {"Get": "Parameters.Least"})], {"m": {"r2": {"values": [0, 0.9]}}}, Least="0.9")
    assert (gate.left, gate.right, gate.passed, gate.sign) == (0.9, 0.9, True, "≥")
    assert gate.text == "m['r2'].values[1] ≥ Least"


@pytest.mark.parametrize("document", [{}, {"m": {"r2": {"values": [1]}}}, []])
def test_a_value_that_is_not_there_is_not_known_rather_than_false(document: Any) -> None:
    (gate,) = gates([at_least(FILE, 1)], document)
    assert gate.passed is None
    assert gate.left is None


def test_other_conditions_are_shown_as_they_are() -> None:
    (gate,) = gates([{"Type": "Not", "Expression": {"Type": "Equals"}}], {})
    assert gate.passed is None
    assert gate.text.startswith("Not ")


@pytest.mark.parametrize(("kind", "below", "equal", "above"), [
    ("GreaterThan", False, False, True), ("GreaterThanOrEqualTo", False, True, True), ("LessThan", True, False, False),
    ("LessThanOrEqualTo", True, True, False), ("Equals", False, True, False)])  # fmt: skip
def test_each_comparison(kind: str, below: bool, equal: bool, above: bool) -> None:
    assert (compare(kind, 1, 2), compare(kind, 2, 2), compare(kind, 3, 2)) == (below, equal, above)


def test_a_text_and_a_number_cannot_be_ordered() -> None:
    assert compare("LessThan", "a", 1) is None


@pytest.mark.parametrize(("left", "passed", "narrow"), [
    (1.0, True, True), (1.019, True, True), (1.021, True, False), (0.999, False, False)])  # fmt: skip
def test_what_holds_by_less_than_two_percent_is_narrow(left: float, passed: bool, narrow: bool) -> None:
    assert Gate("s", "t", "≥", left, 1.0, passed).narrow is narrow


@pytest.mark.parametrize(("kind", "given", "relaxed"), [
    ("GreaterThanOrEqualTo", "0.8", True), ("GreaterThanOrEqualTo", "0.9", False), ("GreaterThan", "0.95", False),
    ("LessThanOrEqualTo", "0.95", True), ("LessThanOrEqualTo", "0.9", False), ("LessThan", "0.8", False),
    ("Equals", "0.8", False)])  # fmt: skip
def test_a_limit_laxer_than_the_pipelines_own_is_marked(kind: str, given: str, relaxed: bool) -> None:
    condition = {"Type": kind, "LeftValue": FILE, "RightValue": {"Get": "Parameters.Usual"}}
    (gate,) = gates([condition], {"m": {"r2": {"values": [0, 0.9]}}}, Usual=given)
    assert gate.usual == 0.9
    assert gate.relaxed is relaxed


def test_a_limit_without_a_default_is_not_relaxed() -> None:
    (gate,) = gates([at_least(FILE, {"Get": "Parameters.Least"})], {"m": {"r2": {"values": [0, 0.9]}}}, Least="-9")
    assert (gate.usual, gate.relaxed) == (None, False)
