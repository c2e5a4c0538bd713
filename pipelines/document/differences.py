"""Where two JSON documents differ, path by path, with the values that look secret kept out of sight."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

NAME_KEYS = ("Name", "InputName", "OutputName", "ChannelName", "Key", "MetricName", "ContainerHostname")
SECRET = re.compile(r"passw|token|secret|key|credential", re.IGNORECASE)
NOT_SECRET = re.compile(r"kms_?key(_?id)?$|^(s3)?key$", re.IGNORECASE)
MASK = "(secret)"


@dataclass(frozen=True)
class Secret:
    """A value that is compared but never shown."""

    value: Any = field(repr=False)


@dataclass(frozen=True)
class Change:
    """One path with its value before and after; None where it is not there."""

    path: str
    old: Any
    new: Any

    @property
    def action(self) -> str:
        """added, removed or changed"""
        return action_of(self.old, self.new)

    def document(self) -> dict[str, Any]:
        """The change as data for --json."""
        return {"path": self.path, "action": self.action, "old": masked(self.old), "new": masked(self.new)}


def action_of(old: Any, new: Any) -> str:
    """What happens to a thing of which there is, or is not (None), one before and one after."""
    return "added" if old is None else "removed" if new is None else "changed"


def differences(old: Any, new: Any, path: str = "") -> list[Change]:
    """The paths at which two documents differ; an attribute that is null is an attribute that is not there.

    The entries of a list that all carry a name (InputName, ChannelName, Key, ...) are matched by it, so that
    one more input is one difference and not one for each input that moved.
    """
    if same(old, new):
        return []
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        pairs: Iterator[tuple[str, Any, Any]] = (
            (f"{path}.{name}" if path else name, old.get(name), new.get(name)) for name in dict.fromkeys([*old, *new])
        )
        return [change for where, left, right in pairs for change in differences(left, right, where)]
    if isinstance(old, list) and isinstance(new, list):
        before, after = by_name(old), by_name(new)
        if before is not None and after is not None:
            named = dict.fromkeys([*before, *after])
            nested = [differences(before.get(n), after.get(n), f"{path}['{n}']") for n in named]
            return [change for changes in nested for change in changes] or [Change(path, old, new)]
        if len(old) == len(new):
            nested = [differences(a, b, f"{path}[{i}]") for i, (a, b) in enumerate(zip(old, new, strict=True))]
            return [change for changes in nested for change in changes]
    return [Change(path, old, new)]


def same(old: Any, new: Any) -> bool:
    """Whether two values are one in JSON, where true is not 1."""
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def by_name(entries: list[Any]) -> dict[str, Any] | None:
    """The entries of a list by their names; None where not all have one of their own."""
    for key in NAME_KEYS:
        if entries and all(isinstance(entry, Mapping) and isinstance(entry.get(key), str) for entry in entries):
            named = {entry[key]: entry for entry in entries}
            return named if len(named) == len(entries) else None
    return None if entries else {}


def conceal(document: Any, secret: bool = False) -> Any:
    """The document with each value whose name looks secret inside a `Secret`; references stay readable."""
    if isinstance(document, Mapping):
        if any(key in document for key in ("Value", "DefaultValue", "value")):
            secret = secret or any(_looks_secret(document.get(key)) for key in ("Name", "Key", "name", "key"))
        return {
            name: value
            if name in ("Get", "On", *NAME_KEYS, "Type") and isinstance(value, str)
            else conceal(value, secret or _looks_secret(name))
            for name, value in document.items()
        }
    if isinstance(document, list):
        return [conceal(entry, secret) for entry in document]
    return Secret(document) if secret and document is not None else document


def masked(document: Any) -> Any:
    """The document as it may be shown."""
    if isinstance(document, Mapping):
        return {name: masked(value) for name, value in document.items()}
    if isinstance(document, list):
        return [masked(entry) for entry in document]
    return MASK if isinstance(document, Secret) else document


def _looks_secret(name: Any) -> bool:
    return isinstance(name, str) and bool(SECRET.search(name)) and not NOT_SECRET.search(name)
