"""Selective execution: which choices of steps are possible."""

import json

import pytest

from local_sagemaker.definition.definition import Definition, parse
from local_sagemaker.engine.selection import check_selection, needed
from local_sagemaker.errors import ServiceError
from tests.local_sagemaker.conftest import processing, step


@pytest.fixture(scope="module")
def definition() -> Definition:
    """Prepare -> Train -> Evaluate -> Gate -> Register, and Extra beside them."""
    gate = {
        "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}],
        "IfSteps": [step("Register", "Processing", processing("true"))],
        "ElseSteps": [],
    }
    steps = [
        step("Prepare", "Processing", processing("true")),
        step("Train", "Processing", processing("true"), DependsOn=["Prepare"]),
        step("Evaluate", "Processing", processing("true"), DependsOn=["Train"]),
        step("Gate", "Condition", gate, DependsOn=["Evaluate"]),
        step("Extra", "Processing", processing("true")),
    ]
    return parse(json.dumps({"Version": "2020-12-01", "Steps": steps}))


@pytest.mark.parametrize(
    "selected", [["Train"], ["Train", "Evaluate"], ["Gate", "Register"], ["Register"], ["Extra"], ["Prepare", "Train"]]
)
def test_steps_that_hang_together_may_be_selected(definition: Definition, selected: list[str]) -> None:
    check_selection(definition, selected)


@pytest.mark.parametrize(
    ("selected", "words"),
    [
        (["Trian"], r"\[Trian\] are not steps of the pipeline"),
        (["Train", "Gate"], r"all steps between two selected steps must be selected; \[Evaluate\] are not"),
        (["Train", "Extra"], "not connected"),
    ],
)
def test_others_are_refused_with_their_names(definition: Definition, selected: list[str], words: str) -> None:
    with pytest.raises(ServiceError, match=words):
        check_selection(definition, selected)


def test_what_a_selection_needs_is_what_it_waits_for_directly(definition: Definition) -> None:
    assert needed(definition, ["Evaluate"]) == ["Train"]
    assert needed(definition, ["Register"]) == ["Gate"]
    assert needed(definition, ["Prepare"]) == []
