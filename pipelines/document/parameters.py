"""Values for a pipeline's parameters, checked against its definition before anything starts."""

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pipelines.errors import PipelineError

INTEGER = re.compile(r"[+-]?[0-9]+")
BOOLEANS = ("true", "false")


def parse_parameter(text: str) -> tuple[str, str]:
    """Split NAME=VALUE at the first equals sign; the value may be empty and may hold more of them.

    Raises PipelineError where there is no name or no equals sign.
    """
    name, equals, value = text.partition("=")
    if not name.strip() or not equals:
        raise PipelineError(f"The parameter {text!r} is not NAME=VALUE, as in -p TrainingInstanceCount=1.")
    return name.strip(), value


def parse_parameters(texts: Iterable[str]) -> dict[str, str]:
    """Several NAME=VALUE; PipelineError where a name is given twice."""
    parameters: dict[str, str] = {}
    for name, value in map(parse_parameter, texts):
        if name in parameters:
            raise PipelineError(f"The parameter {name} is given twice ({parameters[name]!r}, {value!r}): give it once.")
        parameters[name] = value
    return parameters


def check_parameters(declared: Iterable[Mapping[str, Any]], given: Mapping[str, str], pipeline: str) -> None:
    """Raise PipelineError unless every given value is of a declared parameter and of its type.

    `declared` is the "Parameters" list of a pipeline definition: Name, Type (String, Integer, Float or
    Boolean), DefaultValue and EnumValues. A parameter without a default must be given.
    """
    by_name = {parameter["Name"]: parameter for parameter in declared}
    for name, value in given.items():
        if name not in by_name:
            raise PipelineError(_unknown(name, sorted(by_name), pipeline))
        _check_value(by_name[name], value)
    missing = [name for name, entry in by_name.items() if "DefaultValue" not in entry and name not in given]
    if missing:
        raise PipelineError(
            f"Pipeline {pipeline} needs a value for {' and '.join(missing)}, which has no default: "
            f"add -p {missing[0]}=VALUE."
        )


def _check_value(parameter: Mapping[str, Any], value: str) -> None:
    name, wanted = parameter["Name"], parameter.get("Type", "String")
    if not _is_of_type(value, wanted):
        example = {"Integer": "3", "Float": "0.25", "Boolean": "true"}[wanted]
        article = "an" if wanted == "Integer" else "a"
        raise PipelineError(
            f"Parameter {name} is {article} {wanted} and {value!r} is not: give a value such as {example}."
        )
    allowed = [str(choice) for choice in parameter.get("EnumValues") or []]
    if allowed and value not in allowed:
        raise PipelineError(f"Parameter {name} cannot be {value!r}: give one of {', '.join(allowed)}.")


def _is_of_type(value: str, wanted: str) -> bool:
    if wanted == "Integer":
        return INTEGER.fullmatch(value) is not None
    if wanted == "Boolean":
        return value.lower() in BOOLEANS
    if wanted == "Float":
        try:
            return math.isfinite(float(value)) and "_" not in value
        except ValueError:
            return False
    return True


def close_match(name: str, known: Iterable[str]) -> str:
    """`did you mean X? `, where one of the known names is close; else nothing."""
    lowered = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return f"did you mean {lowered[close[0]]}? " if close else ""


def _unknown(name: str, known: list[str], pipeline: str) -> str:
    return (
        f"Pipeline {pipeline} has no parameter {name}: {close_match(name, known)}"
        f"it has {', '.join(known) or 'no parameters'}."
    )
