"""A pipeline definition, parsed into steps that know what they wait for."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from local_sagemaker.definition.check import refusals
from local_sagemaker.definition.expressions import references
from local_sagemaker.definition.outline import INNER_STEPS
from local_sagemaker.definition.parameters import Parameter, values
from local_sagemaker.errors import invalid

INNER = tuple(chain(*INNER_STEPS.values()))  # the arguments that hold steps


@dataclass(frozen=True)
class Step:
    """One step; `branch` names the condition step above it and the outcome under which it runs.

    `triggers` are those of the steps in `waits_for` whose DependsOn entry has one; `body` is that of a ForEach step.
    """

    name: str
    type: str
    arguments: dict[str, Any]
    waits_for: frozenset[str]
    branch: tuple[str, bool] | None
    raw: dict[str, Any] = field(repr=False)
    triggers: dict[str, str] = field(default_factory=dict)
    body: tuple["Step", ...] = ()

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
        return values(self.parameters, given)


def parse(text: str) -> Definition:
    """The definition in a JSON text; one ValidationException names every fault with the path to it."""
    faults = refusals(text)
    if faults:
        raise invalid(f"The pipeline definition has {len(faults)} fault(s): {'; '.join(map(str, faults))}")
    raw = json.loads(text)
    parameters = {entry["Name"]: _parameter(entry) for entry in raw.get("Parameters") or []}
    return Definition(parameters, {step["Name"]: _step(step) for step in _flatten(raw["Steps"], None)})


def _flatten(steps: list[dict[str, Any]], branch: tuple[str, bool] | None) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield {**step, "Branch": branch}
        if step["Type"] == "Condition":
            for key, outcome in (("IfSteps", True), ("ElseSteps", False)):
                yield from _flatten(step["Arguments"].get(key) or [], (step["Name"], outcome))


def _parameter(entry: dict[str, Any]) -> Parameter:
    return Parameter(entry["Name"], entry["Type"], entry.get("DefaultValue"), tuple(entry.get("EnumValues") or ()))


def _step(raw: dict[str, Any]) -> Step:
    arguments = {name: value for name, value in (raw.get("Arguments") or {}).items() if name not in INNER}
    waits_for = {path.split(".")[1] for path in references(arguments) if path.startswith("Steps.")}
    triggers = {}
    for entry in raw.get("DependsOn") or []:
        name = entry if isinstance(entry, str) else entry["Step"]
        waits_for.add(name)
        if isinstance(entry, dict) and "Trigger" in entry:
            triggers[name] = entry["Trigger"]
    if raw["Branch"]:
        waits_for.add(raw["Branch"][0])
    body: tuple[Step, ...] = ()
    if raw["Type"] == "ForEach":
        body = tuple(_step({**inner, "Branch": None}) for inner in raw["Arguments"]["ForEachBody"])
        waits_for = waits_for.union(*(inner.waits_for for inner in body)) - {inner.name for inner in body}
    return Step(raw["Name"], raw["Type"], arguments, frozenset(waits_for), raw["Branch"], raw, triggers, body)
