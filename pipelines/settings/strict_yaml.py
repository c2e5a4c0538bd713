"""YAML in which no key stands twice: PyYAML itself keeps the last one without a word."""

from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's parser where the wheel has it: ten times as fast


def read_yaml(text: str) -> Any:
    """The document; yaml.YAMLError where it is not YAML, ValueError that names each key that stands twice."""
    loader = Loader(text)
    try:
        root = loader.get_single_node()
        doubled = list(_doubled(root, "")) if root is not None else []
        if doubled:
            raise ValueError("; ".join(doubled))
        return loader.construct_document(root) if root is not None else None
    finally:
        loader.dispose()


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
