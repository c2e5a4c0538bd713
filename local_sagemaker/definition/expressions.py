"""The expressions of a pipeline definition: Get, Std:Join, Std:JsonGet, and the paths that they walk."""

import json
import re
from collections.abc import Iterator
from typing import Any, Protocol

TOKEN = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]|\[['\"]([^'\"]*)['\"]\]")
NAMED_LISTS = ("OutputName", "InputName", "ChannelName", "MetricName", "Key", "Name")


class ExpressionError(ValueError):
    """An expression that has no value; the text says which and why."""


class Scope(Protocol):
    """What the references of one execution stand for; ExpressionError where one has no value."""

    def parameter(self, name: str) -> Any:
        """The value of Parameters.NAME."""

    def variable(self, name: str) -> Any:
        """The value of Execution.NAME."""

    def experiment(self, field: str) -> Any:
        """The value of PipelineExperimentConfig.FIELD."""

    def properties(self, step: str) -> dict[str, Any]:
        """The Describe response of the work of a step that has ended."""

    def property_file(self, step: str, name: str) -> str:
        """The text of a property file of a step that has ended."""

    def object(self, uri: str) -> str:
        """The text of an object of S3."""

    def item(self) -> Any:
        """The value of ForEach.CurrentItem."""


def evaluate(value: Any, scope: Scope) -> Any:
    """The value with every expression in it resolved; ExpressionError where one cannot be."""
    if isinstance(value, list):
        return [evaluate(item, scope) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Get"}:
        return _get(value["Get"], scope)
    if set(value) == {"Std:Join"}:
        join = value["Std:Join"]
        return join.get("On", "").join(as_text(evaluate(item, scope)) for item in join["Values"])
    if set(value) == {"Std:JsonGet"}:
        return _json_get(value["Std:JsonGet"], scope)
    return {name: evaluate(item, scope) for name, item in value.items()}


def is_expression(value: Any) -> bool:
    """Whether a value is an expression, to be resolved when a step runs."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("Get", "Std:Join", "Std:JsonGet")


def references(value: Any) -> Iterator[str]:
    """Every Get path in a value, `Steps.Train.ModelArtifacts` and the like."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        if set(value) == {"Get"} and isinstance(value["Get"], str):
            yield value["Get"]
        else:
            for item in value.values():
                yield from references(item)


def walk(document: Any, path: str) -> Any:
    """Follow a path such as `Outputs['train'].S3Output.S3Uri` or `a.b[0]`; KeyError names what is missing.

    A text in brackets picks an entry of a map, or of a list of named things (an output by its OutputName).
    """
    for token in tokens(path):
        document = _step_into(document, token)
    return document


def tokens(path: str) -> list[str | int]:
    """The parts of a path; ValueError where it is not one."""
    parts: list[str | int] = []
    position = 0
    while position < len(path):
        match = TOKEN.match(path, position)
        if match is None:
            raise ValueError(f"{path!r} is not a path.")
        name, index, key = match.groups()
        parts.append(int(index) if index is not None else name if name is not None else key)
        position = match.end()
    return parts


def is_path(text: str) -> bool:
    """Whether a text can be read as a path of one part or more."""
    try:
        return bool(tokens(text))
    except ValueError:
        return False


def as_text(value: Any) -> str:
    """A value as Std:Join writes it."""
    return value if isinstance(value, str) else json.dumps(value)


def _step_into(document: Any, token: str | int) -> Any:
    if isinstance(document, list) and isinstance(token, str):
        for entry in document:
            if any(isinstance(entry, dict) and entry.get(name) == token for name in NAMED_LISTS):
                return entry
        raise KeyError(token)
    try:
        return document[token]
    except (KeyError, IndexError, TypeError):
        raise KeyError(token) from None


def _get(path: str, scope: Scope) -> Any:
    kind, _, rest = path.partition(".")
    if kind == "Parameters":
        return scope.parameter(rest)
    if kind == "Execution":
        return scope.variable(rest)
    if kind == "PipelineExperimentConfig":
        return scope.experiment(rest)
    if kind == "ForEach":
        return _current_item(path, scope.item())
    if kind != "Steps":
        raise ExpressionError(f"{path} is not a reference: it must start with Parameters, Execution or Steps.")
    step, _, inner = rest.partition(".")
    try:
        return walk(scope.properties(step), inner)
    except KeyError as missing:
        raise ExpressionError(f"{path}: step {step} has no property {missing}.") from None
    except ExpressionError:
        raise
    except ValueError as error:
        raise ExpressionError(f"{path}: {error}") from None


def _current_item(path: str, item: Any) -> Any:
    """ForEach.CurrentItem is the item as it is; what is below it, a field of an item that is an object, or JSON."""
    if path == "ForEach.CurrentItem":
        return item
    try:
        return walk({"CurrentItem": json.loads(item) if isinstance(item, str) else item}, path.partition(".")[2])
    except KeyError as missing:
        raise ExpressionError(f"{path}: the item {str(item)[:60]!r} has no {missing}.") from None
    except ValueError as error:
        raise ExpressionError(f"{path}: the item {str(item)[:60]!r} is not JSON: {error}.") from None


def _json_get(arguments: dict[str, Any], scope: Scope) -> Any:
    path = arguments["Path"]
    if "PropertyFile" in arguments:
        _, step, _, name = arguments["PropertyFile"]["Get"].split(".", 3)
        source, text = f"property file {name} of step {step}", scope.property_file(step, name)
    else:
        source = str(evaluate(arguments["S3Uri"], scope))
        text = scope.object(source)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExpressionError(f"The {source} is not JSON: {error}") from None
    try:
        return walk(document, path)
    except KeyError as missing:
        raise ExpressionError(f"The {source} has no {missing} at {path}.") from None
    except ValueError as error:
        raise ExpressionError(f"Std:JsonGet of the {source}: {error}") from None
