"""Selective execution: which steps may be chosen, and what they need of a reference execution.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-selective-ex.html
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from local_sagemaker.definition.definition import Definition, Step
from local_sagemaker.engine.tasks import Result
from local_sagemaker.errors import invalid


def steps_to_run(definition: Definition, execution: Mapping[str, Any]) -> list[Step]:
    """The steps of an execution, or those that its SelectiveExecutionConfig selects."""
    config = execution.get("SelectiveExecutionConfig")
    if config is None:
        return list(definition.steps.values())
    selected = {entry["StepName"] for entry in config["SelectedSteps"]}
    return [step for name, step in definition.steps.items() if name in selected]


def check_selection(definition: Definition, selected: Collection[str]) -> None:
    """ValidationException where the selected steps do not exist, or are not connected with all between them."""
    unknown = [name for name in selected if name not in definition.steps]
    inner = {body.name: step.name for step in definition.steps.values() for body in step.body}
    for name in unknown:
        if name in inner:
            raise invalid(f"Invalid SelectedSteps: {name} is in the body of {inner[name]}: select {inner[name]}.")
    if unknown:
        raise invalid(f"Invalid SelectedSteps: [{', '.join(unknown)}] are not steps of the pipeline.")
    above = {name: ancestors(definition, [name]) for name in definition.steps}
    between = [
        name
        for name in definition.steps
        if name not in selected and above[name] & set(selected) and any(name in above[low] for low in selected)
    ]
    if between:
        raise invalid(
            f"Invalid SelectedSteps: all steps between two selected steps must be selected; "
            f"[{', '.join(between)}] are not."
        )
    apart = set(selected) - _connected(definition, selected)
    if apart:
        raise invalid(f"Invalid SelectedSteps: [{', '.join(sorted(apart))}] are not connected with the others.")


def needed(definition: Definition, selected: Collection[str]) -> list[str]:
    """The steps that are not selected and that a selected step waits for directly."""
    waits = {name for step in selected for name in definition.steps[step].waits_for}
    return [name for name in definition.steps if name in waits and name not in selected]


def ancestors(definition: Definition, names: Iterable[str]) -> set[str]:
    """Every step before these, however far."""
    found: set[str] = set()
    rest = list(names)
    while rest:
        before = definition.steps[rest.pop()].waits_for - found
        found |= before
        rest += before
    return found


def check_reference(
    definition: Definition, selected: Collection[str], reference: Mapping[str, Result], source: str
) -> None:
    """ValidationException where a selected step cannot run on what the reference execution `source` has."""
    missing = [name for name in needed(definition, selected) if name not in reference]
    if missing:
        raise invalid(
            f"Invalid SourcePipelineExecutionArn: {source}. The selected steps [{', '.join(selected)}] have "
            f"dependencies on [{', '.join(missing)}], which have not succeeded in that execution."
        )
    for step in (definition.steps[name] for name in selected):
        if step.branch and step.branch[0] in reference and reference[step.branch[0]].outcome is not step.branch[1]:
            raise invalid(
                f"Invalid SourcePipelineExecutionArn: {source}. The condition {step.branch[0]} did not lead to the "
                f"selected step {step.name} in that execution: select {step.branch[0]} too."
            )


def _connected(definition: Definition, selected: Collection[str]) -> set[str]:
    """The selected steps that the first one reaches along dependencies between selected steps, in any direction."""
    steps = [step for name, step in definition.steps.items() if name in selected]
    found: set[str] = set()
    rest: list[Step] = steps[:1]
    while rest:
        step = rest.pop()
        found.add(step.name)
        rest += [
            other
            for other in steps
            if other.name not in found and (other.name in step.waits_for or step.name in other.waits_for)
        ]
    return found
