"""Parsing a definition: the graph, the parameters, and faults that are named with their place."""

import json
from typing import Any

import pytest

from local_sagemaker.definition.definition import parse
from local_sagemaker.definition.parameters import Parameter
from local_sagemaker.errors import ServiceError

COMPARISON = {"Type": "Equals", "LeftValue": {"Get": "Steps.A.X"}, "RightValue": 1}


def definition(*steps: dict[str, Any], parameters: list[dict[str, Any]] | None = None) -> str:
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters or [], "Steps": list(steps)})


def step(name: str, step_type: str = "Own", **fields: Any) -> dict[str, Any]:
    return {"Name": name, "Type": step_type, "Arguments": {}, **fields}


def test_a_step_waits_for_what_it_refers_to_and_what_it_depends_on() -> None:
    parsed = parse(
        definition(
            step("A"),
            step("B"),
            step("C", Arguments={"x": {"Get": "Steps.A.Y"}}, DependsOn=["B"]),
            step("D", DependsOn=[{"Step": "C", "Trigger": "Succeeded"}]),
            step("Trigger", DependsOn=[{"Step": "A"}]),
            step("E", DependsOn=["Trigger"]),
        )
    )
    assert {name: set(each.waits_for) for name, each in parsed.steps.items()} == {
        "A": set(),
        "B": set(),
        "C": {"A", "B"},
        "D": {"C"},
        "Trigger": {"A"},
        "E": {"Trigger"},
    }
    assert [dict(each.triggers) for each in parsed.steps.values()] == [{}, {}, {}, {"C": "Succeeded"}, {}, {}]


def test_a_loop_waits_for_what_its_body_refers_to_and_not_for_its_body() -> None:
    refers = [step("First", Arguments={"x": {"Get": "Steps.A.Y"}}), step("Then", DependsOn=["First"])]
    loop = {"IterableItems": ["a"], "MaxConcurrency": 1, "ForEachBody": refers}
    parsed = parse(definition(step("A"), step("Loop", "ForEach", Arguments=loop)))
    assert set(parsed.steps["Loop"].waits_for) == {"A"}


def test_the_steps_of_a_branch_know_the_condition_and_the_outcome_they_need() -> None:
    parsed = parse(
        definition(
            step("A"),
            step(
                "Check",
                "Condition",
                Arguments={"Conditions": [COMPARISON], "IfSteps": [step("Yes")], "ElseSteps": [step("No", "Fail")]},
            ),
        )
    )
    assert parsed.steps["Yes"].branch == ("Check", True)
    assert parsed.steps["No"].branch == ("Check", False)
    assert parsed.steps["Check"].waits_for == {"A"}
    assert "Check" in parsed.steps["No"].waits_for


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("{}", "Steps: is missing or empty"),
        (definition({"Type": "Processing", "Arguments": {}}), r"3 fault\(s\): Steps\[0\]: Name is missing; Steps"),
        (definition(step("A"), step("A")), r"Steps\[1\]: the name A is taken by Steps\[0\]"),
        (definition(step("Preprocess"), step("B", DependsOn=["Preproces"])), "did you mean Preprocess?"),
        (
            definition(step("A", Arguments={"x": {"Get": "Parameters.Nope"}})),
            r"Steps\[0\].Arguments.x: Parameters.Nope is not a parameter",
        ),
        (definition(step("A", DependsOn=["B"]), step("B", DependsOn=["A"])), "wait for each other"),
        (definition(step("A"), parameters=[{"Name": "P", "Type": "Date"}]), "Date is not a type of parameters"),
    ],
)
def test_a_fault_in_a_definition_is_named(text: str, words: str) -> None:
    with pytest.raises(ServiceError, match=words):
        parse(text)


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (Parameter("P", "Integer"), "3", 3),
        (Parameter("P", "Float"), "3", 3),
        (Parameter("P", "Float"), "0.25", 0.25),
        (Parameter("P", "Boolean"), "True", True),
        (Parameter("P", "String"), "3", "3"),
    ],
)
def test_a_value_gets_the_type_of_its_parameter(parameter: Parameter, text: str, value: Any) -> None:
    assert parameter.parse(text) == value


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        (Parameter("P", "Integer"), "3.5"),
        (Parameter("P", "Integer"), "true"),
        (Parameter("P", "Integer"), "many"),
        (Parameter("P", "Boolean"), "1"),
        (Parameter("P", "String", allowed=("a", "b")), "c"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_the_parameters_name(parameter: Parameter, text: str) -> None:
    with pytest.raises(ServiceError, match="parameter P"):
        parameter.parse(text)


def test_the_values_of_an_execution_are_defaults_with_what_was_given() -> None:
    parsed = parse(
        definition(
            step("A"),
            parameters=[{"Name": "P", "Type": "Integer", "DefaultValue": 1}, {"Name": "Q", "Type": "String"}],
        )
    )
    assert parsed.values({"Q": "x"}) == {"P": 1, "Q": "x"}
    with pytest.raises(ServiceError, match="Q has no default"):
        parsed.values({})
    with pytest.raises(ServiceError, match=r"Unknown parameter 'R'; .*P is of type Integer; .*Q has no default"):
        parsed.values({"P": "x", "R": "1"})
