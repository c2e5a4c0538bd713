"""What a definition says of its steps and of what comes after what."""

import json

import pytest

from studio.graph.definition import Edge, read_definition

STEP = {"Get": "Steps.A.ProcessingOutputConfig.Outputs['x'].S3Output.S3Uri"}


def edges(*steps: object) -> set[Edge]:
    return set(read_definition(json.dumps({"Steps": steps})).edges)


def test_a_reference_a_dependency_and_a_property_file_are_arrows() -> None:
    a = {"Name": "A", "Type": "Processing", "Arguments": {}}
    b = {"Name": "B", "Type": "Training", "Arguments": {"Input": {"Std:Join": {"On": "/", "Values": [STEP, "y"]}}}}
    c = {"Name": "C", "Type": "Fail", "Arguments": {}, "DependsOn": ["A", {"Step": "B", "Trigger": "x"}]}
    assert edges(a, b, c) == {Edge("A", "B"), Edge("A", "C"), Edge("B", "C")}


def test_the_branches_of_a_condition_are_labelled_and_its_own_references_lead_to_it() -> None:
    a = {"Name": "A", "Type": "Processing", "Arguments": {}}
    yes = {"Name": "Yes", "Type": "Model", "Arguments": {"Url": STEP}}
    no = {"Name": "No", "Type": "Fail", "Arguments": {}}
    condition = {
        "Name": "If",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [{"LeftValue": {"Get": "Steps.A.PropertyFiles.P"}}],
            "IfSteps": [yes],
            "ElseSteps": [no],
        },
    }
    found = read_definition(json.dumps({"Steps": [a, condition]}))
    assert [step.name for step in found.steps] == ["A", "If", "Yes", "No"]
    assert found.by_name["Yes"].parent == "If"
    assert set(found.edges) == {Edge("A", "If"), Edge("If", "Yes", "yes"), Edge("If", "No", "no"), Edge("A", "Yes")}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"Steps": {}}', '{"Steps": [1, {"Type": "Fail"}]}'])
def test_what_cannot_be_read_has_no_steps(text: str) -> None:
    assert read_definition(text).steps == ()
