"""The fields beside a step's Arguments: whether each is well formed, whatever the step is.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-caching.html and pipelines-retry-policy.html
"""

from collections.abc import Iterator
from typing import Any

from local_sagemaker.definition.durations import seconds
from local_sagemaker.definition.expressions import is_expression
from local_sagemaker.definition.faults import Fault, did_you_mean
from local_sagemaker.definition.outline import Outline, OutlinedStep
from local_sagemaker.definition.parameters import PARAMETER_TYPES
from local_sagemaker.definition.references import output_names

TRIGGERS = ("Completed", "Failed", "Stopped", "Succeeded", "Any")
EXCEPTION_TYPES = (
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
)
RETRY_LIMITS = {"IntervalSeconds": 43200, "BackoffRate": float("inf"), "MaxAttempts": 20, "ExpireAfterMin": 14400}
NAMES = {"PropertyFiles": ("PropertyFileName", "OutputName", "FilePath"), "OutputParameters": ("OutputName",)}


def field_faults(step: OutlinedStep, known: Outline) -> Iterator[Fault]:
    """The faults of DependsOn, PropertyFiles, OutputParameters, CacheConfig and RetryPolicies."""
    yield from _dependencies(step, known)
    yield from _named_structures(step, "PropertyFiles")
    yield from _named_structures(step, "OutputParameters")
    yield from _outputs_of_property_files(step)
    yield from _cache(step)
    yield from _retries(step)


def _entries(step: OutlinedStep, name: str) -> Iterator[tuple[str, Any]]:
    entries = step.raw.get(name)
    if isinstance(entries, list):
        yield from ((f"{step.path}.{name}[{index}]", entry) for index, entry in enumerate(entries))


def _not_a_list(step: OutlinedStep, name: str) -> Iterator[Fault]:
    if step.raw.get(name) is not None and not isinstance(step.raw[name], list):
        yield Fault(f"{step.path}.{name}", "must be a list")


def _dependencies(step: OutlinedStep, known: Outline) -> Iterator[Fault]:
    yield from _not_a_list(step, "DependsOn")
    for path, entry in _entries(step, "DependsOn"):
        name = entry.get("Step") if isinstance(entry, dict) else entry
        if not isinstance(name, str):
            yield Fault(path, "must be the name of a step, or a structure of Step and Trigger")
        elif name not in known.steps:
            yield Fault(path, f"{name} is not a step{did_you_mean(name, known.steps)}")
        trigger = entry.get("Trigger", "Any") if isinstance(entry, dict) else "Any"
        if trigger not in TRIGGERS:
            yield Fault(f"{path}.Trigger", f"{trigger} is not a trigger; they are {', '.join(TRIGGERS)}")


def _named_structures(step: OutlinedStep, field: str) -> Iterator[Fault]:
    yield from _not_a_list(step, field)
    seen: dict[str, str] = {}
    for path, entry in _entries(step, field):
        fields = entry if isinstance(entry, dict) else {}
        for name in NAMES[field]:
            if not isinstance(fields.get(name), str):
                yield Fault(path, f"{name} is missing" if name not in fields else f"{name} must be a text")
        own = fields.get(NAMES[field][0])
        if isinstance(own, str) and seen.setdefault(own, path) != path:
            yield Fault(path, f"the name {own} is taken by {seen[own]}")
        kind = fields.get("OutputType", "String")
        if field == "OutputParameters" and kind not in tuple(PARAMETER_TYPES):
            known = did_you_mean(kind, PARAMETER_TYPES) or f"; the types are {', '.join(PARAMETER_TYPES)}"
            yield Fault(f"{path}.OutputType", f"{kind} is not a type of output parameters{known}")


def _outputs_of_property_files(step: OutlinedStep) -> Iterator[Fault]:
    outputs = output_names(step) if step.type == "Processing" else None
    for path, entry in _entries(step, "PropertyFiles"):
        output = entry.get("OutputName") if isinstance(entry, dict) else None
        if outputs is not None and isinstance(output, str) and output not in outputs:
            yield Fault(f"{path}.OutputName", f"the step has no output {output}{did_you_mean(output, outputs)}")


def _cache(step: OutlinedStep) -> Iterator[Fault]:
    config, path = step.raw.get("CacheConfig"), f"{step.path}.CacheConfig"
    if config is None:
        return
    if not isinstance(config, dict):
        yield Fault(path, "must be a structure")
        return
    if not isinstance(config.get("Enabled"), bool):
        yield Fault(path, "Enabled is missing, or is not true or false")
    duration = config.get("ExpireAfter")
    try:
        if duration is not None:
            seconds(duration)
    except (ValueError, TypeError):
        yield Fault(f"{path}.ExpireAfter", f"{duration!r} is not a duration such as P30D or T16M")


def _retries(step: OutlinedStep) -> Iterator[Fault]:
    yield from _not_a_list(step, "RetryPolicies")
    for path, entry in _entries(step, "RetryPolicies"):
        policy = entry if isinstance(entry, dict) else {}
        types = policy.get("ExceptionType")
        if not isinstance(types, list) or not types:
            yield Fault(path, "ExceptionType is missing, or is not a list of exception types")
            types = []
        for name in types:
            if name not in EXCEPTION_TYPES:
                known = did_you_mean(name, EXCEPTION_TYPES) or f"; they are {', '.join(EXCEPTION_TYPES)}"
                yield Fault(f"{path}.ExceptionType", f"{name} is not an exception type{known}")
        if "MaxAttempts" in policy and "ExpireAfterMin" in policy:
            yield Fault(path, "give MaxAttempts or ExpireAfterMin, not both")
        for name, most in RETRY_LIMITS.items():
            value = policy.get(name, 1)
            if is_expression(value):
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                yield Fault(f"{path}.{name}", "must be a number")
            elif not 0 <= value <= most:
                yield Fault(f"{path}.{name}", f"must be from 0 to {most}; it is {value}")
