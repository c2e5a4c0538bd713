"""A value held against a shape of AWS's model: the one walker for requests and for the Arguments of definitions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from botocore.model import ListShape, MapShape, Shape, StructureShape

from local_sagemaker.wire.model import compiled_pattern

SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (str, int, float),
    "blob": (str, bytes),
}
CONTAINERS = {"structure": "a structure", "list": "a list", "map": "a map"}
Rule = Literal["type", "missing", "union", "unknown", "least", "most", "pattern", "choice"]


@dataclass(frozen=True)
class MapKey:
    """An entry of a map, on the way to a value."""

    key: str


Path = tuple[str | int | MapKey, ...]


@dataclass(frozen=True)
class Broken:
    """A rule that a value breaks.

    `path` leads to it. `name` is the member that is missing or unknown, `limit` the number that a length, a count or a
    value is beyond.
    """

    rule: Rule
    path: Path
    value: Any
    shape: Shape
    name: str = ""
    limit: float = 0

    @property
    def size(self) -> float:
        """What is beyond the limit: characters of a text, entries, or a number itself."""
        return len(self.value) if isinstance(self.value, str | list | dict) else float(self.value)

    @property
    def wanted(self) -> str:
        """What a value of another type should have been."""
        return CONTAINERS.get(self.shape.type_name, f"of type {self.shape.type_name}")


Aside = Callable[[Any, Shape, Path], bool]


def nothing_aside(_value: Any, _shape: Shape, _path: Path) -> bool:
    """Every value is held against its shape."""
    return False


def broken_rules(
    value: Any, shape: Shape, path: Path = (), aside: Aside = nothing_aside, given: frozenset[str] = frozenset()
) -> Iterator[Broken]:
    """Every rule that a value breaks; what `aside` takes is not looked at, members in `given` need not be there."""
    if aside(value, shape, path):
        return
    if isinstance(shape, StructureShape):
        yield from _structure(value, shape, path, aside, given)
    elif isinstance(shape, ListShape):
        yield from _list(value, shape, path, aside)
    elif isinstance(shape, MapShape):
        yield from _map(value, shape, path, aside)
    else:
        yield from _scalar(value, shape, path)


def _structure(value: Any, shape: StructureShape, path: Path, aside: Aside, given: frozenset[str]) -> Iterator[Broken]:
    if not isinstance(value, dict):
        yield Broken("type", path, value, shape)
        return
    for name in shape.required_members:
        if name not in value and name not in given:
            yield Broken("missing", path, value, shape, name)
    if shape.is_tagged_union and len(value) != 1:
        yield Broken("union", path, value, shape)
    for name, item in value.items():
        if name in shape.members:
            yield from broken_rules(item, shape.members[name], (*path, name), aside)
        else:
            yield Broken("unknown", (*path, name), item, shape, name)


def _list(value: Any, shape: ListShape, path: Path, aside: Aside) -> Iterator[Broken]:
    if not isinstance(value, list):
        yield Broken("type", path, value, shape)
        return
    yield from _size(value, shape, path)
    for index, item in enumerate(value):
        yield from broken_rules(item, shape.member, (*path, index), aside)


def _map(value: Any, shape: MapShape, path: Path, aside: Aside) -> Iterator[Broken]:
    if not isinstance(value, dict):
        yield Broken("type", path, value, shape)
        return
    yield from _size(value, shape, path)
    for name, item in value.items():
        yield from _scalar(name, shape.key, (*path, MapKey(str(name))))
        yield from broken_rules(item, shape.value, (*path, MapKey(str(name))), aside)


def _scalar(value: Any, shape: Shape, path: Path) -> Iterator[Broken]:
    wanted = SCALARS.get(shape.type_name)
    if wanted is None:
        return
    fits = isinstance(value, wanted) and isinstance(value, bool) is (shape.type_name == "boolean")
    if not fits:
        yield Broken("type", path, value, shape)
    elif shape.type_name == "string":
        yield from _text(value, shape, path)
    elif shape.type_name not in ("boolean", "timestamp", "blob"):
        yield from _within(value, value, shape, path)


def _text(value: str, shape: Shape, path: Path) -> Iterator[Broken]:
    if getattr(shape, "enum", None):
        if value not in shape.enum:
            yield Broken("choice", path, value, shape)
        return
    broken = list(_size(value, shape, path))
    yield from broken
    pattern = compiled_pattern(shape.metadata.get("pattern"))
    if pattern is not None and not broken and not pattern.fullmatch(value):
        yield Broken("pattern", path, value, shape, pattern.pattern)


def _size(value: Any, shape: Shape, path: Path) -> Iterator[Broken]:
    yield from _within(len(value), value, shape, path)


def _within(size: float, value: Any, shape: Shape, path: Path) -> Iterator[Broken]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield Broken("least", path, value, shape, limit=least)
    if most is not None and size > most:
        yield Broken("most", path, value, shape, limit=most)
