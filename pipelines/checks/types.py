"""Whether what is compared, and what is filled in, is of one type: gates against parameters, parameters in requests."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.checks.fault import Fault
from pipelines.document.walk import Step, is_expression, parameters, steps, values

NUMBERS = ("Integer", "Float")
ORDERED = ("GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo")
# The parameters that a scalar of a request can be filled from.
FILLS = {
    "string": ("String",),
    "integer": ("Integer",),
    "long": ("Integer",),
    "float": NUMBERS,
    "double": NUMBERS,
    "boolean": ("Boolean",),
}


def type_faults(definition: Mapping[str, Any]) -> Iterator[Fault]:
    """Parameters of the wrong type in requests, and conditions whose two sides can never be compared."""
    declared = {
        entry["Name"]: entry.get("Type") for _, entry in parameters(definition) if isinstance(entry.get("Name"), str)
    }
    for step in steps(definition):
        for found in values(step):
            message = _misfit(found.value, found.shape.type_name, declared) if is_expression(found.value) else None
            if message:
                yield Fault(step.name, found.path, *message)
        if step.type == "Condition":
            yield from _conditions(
                step, step.arguments.get("Conditions"), f"{step.path}.Arguments.Conditions", declared
            )


def _misfit(value: Mapping[str, Any], wanted: str, declared: Mapping[str, Any]) -> tuple[str, str] | None:
    if wanted not in FILLS:
        return None
    if "Std:Join" in value:
        return (
            (f"is a text (Std:Join) and must be {wanted}", "use the parameter itself") if wanted != "string" else None
        )
    name = str(value.get("Get", "")).removeprefix("Parameters.")
    kind = declared.get(name)
    if kind is None or kind in FILLS[wanted]:
        return None
    fix = (
        f"use {name}.to_string() in the pipeline's code"
        if wanted == "string"
        else f"declare {name} as {FILLS[wanted][0]}"
    )
    return f"is filled from the parameter {name} of type {kind} and must be {wanted}", fix


def _conditions(step: Step, entries: Any, path: str, declared: Mapping[str, Any]) -> Iterator[Fault]:
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, Mapping):
            yield from _condition(step, entry, f"{path}[{index}]", declared)


def _condition(step: Step, entry: Mapping[str, Any], path: str, declared: Mapping[str, Any]) -> Iterator[Fault]:
    for inner in ("Expression", "Condition"):
        if isinstance(entry.get(inner), Mapping):
            yield from _condition(step, entry[inner], f"{path}.{inner}", declared)
    yield from _conditions(step, entry.get("Conditions"), f"{path}.Conditions", declared)
    kind = entry.get("Type")
    sides = {side: _type_of(entry.get(side), declared) for side in ("LeftValue", "RightValue")}
    if kind in ORDERED:
        for side, found in sides.items():
            if found not in (*NUMBERS, None):
                message = f"is of type {found}, and {kind} compares numbers"
                yield Fault(step.name, f"{path}.{side}", message, "compare with a number or a Float parameter")
    elif kind == "Equals" and None not in sides.values() and not _comparable(*sides.values()):
        message = f"compares {sides['LeftValue']} with {sides['RightValue']}, which are never equal"
        yield Fault(step.name, path, message, "give both sides one type")
    elif kind == "In":
        query = _type_of(entry.get("QueryValue"), declared)
        for index, value in enumerate(entry["Values"] if isinstance(entry.get("Values"), list) else ()):
            found = _type_of(value, declared)
            if None not in (query, found) and not _comparable(query, found):
                message = f"is of type {found}, and what is looked for is of type {query}"
                yield Fault(step.name, f"{path}.Values[{index}]", message, "give all values one type")


def _comparable(left: str | None, right: str | None) -> bool:
    return left == right or (left in NUMBERS and right in NUMBERS)


def _type_of(value: Any, declared: Mapping[str, Any]) -> str | None:
    """String, Integer, Float, Boolean; None where only an execution knows."""
    if isinstance(value, Mapping):
        if "Std:Join" in value:
            return "String"
        reference = str(value.get("Get", ""))
        kind = declared.get(reference.removeprefix("Parameters.")) if reference.startswith("Parameters.") else None
        return kind if isinstance(kind, str) else None
    names: dict[type, str] = {bool: "Boolean", int: "Integer", float: "Float", str: "String"}
    return names.get(type(value))
