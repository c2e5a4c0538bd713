"""Requests held against their shapes: what the service would refuse is refused before anything is stored.

The words are the service's: https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from botocore.model import StructureShape

from local_sagemaker.errors import invalid
from local_sagemaker.wire.shapes import Broken, MapKey, Path, broken_rules

# What only finds or ends something may name what an older version has let in.
LENIENT = ("BatchDescribe", "Delete", "Describe", "Get", "List", "Query", "Search", "Stop")
OF_NAMES = ("least", "most", "pattern")
ALWAYS = ("type", "missing", "union", "unknown", "least")
OPEN_ENUMERATIONS = "InstanceType"  # AWS adds types all the time, and this machine has none of them


def check_request(operation: str, request: dict[str, Any], shape: StructureShape | None) -> None:
    """Raise ValidationException where a request is not of its shape; every fault is named."""
    if shape is None:
        return
    lenient = operation.startswith(LENIENT)
    broken = broken_rules(request, shape)
    _refuse([each for each in broken if (each.rule in ALWAYS or not lenient) and not _is_open(each)])


def check_names(operation: str, request: dict[str, Any], shape: StructureShape | None) -> None:
    """The same for the fields called ...Name alone: of a request whose other fields moto reads."""
    if shape is not None and not operation.startswith(LENIENT):
        broken = (each for each in broken_rules(request, shape) if each.rule in OF_NAMES and each.path)
        _refuse([each for each in broken if str(each.path[-1]).endswith("Name")])


def _refuse(broken: list[Broken]) -> None:
    if broken:
        count = f"{len(broken)} validation error{'s' if len(broken) > 1 else ''} detected"
        raise invalid(f"{count}: {'; '.join(map(_told, broken))}")


def _is_open(broken: Broken) -> bool:
    return broken.rule == "choice" and broken.shape.name.endswith(OPEN_ENUMERATIONS)


def _told(broken: Broken) -> str:
    if broken.rule == "unknown":
        close = get_close_matches(broken.name, broken.shape.members, n=1)
        return f"Unknown parameter: '{_dotted(broken.path)}'" + (f"; did you mean {close[0]}?" if close else "")
    if broken.rule == "missing":
        where = _dotted((*broken.path, broken.name))
        return f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
    value = broken.value if isinstance(broken.value, str | int | float) else str(broken.value)
    return (
        f"Value '{value}' at '{_dotted(broken.path)}' failed to satisfy constraint: Member must {_constraint(broken)}"
    )


def _constraint(broken: Broken) -> str:
    what = "length " if isinstance(broken.value, str | list | dict) else "value "
    return {
        "type": f"be {broken.wanted}",
        "union": f"have exactly one of {', '.join(getattr(broken.shape, 'members', ()))}",
        "least": f"have {what}greater than or equal to {broken.limit}",
        "most": f"have {what}less than or equal to {broken.limit}",
        "pattern": f"satisfy regular expression pattern: {broken.name}",
        "choice": f"satisfy enum value set: [{', '.join(getattr(broken.shape, 'enum', ()))}]",
    }[broken.rule]


def _dotted(path: Path) -> str:
    return ".".join(_parts(path))


def _parts(path: Path) -> Iterator[str]:
    for part in path:
        if isinstance(part, MapKey):
            yield from (part.key, "member")
        elif isinstance(part, int):
            yield from (str(part + 1), "member")
        else:
            yield f"{part[:1].lower()}{part[1:]}"
