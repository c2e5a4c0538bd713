"""Names in requests: what the service would refuse is refused before anything is stored or made of it."""

from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from local_sagemaker.errors import invalid
from local_sagemaker.wire.model import compiled_pattern

# What only finds or ends something may name what an older version has let in.
UNCHECKED = ("BatchDescribe", "Delete", "Describe", "Get", "List", "Query", "Search", "Stop")


def check_names(operation: str, request: dict[str, Any], shape: Shape | None) -> None:
    """Raise ValidationException where a field called ...Name, however deep, is not of the pattern of its shape.

    The words are the service's: https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
    """
    if operation.startswith(UNCHECKED) or shape is None:
        return
    faults = list(_faults(request, shape, "", ""))
    if faults:
        count = f"{len(faults)} validation error{'s' if len(faults) > 1 else ''} detected"
        raise invalid(f"{count}: {'; '.join(faults)}")


def _faults(value: Any, shape: Shape, path: str, name: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for member, item in value.items():
            if member in shape.members:
                inner = f"{path}.{member[0].lower()}{member[1:]}" if path else f"{member[0].lower()}{member[1:]}"
                yield from _faults(item, shape.members[member], inner, member)
    elif isinstance(shape, ListShape):
        for number, item in enumerate(value, start=1):
            yield from _faults(item, shape.member, f"{path}.{number}.member", name)
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from _faults(item, shape.value, f"{path}.{key}.member", key)
    elif isinstance(shape, StringShape) and name.endswith("Name"):
        constraint = _broken(value, shape)
        if constraint is not None:
            yield f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {constraint}"


def _broken(name: str, shape: StringShape) -> str | None:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    if len(name) < least:
        return f"have length greater than or equal to {least}"
    if most is not None and len(name) > most:
        return f"have length less than or equal to {most}"
    pattern = compiled_pattern(shape.metadata.get("pattern"))
    if pattern is not None and not pattern.fullmatch(name):
        return f"satisfy regular expression pattern: {pattern.pattern}"
    return None
