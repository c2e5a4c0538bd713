"""YAML in which no key stands twice, which PyYAML itself takes without a word; and in which line a setting stands."""

from collections.abc import Sequence
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's parser where the wheel has it: ten times as fast


class DoubledKeys(ValueError):
    """A sentence that names each key that stands twice, with its lines."""


def read_yaml(text: str) -> Any:
    """The document; yaml.YAMLError where it is not YAML, DoubledKeys, ValueError at a value that is none."""
    loader = Loader(text)
    try:
        root = loader.get_single_node()
        doubled = list(_doubled(root, "")) if root is not None else []
        if doubled:
            raise DoubledKeys("; ".join(doubled))
        return loader.construct_document(root) if root is not None else None
    finally:
        loader.dispose()


def line_of(text: str, place: Sequence[Any]) -> int | None:
    """The line, from 1, of the last key of a place that the document has; None where it has not even the first."""
    loader, line = Loader(text), None
    try:
        node = loader.get_single_node()
        for part in place:
            entries = _entries(node)
            if str(part) not in entries:
                break
            line, node = entries[str(part)]
    finally:
        loader.dispose()
    return line


def _entries(node: Node | None) -> dict[str, tuple[int, Node]]:
    """What a mapping or a list holds, by key or place, each with its line."""
    if isinstance(node, MappingNode):
        return {str(key.value): (key.start_mark.line + 1, value) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return {str(number): (each.start_mark.line + 1, each) for number, each in enumerate(node.value)}
    return {}


def _doubled(node: Node, place: str) -> list[str]:
    """A sentence for each key that a mapping has twice, with both lines."""
    if isinstance(node, SequenceNode):
        return [text for number, each in enumerate(node.value) for text in _doubled(each, f"{place}.{number}")]
    if not isinstance(node, MappingNode):
        return []
    found: list[str] = []
    first: dict[str, int] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, ScalarNode) else str(key.start_mark.line)
        inner = f"{place}.{name}" if place else name
        if name in first:
            lines = f"lines {first[name]} and {key.start_mark.line + 1}"
            found.append(f"{inner} is given twice ({lines}): remove one")
        first.setdefault(name, key.start_mark.line + 1)
        found += _doubled(value, inner)
    return found
