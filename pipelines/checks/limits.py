"""Lengths, patterns, choices and counts that AWS allows: botocore's metadata, and the quotas of the service."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from pipelines.checks.fault import Fault
from pipelines.document.cache_forecast import defaults, resolved
from pipelines.document.walk import BRANCHES, Step, Value, is_expression, parameters, service_model, steps, values

# https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-quotas.html
MOST_STEPS, MOST_PARAMETERS, MOST_IN_A_BRANCH, MOST_CONDITIONS, MOST_PROPERTY_FILES = 50, 200, 20, 200, 10
ANYTHING = (".*", "[\\S\\s]*")
JAVA_SURROGATES = r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF"
# botocore writes Java's classes; read in Python they may only grow, so that nothing allowed is refused.
JAVA_CLASSES = {
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{L}": r"\w",
    r"\p{N}": r"\w",
    r"\p{M}": r"\w",
    r"\p{Z}": r"\s",
    r"\p{S}": r"\W",
    r"\p{P}": r"\W",
}
INSTANCES = {
    "Processing": "jobs.processing.instance_type",
    "Training": "jobs.training.instance_type",
    "Tuning": "jobs.training.instance_type",
    "RegisterModel": "the instance_type of jobs.processing or of a stage",
}


def limit_faults(name: str, definition: Mapping[str, Any]) -> Iterator[Fault]:
    """What AWS would refuse for its length, its form or its number, with the parameters at their defaults."""
    every_step = list(steps(definition))
    yield from _names(name, parameters(definition), every_step)
    yield from _quotas(len(parameters(definition)), every_step)
    known = defaults(definition)
    for step in every_step:
        for found in values(step):
            value = resolved(found.value, known)
            if not is_expression(value):
                yield from _value(found, value)


def _names(name: str, declared: list[tuple[str, Mapping[str, Any]]], every_step: list[Step]) -> Iterator[Fault]:
    model = service_model()
    named: list[tuple[str | None, str, Any, str, str]]
    named = [(None, "PipelineName", name, "PipelineName", "the YAML's name")]
    named += [
        (None, f"{path}.Name", entry.get("Name"), "PipelineParameterName", "rename it") for path, entry in declared
    ]
    named += [(step.name, f"{step.path}.Name", step.name, "StepName", "rename it") for step in every_step]
    for step_name, path, text, shape, fix in named:
        if isinstance(text, str):
            for message in _text_faults(text, model.shape_for(shape)):
                yield Fault(step_name, path, message, f"shorten or fix {fix}" if "YAML" in fix else fix)
    for path, entry in declared:
        default = entry.get("DefaultValue")
        most = model.shape_for("String1024").metadata["max"]
        if isinstance(default, str) and len(default) > most:
            message = f"has {len(default)} characters; a parameter's value has at most {most}"
            yield Fault(None, f"{path}.DefaultValue", message, "shorten it, or put it into a file in S3")


def _quotas(declared: int, every_step: list[Step]) -> Iterator[Fault]:
    files = sum(_length(step.raw.get("PropertyFiles")) for step in every_step)
    counted: list[tuple[str | None, str, int, int, str, str]] = [
        (None, "Steps", len(every_step), MOST_STEPS, "steps", "split the pipeline in two"),
        (None, "Parameters", declared, MOST_PARAMETERS, "parameters", "fix some of them in the YAML"),
        (None, "Steps", files, MOST_PROPERTY_FILES, "property files", "put what conditions read into fewer files"),
    ]
    for step in every_step:
        arguments = step.raw.get("Arguments")
        if step.type != "Condition" or not isinstance(arguments, Mapping):
            continue
        for name in (*BRANCHES["Condition"], "Conditions"):
            most = MOST_CONDITIONS if name == "Conditions" else MOST_IN_A_BRANCH
            number = _length(arguments.get(name))
            counted.append((step.name, f"{step.path}.Arguments.{name}", number, most, "of them", "make two conditions"))
    for owner, path, number, most, what, fix in counted:
        if number > most:
            yield Fault(owner, path, f"there are {number} {what}; SageMaker allows at most {most}", fix)


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def _value(found: Value, value: Any) -> Iterator[Fault]:
    step, shape = found.step, found.shape
    if isinstance(value, list):
        most = shape.metadata.get("max")
        if most is not None and len(value) > most:
            yield Fault(step.name, found.path, f"has {len(value)} entries; AWS allows at most {most}", "leave some out")
    elif isinstance(value, str) and shape.type_name == "string":
        choices = shape.enum
        if choices and value not in choices:
            yield _unknown_choice(found, value, choices)
        for message in _text_faults(value, shape) if not choices else ():
            yield Fault(step.name, found.path, message, f"shorten or fix {found.path.rpartition('.')[2]}")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        least, most = shape.metadata.get("min"), shape.metadata.get("max")
        if most is not None and value > most:
            yield Fault(step.name, found.path, f"is {value}; AWS allows at most {most}", f"set it to {most} or less")
        if least is not None and value < least:
            yield Fault(step.name, found.path, f"is {value}; AWS needs at least {least}", f"set it to {least} or more")


def _unknown_choice(found: Value, value: str, choices: list[str]) -> Fault:
    close = get_close_matches(value, choices, n=1)
    mean = f"did you mean {close[0]}? " if close else ""
    if "InstanceType" in found.shape.name:
        place = INSTANCES.get(found.step.type, "the instance type")
        message = f"{value} is not an instance type that {found.step.type} steps can have"
        return Fault(found.step.name, found.path, message, f"{mean}fix {place} in the YAML")
    known = f"it is one of {', '.join(choices[:12])}" if len(choices) <= 12 else ""
    return Fault(found.step.name, found.path, f"{value} is not allowed", mean or known or "fix the value")


def _text_faults(text: str, shape: Any) -> Iterator[str]:
    least, most, pattern = (shape.metadata.get(name) for name in ("min", "max", "pattern"))
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    if most is not None and len(text) > most:
        yield f"{shown!r} has {len(text)} characters; AWS allows at most {most}"
    elif least is not None and len(text) < least:
        yield f"{shown!r} has {len(text)} characters; AWS needs at least {least}"
    elif pattern and pattern not in ANYTHING and not _compiled(pattern).fullmatch(text):
        yield f"{shown!r} is not of the form {pattern}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    pattern = pattern.replace(*JAVA_SURROGATES)
    for java, python in JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.compile(re.sub(r"\$\{\d+,\d+\}$", "", pattern))  # a slip in botocore's pattern of CustomerMetadata
