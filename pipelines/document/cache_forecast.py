"""Which steps the next execution can take from the step cache, and which run again because of a change.

SageMaker compares, for each type of step, the attributes listed at
https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-default-keys.html; see document/cache_keys.py.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.document.cache_keys import KEY_ATTRIBUTES
from pipelines.document.differences import by_name, differences
from pipelines.document.walk import steps

FIXED_IN_A_PIPELINE = ("Execution.PipelineName", "Execution.PipelineArn")
RUNS_AGAIN, REUSED, ALWAYS_RUNS = "runs again", "reused", "always runs"
SEGMENT = re.compile(r"\['([^']*)'\]|\[(\d+)\]|([^.\[\]]+)")


@dataclass(frozen=True)
class Forecast:
    """What becomes of one step: `outcome` is runs again, reused or always runs; `reasons` say why."""

    step: str
    outcome: str
    reasons: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The forecast as data for --json."""
        return {"step": self.step, "outcome": self.outcome, "reasons": list(self.reasons)}


def steps_of(definition: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The steps of a definition by name, those of a condition's branches after the condition."""
    return {step.name: dict(step.raw) for step in steps(definition)}


def forecast(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Forecast]:
    """What becomes of each step of the new definition, with the parameters at their defaults.

    It compares the definitions only: that an earlier execution succeeded, and that its result has not
    expired, is for the service to know.
    """
    return _Forecaster(old, new).all()


class _Forecaster:
    def __init__(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self._steps = steps_of(old), steps_of(new)
        self._defaults = defaults(old), defaults(new)
        self._known: dict[str, Forecast] = {}

    def all(self) -> list[Forecast]:
        return [self._of(name) for name in self._steps[1]]

    def _of(self, name: str) -> Forecast:
        if name not in self._known:
            self._known[name] = Forecast(name, REUSED)  # a definition with a circle must not hang us
            self._known[name] = self._decide(name)
        return self._known[name]

    def _decide(self, name: str) -> Forecast:
        old, new = self._steps[0].get(name), self._steps[1][name]
        if new["Type"] not in KEY_ATTRIBUTES or not (new.get("CacheConfig") or {}).get("Enabled"):
            return Forecast(name, ALWAYS_RUNS, ("it has no cache",))
        if old is None or old["Type"] != new["Type"]:
            return Forecast(name, RUNS_AGAIN, ("the step is new",))
        reasons = [*self._own_reasons(old, new), *self._upstream_reasons(new, RUNS_AGAIN)]
        if reasons:
            return Forecast(name, RUNS_AGAIN, tuple(reasons))
        reasons = self._upstream_reasons(new, ALWAYS_RUNS)
        for reference in _references(key_of(new)):
            if reference.startswith("Execution.") and reference not in FIXED_IN_A_PIPELINE:
                reasons.append(f"{reference} differs in each execution")
        return Forecast(name, ALWAYS_RUNS, tuple(reasons)) if reasons else Forecast(name, REUSED)

    def _own_reasons(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        before, after = (
            resolved(key_of(step), values) for step, values in zip((old, new), self._defaults, strict=True)
        )
        referred = [
            name for name in _parameters(key_of(new)) if self._defaults[0].get(name) != self._defaults[1].get(name)
        ]
        reasons = []
        for change in differences(before, after):
            value = _at(key_of(new), change.path)
            because = [name for name in referred if name in _parameters(value)]
            source = f" (default of {', '.join(because)})" if because else ""
            reasons.append(f"{change.path} is {change.action}{source}")
        return reasons

    def _upstream_reasons(self, step: Mapping[str, Any], outcome: str) -> list[str]:
        upstream: list[str] = []
        for reference in _references(key_of(step)):
            kind, _, rest = reference.partition(".")
            name, _, path = rest.partition(".")
            is_new = kind == "Steps" and name in self._steps[1] and name not in upstream
            if is_new and self._of(name).outcome == outcome and not self._is_the_same(name, path):
                upstream.append(name)
        verb = "runs again" if outcome == RUNS_AGAIN else "runs in every execution"
        return [f"its inputs come from {name}, which {verb}" for name in upstream]

    def _is_the_same(self, name: str, path: str) -> bool:
        # An output with a fixed S3 URI keeps it when its step runs again, so those who read it do not notice.
        before, after = (
            resolved(_at(steps.get(name, {}).get("Arguments"), path), values)
            for steps, values in zip(self._steps, self._defaults, strict=True)
        )
        return isinstance(after, str) and before == after


def key_of(step: Mapping[str, Any]) -> dict[str, Any]:
    """What of a step counts; its arguments stand before the fields beside them that have the same name."""
    fields = {**step, **(step.get("Arguments") or {})}
    return {
        name: {part: fields[name][part] for part in parts if part in fields[name]}
        if parts and isinstance(fields[name], Mapping)
        else fields[name]
        for name, parts in KEY_ATTRIBUTES.get(step["Type"], {}).items()
        if name in fields
    }


def defaults(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a definition that have a default, by name."""
    listed = definition.get("Parameters")
    entries = [entry for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []
    named = [entry for entry in entries if isinstance(entry.get("Name"), str)]
    return {entry["Name"]: entry["DefaultValue"] for entry in named if entry.get("DefaultValue") is not None}


def resolved(value: Any, parameters: Mapping[str, Any]) -> Any:
    """A value with `parameters` filled in, and the joins that are then of texts only, joined."""
    if isinstance(value, list):
        return [resolved(entry, parameters) for entry in value]
    if not isinstance(value, Mapping):
        return value
    reference = value.get("Get")
    if isinstance(reference, str) and reference.startswith("Parameters."):
        return parameters.get(reference.removeprefix("Parameters."), value)
    filled = {name: resolved(entry, parameters) for name, entry in value.items()}
    join = filled.get("Std:Join")
    if isinstance(join, Mapping):
        values = join.get("Values")
        if isinstance(values, list) and not any(isinstance(entry, (dict, list)) for entry in values):
            return str(join.get("On", "")).join(str(entry) for entry in values)
    return filled


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("Get"), str):
            yield value["Get"]
        for entry in value.values():
            yield from _references(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _references(entry)


def _parameters(value: Any) -> list[str]:
    kind = "Parameters."
    return list(dict.fromkeys(name.removeprefix(kind) for name in _references(value) if name.startswith(kind)))


def _at(value: Any, path: str) -> Any:
    """What is at a path such as Outputs['train'].S3Output.S3Uri, or the last reference on the way; or None."""
    for name, index, attribute in SEGMENT.findall(path):
        if isinstance(value, list):
            named = by_name(value) or {}
            value = value[int(index)] if index and int(index) < len(value) else named.get(name)
        elif isinstance(value, Mapping):
            if "Get" in value or "Std:Join" in value:
                return value
            value = value.get(name or attribute)
        else:
            return None
    return value
