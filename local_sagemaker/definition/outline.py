"""The steps and parameters of a definition, each with the path to it, whatever else is wrong with them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.definition.faults import Fault, did_you_mean, shown
from local_sagemaker.definition.parameters import PARAMETER_TYPES, fits
from local_sagemaker.definition.shapes import RESOURCES

INNER_STEPS = {"Condition": ("IfSteps", "ElseSteps"), "ForEach": ("ForEachBody",)}
STEP_TYPES = (*RESOURCES, *INNER_STEPS, "AutoML", "Callback", "ClarifyCheck", "Cleanup", "EMR", "EMRServerless")
STEP_TYPES += ("Fail", "InferenceComponent", "Job", "Lambda", "Lineage", "QualityCheck")
NAME = re.compile(r"[A-Za-z0-9\-_]*")
NEEDED_FIELDS = {"Lambda": ("FunctionArn",), "Callback": ("SqsQueueUrl",)}


@dataclass(frozen=True)
class OutlinedStep:
    """A step where it stands; `parent` is the Condition or ForEach around it."""

    path: str
    raw: dict[str, Any] = field(repr=False)
    parent: "OutlinedStep | None" = None

    @property
    def name(self) -> str:
        """Its name, or an empty text."""
        name = self.raw.get("Name")
        return name if isinstance(name, str) else ""

    @property
    def type(self) -> str:
        """Its type, or an empty text."""
        step_type = self.raw.get("Type")
        return step_type if isinstance(step_type, str) else ""

    @property
    def arguments(self) -> dict[str, Any]:
        """Its arguments without the steps inside it."""
        arguments = self.raw.get("Arguments")
        inner = INNER_STEPS.get(self.type, ())
        return {k: v for k, v in arguments.items() if k not in inner} if isinstance(arguments, dict) else {}

    def entries(self, name: str) -> list[dict[str, Any]]:
        """A list of structures among its fields, such as PropertyFiles; what is not a structure is left out."""
        listed = self.raw.get(name)
        return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


@dataclass(frozen=True)
class Outline:
    """What can be referred to, and the faults found on the way; of two things of one name, the first is kept."""

    parameters: dict[str, dict[str, Any]]
    steps: dict[str, OutlinedStep]
    every_step: list[OutlinedStep]
    faults: list[Fault]


def outline(raw: dict[str, Any]) -> Outline:
    """The outline of a definition that is a JSON object."""
    faults: list[Fault] = []
    if not raw.get("Steps"):
        faults.append(Fault("Steps", f"is missing or empty: a definition has at least one step{_wrapped(raw)}"))
    every_step = list(_steps(raw.get("Steps"), "Steps", None, faults))
    parameters: dict[str, dict[str, Any]] = {}
    for path, entry in _structures(raw.get("Parameters"), "Parameters", faults):
        faults += _parameter_faults(path, entry)
        if isinstance(entry.get("Name"), str) and parameters.setdefault(entry["Name"], entry) is not entry:
            faults.append(Fault(path, f"the parameter {entry['Name']} is declared twice"))
    steps: dict[str, OutlinedStep] = {}
    for step in every_step:
        faults += _step_faults(step)
        if step.name and steps.setdefault(step.name, step) is not step:
            faults.append(Fault(step.path, f"the name {step.name} is taken by {steps[step.name].path}"))
    return Outline(parameters, steps, every_step, faults)


def _wrapped(raw: dict[str, Any]) -> str:
    for name, value in raw.items():
        if name != "Steps" and ((isinstance(value, dict) and "Steps" in value) or '"Steps"' in str(value)):
            return f"; this document holds a definition under {name}: check that alone"
    return ""


def _structures(value: Any, path: str, faults: list[Fault]) -> Iterator[tuple[str, dict[str, Any]]]:
    if value is None:
        return
    if not isinstance(value, list):
        faults.append(Fault(path, "must be a list"))
        return
    for index, entry in enumerate(value):
        if isinstance(entry, dict):
            yield f"{path}[{index}]", entry
        else:
            faults.append(Fault(f"{path}[{index}]", "must be a structure"))


def _steps(value: Any, path: str, parent: OutlinedStep | None, faults: list[Fault]) -> Iterator[OutlinedStep]:
    for here, raw in _structures(value, path, faults):
        step = OutlinedStep(here, raw, parent)
        yield step
        arguments = raw.get("Arguments")
        if isinstance(arguments, dict):
            for key in INNER_STEPS.get(step.type, ()):
                yield from _steps(arguments.get(key), f"{here}.Arguments.{key}", step, faults)


def _step_faults(step: OutlinedStep) -> Iterator[Fault]:
    for name in ("Name", "Type", *NEEDED_FIELDS.get(step.type, ())):
        if not step.raw.get(name):
            yield Fault(step.path, f"{name} is missing")
    for name in ("Name", "Type"):
        if step.raw.get(name) and not isinstance(step.raw[name], str):
            yield Fault(f"{step.path}.{name}", "must be a text")
    if len(step.name) > 64 or not NAME.fullmatch(step.name):
        message = (
            "AWS allows at most 64 letters, digits, hyphens and underscores as the name of a step; it is "
            f"{shown(step.name)}"
        )
        yield Fault(f"{step.path}.Name", message, only_on_aws=True)
    if step.type not in STEP_TYPES and did_you_mean(step.type, STEP_TYPES):
        yield Fault(f"{step.path}.Type", f"{step.type} is not a step type{did_you_mean(step.type, STEP_TYPES)}")
    if "Arguments" not in step.raw and (step.type in RESOURCES or step.type in INNER_STEPS):
        yield Fault(step.path, "Arguments is missing")
    elif "Arguments" in step.raw and not isinstance(step.raw["Arguments"], dict):
        yield Fault(f"{step.path}.Arguments", "must be a structure")
    elif step.type == "ForEach":
        arguments = step.raw["Arguments"]
        yield from (
            Fault(f"{step.path}.Arguments", f"{name} is missing")
            for name in ("IterableItems", "MaxConcurrency", "ForEachBody")
            if not arguments.get(name)
        )


def _parameter_faults(path: str, entry: dict[str, Any]) -> Iterator[Fault]:
    for name in ("Name", "Type"):
        if not isinstance(entry.get(name), str):
            yield Fault(path, f"{name} is missing")
    called, kind = entry.get("Name"), entry.get("Type")
    if isinstance(called, str) and not (called and NAME.fullmatch(called)):
        message = f"a parameter's name has letters, digits, hyphens and underscores; this one is {shown(called)}"
        yield Fault(f"{path}.Name", message)
    if not isinstance(kind, str):
        return
    if kind not in PARAMETER_TYPES:
        known = did_you_mean(kind, PARAMETER_TYPES) or f"; the types are {', '.join(PARAMETER_TYPES)}"
        yield Fault(f"{path}.Type", f"{kind} is not a type of parameters{known}")
        return
    default, allowed = entry.get("DefaultValue"), entry.get("EnumValues")
    if default is not None and not fits(default, kind):
        yield Fault(f"{path}.DefaultValue", f"is not of the type {kind}")
    if allowed is not None and not isinstance(allowed, list):
        yield Fault(f"{path}.EnumValues", "must be a list")
    elif allowed and default is not None and default not in allowed:
        yield Fault(f"{path}.DefaultValue", "is not one of EnumValues")
