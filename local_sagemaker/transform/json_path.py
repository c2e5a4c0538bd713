"""The JSONPath of DataProcessing's filters: the operators that SageMaker documents, and no others.

`$`, `.name`, `['name', 'other']`, `*`, `[0, -1]`, `[1:3]`, and indices mixed with slices as in `$[0,5:]`.
https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html#data-processing-operators
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

STEP = re.compile(r"\.?\[(?P<inside>(?:'[^']*'|\"[^\"]*\"|[^\]'\"])*)\]|\.(?P<name>[^.\[\]'\"*\s]+|\*)")
NAMES = re.compile(r"\s*(?:'([^']*)'|\"([^\"]*)\")\s*(?:,|$)")
INDEX = re.compile(r"-?\d+")
SLICE = re.compile(r"(-?\d+)?:(-?\d+)?")


class InvalidPath(ValueError):
    """The text is not such a JSONPath."""


class NotThere(LookupError):
    """The value does not have what the path selects."""


@dataclass(frozen=True)
class JSONPath:
    """A parsed path; `text` is what it was parsed from."""

    text: str
    steps: tuple[Callable[[Any], Any], ...]

    @classmethod
    def parse(cls, text: str) -> "JSONPath":
        """InvalidPath names the place that is not understood."""
        if not text.startswith("$"):
            raise InvalidPath(f"The JSONPath {text!r} does not begin with $.")
        steps: list[Callable[[Any], Any]] = []
        position = 1
        while position < len(text):
            found = STEP.match(text, position)
            if found is None:
                raise InvalidPath(f"The JSONPath {text!r} is not supported from {text[position:]!r} on.")
            name = found["name"]
            steps.append(
                _bracket(found["inside"], text) if name is None else _everything if name == "*" else _child(name)
            )
            position = found.end()
        return cls(text, tuple(steps))

    @property
    def selects_all(self) -> bool:
        """Whether it is `$`."""
        return not self.steps

    def select(self, value: Any) -> Any:
        """What the path selects: several names are an object, several elements an array. NotThere where they lack."""
        for step in self.steps:
            value = step(value)
        return value


def _bracket(inside: str, text: str) -> Callable[[Any], Any]:
    inside = inside.strip()
    if inside == "*":
        return _everything
    if inside[:1] in ("'", '"'):
        names, position = [], 0
        while position < len(inside):
            found = NAMES.match(inside, position)
            if found is None:
                raise InvalidPath(f"The JSONPath {text!r} is not supported: [{inside}] is not a list of names.")
            names.append(found[1] if found[1] is not None else found[2])
            position = found.end()
        return _child(names[0]) if len(names) == 1 else _children(names)
    parts = [part.strip() for part in inside.split(",")]
    if len(parts) == 1 and INDEX.fullmatch(parts[0]):
        return _element(int(parts[0]))
    selectors = []
    for part in parts:
        if INDEX.fullmatch(part):
            selectors.append(_one(int(part)))
        elif found := SLICE.fullmatch(part):
            selectors.append(_several(*(int(limit) if limit else None for limit in found.groups())))
        else:
            raise InvalidPath(f"The JSONPath {text!r} is not supported: [{inside}].")
    return lambda value: [element for select in selectors for element in select(_array(value))]


def _child(name: str) -> Callable[[Any], Any]:
    def select(value: Any) -> Any:
        if not isinstance(value, dict) or name not in value:
            raise NotThere(f"there is no {name!r}")
        return value[name]

    return select


def _children(names: list[str]) -> Callable[[Any], Any]:
    return lambda value: {name: _child(name)(value) for name in names}


def _element(index: int) -> Callable[[Any], Any]:
    return lambda value: _one(index)(_array(value))[0]


def _one(index: int) -> Callable[[list[Any]], list[Any]]:
    def select(array: list[Any]) -> list[Any]:
        if not -len(array) <= index < len(array):
            raise NotThere(f"there is no element {index} among {len(array)}")
        return [array[index]]

    return select


def _several(start: int | None = None, end: int | None = None) -> Callable[[list[Any]], list[Any]]:
    return lambda array: array[start:end]


def _everything(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else list(_array(value))


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise NotThere("it is not an array")
    return value
