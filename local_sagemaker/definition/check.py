"""The offline checker of pipeline definitions: every fault at once, each with the path to it."""

import json
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from local_sagemaker.definition.conditions import COMPARISONS
from local_sagemaker.definition.expressions import references
from local_sagemaker.definition.faults import Fault, did_you_mean
from local_sagemaker.definition.for_each_faults import for_each_faults, outside_faults
from local_sagemaker.definition.known_keys import key_faults
from local_sagemaker.definition.outline import Outline, OutlinedStep, outline
from local_sagemaker.definition.references import expression_faults, kind_of
from local_sagemaker.definition.shapes import argument_faults
from local_sagemaker.definition.step_fields import field_faults

GROUPS = ("And", "Or")
ROOTS = ("Parameters.", "Execution.", "Steps.", "PipelineExperimentConfig.", "ForEach.")
CONDITION_FIELDS = {
    **dict.fromkeys(COMPARISONS, ("LeftValue", "RightValue")),
    **dict.fromkeys(GROUPS, ("Conditions",)),
    "In": ("QueryValue", "Values"),
}


def check(text: str) -> list[Fault]:
    """Every fault of the definition in a JSON text; an empty list where it has none.

    Expressions stand for values that only an execution knows, though of some the type is known. The arguments of steps
    whose requests AWS does not describe (Lambda, EMR, Callback, QualityCheck, ...) are checked for references only.
    """
    try:
        raw = json.loads(text)
        if not isinstance(raw, dict):
            return [Fault("", "A pipeline definition is a JSON object with Steps.")]
        json.dumps(raw, ensure_ascii=False).encode()
        return list(_faults(raw))
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        return [Fault("", f"The definition has {half!r}, which is half of a character: remove it.")]
    except RecursionError:
        return [Fault("", "The definition is nested too deeply to be read.")]
    except ValueError as error:
        return [Fault("", f"The definition is not JSON: {error}.")]


def refusals(text: str) -> list[Fault]:
    """The faults for which this machine refuses a definition: those of `check` that are not AWS's alone."""
    return [fault for fault in check(text) if not fault.only_on_aws]


def _faults(raw: dict[str, Any]) -> Iterator[Fault]:
    known = outline(raw)
    yield from known.faults
    yield from key_faults(raw, known)
    yield from _mixed(raw, "")
    for name in ("PipelineExperimentConfig", "MlflowConfig"):
        if not isinstance(raw.get(name) or {}, dict):
            yield Fault(name, "must be a structure")
        yield from expression_faults(raw.get(name), name, None, known)
        for path in references(raw.get(name)):
            if path.startswith(("Steps.", "PipelineExperimentConfig.")):
                yield Fault(name, f"{path} has no value yet when the execution starts")
    for step in known.every_step:
        yield from _step(step, known)
    yield from _cycles(known)


def _mixed(value: Any, path: str) -> Iterator[Fault]:
    """Expressions with something beside them in their structure, which would be no expressions to the service."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _mixed(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        reference = value.get("Get")
        if len(value) > 1 and isinstance(reference, str) and reference.startswith(ROOTS):
            yield Fault(path, f"Get stands beside {', '.join(sorted(set(value) - {'Get'}))}: a reference stands alone")
        for name, item in value.items():
            yield from _mixed(item, f"{path}.{name}" if path else name)


def _step(step: OutlinedStep, known: Outline) -> Iterator[Fault]:
    path = f"{step.path}.Arguments"
    if isinstance(step.raw.get("Arguments"), dict):
        yield from argument_faults(step.type, step.arguments, path, lambda value: kind_of(value, known))
        if step.type == "Condition":
            yield from _conditions(step.arguments.get("Conditions"), f"{path}.Conditions")
        if step.type == "ForEach":
            yield from for_each_faults(step, known)
    yield from outside_faults(step, _waits_for(step), known)
    for name, value in step.raw.items():
        if name not in ("Arguments", "DependsOn"):
            yield from expression_faults(value, f"{step.path}.{name}", step, known)
    for name, value in step.arguments.items():
        yield from expression_faults(value, f"{path}.{name}", step, known)
    yield from field_faults(step, known)


def _conditions(conditions: Any, path: str) -> Iterator[Fault]:
    if not isinstance(conditions, list) or not conditions:
        yield Fault(path, "at least one condition must be given, in a list")
        return
    for index, condition in enumerate(conditions):
        yield from _condition(condition, f"{path}[{index}]")


def _condition(condition: Any, path: str) -> Iterator[Fault]:
    kind = condition.get("Type") if isinstance(condition, dict) else None
    if not isinstance(kind, str):
        yield Fault(path, "must be a structure with a Type")
    elif kind == "Not":
        inner = "Expression" if "Expression" in condition else "Condition"  # SDK v2 and v3 write different names
        yield from _condition(condition.get(inner), f"{path}.{inner}")
    elif kind not in CONDITION_FIELDS:
        known = (*CONDITION_FIELDS, "Not")
        yield Fault(f"{path}.Type", f"{kind} is not a condition{did_you_mean(kind, known)}")
    elif kind in GROUPS:
        yield from _conditions(condition.get("Conditions"), f"{path}.Conditions")
    else:
        yield from (Fault(path, f"{name} is missing") for name in CONDITION_FIELDS[kind] if name not in condition)
        if kind == "In" and not isinstance(condition.get("Values", []), list):
            yield Fault(f"{path}.Values", "must be a list")


def _cycles(known: Outline) -> Iterator[Fault]:
    waits = {name: sorted(_waits_for(step) & set(known.steps)) for name, step in known.steps.items()}
    while True:
        try:
            TopologicalSorter(waits).prepare()
            return
        except CycleError as error:
            cycle = list(reversed(error.args[1]))  # from the one that waits to what it waits for
        yield Fault(known.steps[cycle[0]].path, f"the steps wait for each other: {' -> '.join(cycle)}")
        waits = {n: [other for other in others if other not in cycle] for n, others in waits.items() if n not in cycle}


def _waits_for(step: OutlinedStep) -> set[str]:
    paths = references(step.arguments)
    names = {path.split(".")[1] for path in paths if path.startswith("Steps.")}
    entries = step.raw.get("DependsOn")
    for entry in entries if isinstance(entries, list) else ():
        name = entry.get("Step") if isinstance(entry, dict) else entry
        if isinstance(name, str):
            names.add(name)
    return names | ({step.parent.name} if step.parent else set())
