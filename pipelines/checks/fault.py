"""A fault of a compiled definition: the step, the path to it, what is wrong, and what to do."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

PART = re.compile(r"([A-Za-z]+)\[(\d+)\]")


@dataclass(frozen=True)
class Fault:
    """One fault; `step` is None for what belongs to no step, `path` leads there from the top of the definition."""

    step: str | None
    path: str
    message: str
    fix: str

    def document(self) -> dict[str, Any]:
        """The fault as data for --json."""
        return asdict(self)


def step_at(definition: Mapping[str, Any], path: str) -> str | None:
    """The innermost step that a path such as Steps[4].Arguments.IfSteps[0].Arguments.X goes through."""
    value: Any = definition
    found: str | None = None
    for part in path.split("."):
        listed = PART.match(part)
        name = listed[1] if listed else part
        value = value.get(name) if isinstance(value, Mapping) else None
        if listed:
            index = int(listed[2])
            value = value[index] if isinstance(value, list) and index < len(value) else None
            if name.endswith("Steps") and isinstance(value, Mapping) and isinstance(value.get("Name"), str):
                found = value["Name"]
    return found
