"""The parameters of a pipeline: their types, their defaults, and the values that an execution gives them."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.definition.faults import did_you_mean
from local_sagemaker.errors import ServiceError, invalid

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
        value = typed(text, self.type)
        if value is None:
            raise invalid(f"The parameter {self.name} is of type {self.type}; {text!r} is not.")
        if self.allowed and value not in self.allowed:
            allowed = ", ".join(str(item) for item in self.allowed)
            raise invalid(f"The parameter {self.name} must be one of {allowed}; got {text!r}.")
        return value


def typed(text: str, kind: str) -> Any:
    """The value of a text as one of PARAMETER_TYPES, or None where it has none of that type."""
    try:
        value = text if kind == "String" else json.loads(text.lower() if kind == "Boolean" else text)
    except ValueError:  # also a number of more digits than Python reads
        return None
    return value if fits(value, kind) else None


def fits(value: Any, kind: str) -> bool:
    """Whether a value is of one of PARAMETER_TYPES; true, false and NaN are not numbers."""
    if not isinstance(value, PARAMETER_TYPES[kind]) or isinstance(value, bool) is not (kind == "Boolean"):
        return False
    return not isinstance(value, float) or math.isfinite(value)


def values(parameters: Mapping[str, Parameter], given: Mapping[str, str]) -> dict[str, Any]:
    """The value of every parameter of an execution; one ValidationException names all that is unknown or wrong."""
    faults = [f"Unknown parameter {name!r}{did_you_mean(name, parameters)}" for name in given if name not in parameters]
    found = {}
    for name, parameter in parameters.items():
        try:
            found[name] = parameter.parse(given[name]) if name in given else _default(parameter)
        except ServiceError as error:
            faults.append(error.message.removesuffix("."))
    if faults:
        raise invalid("; ".join(faults))
    return found


def _default(parameter: Parameter) -> Any:
    if parameter.default is None:
        raise invalid(f"The parameter {parameter.name} has no default: give it a value.")
    return parameter.default
