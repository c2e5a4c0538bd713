"""The output parameters of Lambda and Callback steps: declared by name and type, given by a function or a client."""

from collections.abc import Mapping
from typing import Any

from local_sagemaker.definition.expressions import as_text
from local_sagemaker.definition.parameters import PARAMETER_TYPES, typed

LONGEST_VALUE = 1024  # characters


def declared_type(step: Mapping[str, Any], name: str) -> str | None:
    """The OutputType of an output parameter (String where it has none), or None where the step declares none."""
    for entry in step.get("OutputParameters") or []:
        if entry["OutputName"] == name:
            return str(entry.get("OutputType", "String"))
    return None


def output_values(step: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every declared output parameter with its typed value; ValueError names the one that is missing or wrong."""
    values = {}
    for entry in step.get("OutputParameters") or []:
        name, kind = entry["OutputName"], entry.get("OutputType", "String")
        if name not in given:
            raise ValueError(f"The output parameter {name} is missing")
        values[name] = typed_output(name, given[name], kind)
    return values


def typed_output(name: str, given: Any, kind: str) -> Any:
    """The value of one output parameter; ValueError where it is not of the declared type."""
    value = typed(as_text(given), kind) if kind in PARAMETER_TYPES else given
    if value is None:
        raise ValueError(f"The output parameter {name} is of type {kind}; {given!r} is not")
    return value


def described(values: Mapping[str, Any]) -> list[dict[str, str]]:
    """The shape OutputParameterList of the API, in which every value is a text of at most LONGEST_VALUE."""
    return [{"Name": name, "Value": as_text(value)[:LONGEST_VALUE]} for name, value in values.items()]
