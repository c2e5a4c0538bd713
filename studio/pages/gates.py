"""The conditions of a pipeline with the values that they compared."""

import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from studio.account.account import Account
from studio.account.attempts import attempts_for
from studio.graph.definition import Definition
from studio.pages.metrics import is_number
from studio.previews.objects import read_json

SIGNS = {
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": "≥",
    "LessThan": "<",
    "LessThanOrEqualTo": "≤",
    "Equals": "=",
}
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
    "Equals": operator.eq,
}
NARROW = 0.02  # of the limit: a gate passed by less than this is marked
PART = re.compile(r"[^.\[\]'\"]+")
UNKNOWN = object()


@dataclass(frozen=True)
class Gate:
    """One condition: both sides as text and as values; `passed` is None where a value is not known here."""

    step: str
    text: str
    sign: str
    left: Any
    right: Any
    passed: bool | None
    usual: Any = None  # the limit where the execution is given no other: the parameter's default

    @property
    def relaxed(self) -> bool:
        """Whether the execution was given a limit that lets more through than the pipeline's own."""
        if not (is_number(self.right) and is_number(self.usual)):
            return False
        lower, higher = self.sign in (">", "≥"), self.sign in ("<", "≤")
        return bool((lower and self.right < self.usual) or (higher and self.right > self.usual))

    @property
    def narrow(self) -> bool:
        """Whether a number passed its limit by less than two percent of it."""
        numbers = all(isinstance(side, (int, float)) and not isinstance(side, bool) for side in (self.left, self.right))
        if not self.passed or not numbers or self.sign == "=":
            return False
        return bool(abs(self.left - self.right) < NARROW * abs(self.right))


def gates_of(
    account: Account, definition: Definition, parameters: Mapping[str, str], files: Mapping[tuple[str, str], str]
) -> list[Gate]:
    """Every condition of every Condition step, evaluated with the property files of the execution."""
    conditions = [(step.name, each) for step in definition.steps if step.kind == "Condition" for each in _all(step)]
    if not conditions:
        return []
    read = attempts_for(files.values(), lambda uri: read_json(account, uri))
    documents = {key: answer.value for key, answer in zip(files, read, strict=True) if answer.ok}
    types = {entry["Name"]: entry.get("Type", "String") for entry in definition.parameters}
    usual = {entry["Name"]: str(entry["DefaultValue"]) for entry in definition.parameters if "DefaultValue" in entry}
    return [
        replace(_gate(step, each, documents, parameters, types), usual=_usual(each, usual, types))
        for step, each in conditions
    ]


def _all(step: Any) -> list[Mapping[str, Any]]:
    found = step.document.get("Arguments", {}).get("Conditions", [])
    return [each for each in found if isinstance(each, Mapping)]


def _gate(
    step: str,
    condition: Mapping[str, Any],
    documents: Mapping[tuple[str, str], Any],
    parameters: Mapping[str, str],
    types: Mapping[str, str],
) -> Gate:
    kind = str(condition.get("Type", ""))
    left, right = condition.get("LeftValue"), condition.get("RightValue")
    if kind not in SIGNS:
        return Gate(
            step, f"{kind} {json.dumps({k: v for k, v in condition.items() if k != 'Type'})}", "", None, None, None
        )
    values = [_value(side, documents, parameters, types) for side in (left, right)]
    known = [None if value is UNKNOWN else value for value in values]
    passed = None if UNKNOWN in values else compare(kind, *values)
    return Gate(step, f"{_name(left)} {SIGNS[kind]} {_name(right)}", SIGNS[kind], known[0], known[1], passed)


def _usual(condition: Mapping[str, Any], defaults: Mapping[str, str], types: Mapping[str, str]) -> Any:
    value = _value(condition.get("RightValue"), {}, defaults, types)
    return None if value is UNKNOWN else value


def compare(kind: str, left: Any, right: Any) -> bool | None:
    """What the service would decide; None where the two cannot be compared."""
    try:
        return bool(COMPARISONS[kind](left, right))
    except TypeError:
        return None


def _name(side: Any) -> str:
    if isinstance(side, Mapping):
        if "Std:JsonGet" in side:
            return str(side["Std:JsonGet"].get("Path", ""))
        if "Get" in side:
            return str(side["Get"]).partition(".")[2]
    return json.dumps(side)


def _value(
    side: Any,
    documents: Mapping[tuple[str, str], Any],
    parameters: Mapping[str, str],
    types: Mapping[str, str],
) -> Any:
    if not isinstance(side, Mapping):
        return side
    reference = str(side.get("Get", ""))
    if reference.startswith("Parameters."):
        name = reference.partition(".")[2]
        return _typed(parameters.get(name), types.get(name, "String"))
    if "Std:JsonGet" in side:
        source = side["Std:JsonGet"]
        file = source.get("PropertyFile")
        match = re.match(
            r"^Steps\.(.+)\.PropertyFiles\.(.+)$", str(file.get("Get")) if isinstance(file, Mapping) else ""
        )
        return _dig(documents.get((match[1], match[2]), UNKNOWN), str(source.get("Path", ""))) if match else UNKNOWN
    return UNKNOWN


def _typed(text: str | None, kind: str) -> Any:
    if text is None:
        return UNKNOWN
    try:
        return {"Integer": int, "Float": float}.get(kind, str)(text)
    except ValueError:
        return UNKNOWN


def _dig(document: Any, path: str) -> Any:
    for part in PART.findall(path):
        if isinstance(document, Mapping) and part in document:
            document = document[part]
        elif isinstance(document, list) and part.isdecimal() and int(part) < len(document):
            document = document[int(part)]
        else:
            return UNKNOWN
    return document
