"""Whether everything that the jobs read and write in S3 lies under the project's own prefix."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.checks.fault import Fault
from pipelines.document.cache_forecast import defaults, resolved
from pipelines.document.walk import Step, parameters, steps

SCHEME = "s3://"


def location_faults(definition: Mapping[str, Any], bucket: str, prefix: str) -> Iterator[Fault]:
    """URIs outside s3://bucket/prefix/: the role of the jobs may not reach them, or another project owns them."""
    own, known = f"{SCHEME}{bucket}/{prefix}/", defaults(definition)
    for path, entry in parameters(definition):
        default = entry.get("DefaultValue")
        if isinstance(default, str) and _is_elsewhere(default, own):
            yield Fault(None, f"{path}.DefaultValue", f"{default} is not under {own}", _fix(own))
    for step in steps(definition):
        yield from _inside(step, step.arguments, f"{step.path}.Arguments", own, known)


def _inside(step: Step, value: Any, path: str, own: str, known: Mapping[str, Any]) -> Iterator[Fault]:
    if isinstance(value, Mapping) and "Get" in value:
        return  # a parameter, which is looked at by itself, or what another step wrote
    text = _beginning(value, known)
    if text is not None:
        if _is_elsewhere(text, own):
            yield Fault(step.name, path, f"{text} is not under {own}", _fix(own))
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _inside(step, item, f"{path}.{name}", own, known)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _inside(step, item, f"{path}[{index}]", own, known)


def _beginning(value: Any, known: Mapping[str, Any]) -> str | None:
    """A text, or what a join begins with as far as it is known; None for what is neither."""
    if isinstance(value, str):
        return value
    if not (isinstance(value, Mapping) and isinstance(value.get("Std:Join"), Mapping)):
        return None
    join, parts = value["Std:Join"], []
    for part in join["Values"] if isinstance(join.get("Values"), list) else ():
        part = resolved(part, known)
        if isinstance(part, (Mapping, list)):
            parts.append("")  # the separator before it is part of the beginning
            break
        parts.append(str(part))
    return str(join.get("On", "")).join(parts)


def _is_elsewhere(text: str, own: str) -> bool:
    return text.startswith(SCHEME) and not f"{text}/".startswith(own)


def _fix(own: str) -> str:
    return f"put it under {own}, or let the role reach it and name it as the value of a parameter"
