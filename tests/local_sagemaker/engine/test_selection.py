"""Selective execution: which choices of steps are possible."""

import json

import pytest

from local_sagemaker.definition.definition import Definition, parse
from local_sagemaker.engine.selection import check_reference, check_selection, needed, steps_to_run
from local_sagemaker.engine.tasks import Result
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


def test_without_a_selection_every_step_runs_and_with_one_only_the_selected(definition: Definition) -> None:
    everything = ["Prepare", "Train", "Evaluate", "Gate", "Register", "Extra"]
    assert sorted(step.name for step in steps_to_run(definition, {})) == sorted(everything)
    config = {"SelectedSteps": [{"StepName": "Evaluate"}, {"StepName": "Train"}]}
    assert [step.name for step in steps_to_run(definition, {"SelectiveExecutionConfig": config})] == [
        "Train",
        "Evaluate",
    ]


def ended(**outcomes: bool | None) -> dict[str, Result]:
    return {name: Result("Succeeded", {}, {}, outcome=outcome) for name, outcome in outcomes.items()}


def test_a_reference_must_have_what_the_selection_waits_for(definition: Definition) -> None:
    check_reference(definition, ["Evaluate"], ended(Train=None), "arn:e")
    check_reference(definition, ["Prepare"], {}, "arn:e")
    with pytest.raises(ServiceError, match=r"arn:e. The selected steps \[Evaluate\] have dependencies on \[Train\]"):
        check_reference(definition, ["Evaluate"], ended(Prepare=None), "arn:e")


def test_a_reference_must_have_led_to_the_selected_branch(definition: Definition) -> None:
    check_reference(definition, ["Register"], ended(Gate=True), "arn:e")
    with pytest.raises(ServiceError, match="The condition Gate did not lead to the selected step Register"):
        check_reference(definition, ["Register"], ended(Gate=False), "arn:e")
    check_reference(definition, ["Gate", "Register"], ended(Evaluate=None), "arn:e")  # decided anew
