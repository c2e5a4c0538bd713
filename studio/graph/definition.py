"""A pipeline's definition as steps and arrows."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

REFERENCE = re.compile(r"^Steps\.([^.\[]+)")


@dataclass(frozen=True)
class Step:
    """One step: its name, type and document. `parent` is the step in whose branch it stands."""

    name: str
    kind: str
    document: Mapping[str, Any]
    parent: str | None = None

    @property
    def title(self) -> str:
        """What a person calls it."""
        return str(self.document.get("DisplayName") or self.name)

    @property
    def cached(self) -> bool:
        """Whether the step may use an earlier result."""
        return bool(self.document.get("CacheConfig", {}).get("Enabled"))


@dataclass(frozen=True)
class Edge:
    """An arrow from a step to one that comes after it; `label` names the branch of a condition."""

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True)
class Definition:
    """What is known of a pipeline by its definition."""

    parameters: tuple[Mapping[str, Any], ...] = ()
    steps: tuple[Step, ...] = ()
    edges: tuple[Edge, ...] = ()
    by_name: Mapping[str, Step] = field(default_factory=dict)


def read_definition(text: str) -> Definition:
    """Parse a definition; what cannot be read is left out, for the service has accepted it."""
    try:
        document = json.loads(text)
    except ValueError:
        return Definition()
    if not isinstance(document, Mapping):
        return Definition()
    steps = tuple(_walk(document.get("Steps", []), None))
    by_name = {step.name: step for step in steps}
    edges: dict[tuple[str, str], Edge] = {}
    for step in steps:
        for branch, name in _branches(step):
            edges[step.name, name] = Edge(step.name, name, branch)
    for step in steps:
        inner = {each.name for each in steps if each.parent == step.name}
        for source in _sources(step):
            if source in by_name and source != step.name and source not in inner:
                edges.setdefault((source, step.name), Edge(source, step.name))
    return Definition(tuple(document.get("Parameters", [])), steps, tuple(edges.values()), by_name)


def _walk(steps: Any, parent: str | None) -> Iterator[Step]:
    for document in steps if isinstance(steps, list) else []:
        if isinstance(document, Mapping) and "Name" in document:
            step = Step(str(document["Name"]), str(document.get("Type", "")), document, parent)
            yield step
            arguments = document.get("Arguments")
            for branch in ("IfSteps", "ElseSteps", "Steps"):
                if isinstance(arguments, Mapping):
                    yield from _walk(arguments.get(branch), step.name)


def _branches(step: Step) -> Iterator[tuple[str, str]]:
    arguments = step.document.get("Arguments")
    if not isinstance(arguments, Mapping):
        return
    for key, label in (("IfSteps", "yes"), ("ElseSteps", "no"), ("Steps", "")):
        for entry in arguments.get(key) or []:
            if isinstance(entry, Mapping) and "Name" in entry:
                yield label, str(entry["Name"])


def _sources(step: Step) -> Iterator[str]:
    for entry in step.document.get("DependsOn") or []:
        yield str(entry.get("Step") if isinstance(entry, Mapping) else entry)
    arguments = step.document.get("Arguments")
    inner = ("IfSteps", "ElseSteps", "Steps")
    if step.kind in ("Condition", "ForEach") and isinstance(arguments, Mapping):
        arguments = {key: value for key, value in arguments.items() if key not in inner}
    yield from _references(arguments)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        reference = value.get("Get")
        match = REFERENCE.match(reference) if isinstance(reference, str) else None
        if match:
            yield match.group(1)
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
