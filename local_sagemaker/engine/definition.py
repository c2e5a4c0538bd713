"""A pipeline definition, parsed into steps that know what they wait for."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from typing import Any

from local_sagemaker.engine.expressions import references
from local_sagemaker.errors import invalid

PARAMETER_TYPES: dict[str, type | tuple[type, ...]] = {
    "String": str,
    "Integer": int,
    "Float": (int, float),
    "Boolean": bool,
}


@dataclass(frozen=True)
class Parameter:
    """A pipeline parameter; `default` is None where an execution must give a value."""

    name: str
    type: str
    default: Any = None
    allowed: tuple[Any, ...] = ()

    def parse(self, text: str) -> Any:
        """The typed value of a text from StartPipelineExecution; ValidationException where it has none."""
        try:
            value = text if self.type == "String" else json.loads(text.lower() if self.type == "Boolean" else text)
        except json.JSONDecodeError:
            value = None
        wrong = isinstance(value, bool) is not (self.type == "Boolean")
        if wrong or not isinstance(value, PARAMETER_TYPES[self.type]):
            raise invalid(f"The parameter {self.name} is of type {self.type}; {text!r} is not.")
        if self.allowed and value not in self.allowed:
            allowed = ", ".join(str(item) for item in self.allowed)
            raise invalid(f"The parameter {self.name} must be one of {allowed}; got {text!r}.")
        return value


@dataclass(frozen=True)
class Step:
    """One step; `branch` names the condition step above it and the outcome under which it runs."""

    name: str
    type: str
    arguments: dict[str, Any]
    waits_for: frozenset[str]
    branch: tuple[str, bool] | None
    raw: dict[str, Any] = field(repr=False)

    @property
    def property_files(self) -> dict[str, dict[str, str]]:
        """The step's property files by name."""
        return {entry["PropertyFileName"]: entry for entry in self.raw.get("PropertyFiles", [])}


@dataclass(frozen=True)
class Definition:
    """Parameters and steps by name, the steps of condition branches among them."""

    parameters: dict[str, Parameter]
    steps: dict[str, Step]

    def values(self, given: dict[str, str]) -> dict[str, Any]:
        """The value of every parameter of an execution; ValidationException names what is unknown or missing."""
        for name in given:
            if name not in self.parameters:
                raise invalid(f"Unknown parameter {name!r}.{_suggestion(name, self.parameters)}")
        values = {}
        for name, parameter in self.parameters.items():
            if name in given:
                values[name] = parameter.parse(given[name])
            elif parameter.default is None:
                raise invalid(f"The parameter {name} has no default: give it a value.")
            else:
                values[name] = parameter.default
        return values


def parse(text: str) -> Definition:
    """The definition in a JSON text; ValidationException names every fault with its place."""
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise invalid(f"The pipeline definition is not JSON: {error}.") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("Steps"), list) or not raw["Steps"]:
        raise invalid("The pipeline definition has no Steps.")
    found = list(_flatten(raw["Steps"], "Steps", None))
    parameters = {entry["Name"]: _parameter(entry) for entry in raw.get("Parameters", [])}
    faults = [fault for place, step in found if (fault := _malformed(place, step))]
    faults += _duplicates([step.get("Name") for _, step in found])
    if faults:
        raise invalid("; ".join(faults))
    definition = Definition(parameters, {step["Name"]: _step(step) for _, step in found})
    faults = list(_unknown_references(definition))
    if faults:
        raise invalid("; ".join(faults))
    _refuse_cycles(definition)
    return definition


def _flatten(
    steps: list[dict[str, Any]], place: str, branch: tuple[str, bool] | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, step in enumerate(steps):
        here = f"{place}[{index}]"
        yield here, {**step, "Branch": branch}
        if step.get("Type") == "Condition":
            for key, outcome in (("IfSteps", True), ("ElseSteps", False)):
                inner = step.get("Arguments", {}).get(key) or []
                yield from _flatten(inner, f"{here}.Arguments.{key}", (step["Name"], outcome))


def _parameter(entry: dict[str, Any]) -> Parameter:
    if entry.get("Type") not in PARAMETER_TYPES:
        raise invalid(f"The parameter {entry.get('Name')} has the unknown type {entry.get('Type')!r}.")
    return Parameter(entry["Name"], entry["Type"], entry.get("DefaultValue"), tuple(entry.get("EnumValues") or ()))


def _step(raw: dict[str, Any]) -> Step:
    arguments = {
        name: value for name, value in raw.get("Arguments", {}).items() if name not in ("IfSteps", "ElseSteps")
    }
    waits_for = {path.split(".")[1] for path in references(arguments) if path.startswith("Steps.")}
    waits_for |= {entry if isinstance(entry, str) else entry["Step"] for entry in raw.get("DependsOn") or []}
    if raw["Branch"]:
        waits_for.add(raw["Branch"][0])
    return Step(raw["Name"], raw["Type"], arguments, frozenset(waits_for), raw["Branch"], raw)


def _malformed(place: str, step: dict[str, Any]) -> str | None:
    missing = [name for name in ("Name", "Type") if not isinstance(step.get(name), str)]
    return f"{place} has no {' and no '.join(missing)}" if missing else None


def _duplicates(names: list[Any]) -> list[str]:
    return [f"Step names must be unique: {name} is used twice" for name in {n for n in names if names.count(n) > 1}]


def _unknown_references(definition: Definition) -> Iterator[str]:
    for step in definition.steps.values():
        for name in sorted(step.waits_for - set(definition.steps)):
            yield f"{step.name}: {name!r} is not a step.{_suggestion(name, definition.steps)}"
        for path in references(step.arguments):
            kind, _, name = path.partition(".")
            if kind == "Parameters" and name not in definition.parameters:
                yield f"{step.name}: {name!r} is not a parameter.{_suggestion(name, definition.parameters)}"


def _refuse_cycles(definition: Definition) -> None:
    try:
        TopologicalSorter({step.name: step.waits_for for step in definition.steps.values()}).prepare()
    except CycleError as error:
        raise invalid(f"The steps wait for each other: {' -> '.join(error.args[1])}.") from None


def _suggestion(name: str, known: dict[str, Any]) -> str:
    close = get_close_matches(name, known, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
