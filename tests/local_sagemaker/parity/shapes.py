"""What is wrong with a response by its shape in botocore's model of the API."""

from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

NUMBERS = ("float", "double", "timestamp")  # a timestamp is seconds since 1970 in the protocol of SageMaker


def faults(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """Each fault with its path: unknown and missing fields, wrong types, values that are not in an enumeration."""
    if isinstance(shape, StructureShape):
        yield from _structure(value, shape, path)
    elif isinstance(shape, ListShape):
        if isinstance(value, list):
            for number, item in enumerate(value):
                yield from faults(item, shape.member, f"{path}[{number}]")
        else:
            yield f"{path}: {value!r} is not a list"
    elif isinstance(shape, MapShape):
        if isinstance(value, dict):
            for key, item in value.items():
                yield from faults(key, shape.key, f"{path} key")
                yield from faults(item, shape.value, f"{path}[{key}]")
        else:
            yield f"{path}: {value!r} is not a map"
    elif not _is_scalar(value, shape):
        yield f"{path}: {value!r} is not of type {shape.type_name}"
    elif isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is not one of {', '.join(shape.enum)}"


def _structure(value: Any, shape: StructureShape, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is not a structure"
        return
    for name, item in value.items():
        if item is None:
            continue  # not set: left out of the answer
        if name in shape.members:
            yield from faults(item, shape.members[name], f"{path}.{name}")
        else:
            yield f"{path}.{name}: unknown"
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{path}.{name}: missing"


def _is_scalar(value: Any, shape: Shape) -> bool:
    if shape.type_name in ("integer", "long"):
        return isinstance(value, int) and not isinstance(value, bool)
    if shape.type_name in NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, bool if shape.type_name == "boolean" else str)
