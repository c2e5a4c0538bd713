"""The expressions in a definition: whether each is well formed, and what it refers to exists."""

from collections.abc import Iterable, Iterator
from typing import Any

from local_sagemaker.definition.expressions import is_expression, is_path, tokens
from local_sagemaker.definition.faults import Fault, did_you_mean
from local_sagemaker.definition.outline import Outline, OutlinedStep
from local_sagemaker.definition.shapes import property_fault, property_kind

EXECUTION_VARIABLES = (
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "TrainingJobName",
    "ProcessingJobName",
)
FOR_EACH_COUNTS = ("InputItemCount", "TotalStepCount", "SucceededStepCount", "FailedStepCount", "StoppedStepCount")
# The properties of the steps that run no job, or one that AWS describes in no response of its own.
PROPERTIES = {
    "Condition": ("Outcome",),
    "ForEach": ("Status", "IterationOutputs", "Selected", *FOR_EACH_COUNTS),
    "Lambda": ("OutputParameters",),
    "Callback": ("OutputParameters",),
}
PARAMETER_KINDS = {"String": "text", "Integer": "number", "Float": "number", "Boolean": "boolean"}


def expression_faults(value: Any, path: str, here: OutlinedStep | None, known: Outline) -> Iterator[Fault]:
    """The faults of every expression in a value; `here` is the step that it is part of, if any."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from expression_faults(item, f"{path}[{index}]", here, known)
    elif is_expression(value):
        yield from _expression(value, path, here, known)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from expression_faults(item, f"{path}.{name}", here, known)


def kind_of(value: dict[str, Any], known: Outline) -> str | None:
    """Of what kind the value of an expression is, in the words of shapes.KINDS; None where only a run tells."""
    ((kind, inner),) = value.items()
    if kind == "Std:Join":
        return "text"
    if kind != "Get" or not isinstance(inner, str):
        return None
    source, _, rest = inner.partition(".")
    if source == "Parameters":
        return PARAMETER_KINDS.get(str(known.parameters.get(rest, {}).get("Type")))
    if source == "Execution":
        return "text"
    name, _, path = rest.partition(".")
    step = known.steps.get(name) if source == "Steps" else None
    try:
        return property_kind(step.type, tokens(path)) if step else None
    except ValueError:
        return None


def _expression(value: dict[str, Any], path: str, here: OutlinedStep | None, known: Outline) -> Iterator[Fault]:
    ((kind, inner),) = value.items()
    if kind == "Get":
        message = _get(inner, here, known) if isinstance(inner, str) else "Get must hold a text"
        if message:
            yield Fault(path, message)
    elif not isinstance(inner, dict):
        yield Fault(path, f"{kind} must hold a structure")
    elif kind == "Std:Join":
        if not isinstance(inner.get("Values"), list):
            yield Fault(path, "Std:Join needs a list of Values")
        if not isinstance(inner.get("On", ""), str):
            yield Fault(path, "On of Std:Join must be a text")
        yield from expression_faults(inner.get("Values"), f"{path}.Std:Join.Values", here, known)
    else:
        yield from _json_get(inner, path, here, known)


def _json_get(inner: dict[str, Any], path: str, here: OutlinedStep | None, known: Outline) -> Iterator[Fault]:
    if not isinstance(inner.get("Path"), str):
        yield Fault(path, "Std:JsonGet needs a Path")
    elif not is_path(inner["Path"]):
        yield Fault(f"{path}.Std:JsonGet.Path", f"{inner['Path']!r} is not a path such as metrics.r2[0]['a key']")
    if ("PropertyFile" in inner) is ("S3Uri" in inner):
        yield Fault(path, "Std:JsonGet needs a PropertyFile or an S3Uri, and not both")
    if "PropertyFile" in inner and not _names_property_file(inner["PropertyFile"]):
        yield Fault(f"{path}.Std:JsonGet.PropertyFile", 'must be {"Get": "Steps.NAME.PropertyFiles.FILE"}')
    for name in ("PropertyFile", "S3Uri"):
        yield from expression_faults(inner.get(name), f"{path}.Std:JsonGet.{name}", here, known)


def _names_property_file(value: Any) -> bool:
    parts = str(value.get("Get")).split(".") if isinstance(value, dict) else []
    return len(parts) > 3 and parts[0] == "Steps" and parts[2] == "PropertyFiles"


def _get(reference: str, here: OutlinedStep | None, known: Outline) -> str | None:
    kind, _, rest = reference.partition(".")
    if kind == "Parameters":
        return _among(rest, known.parameters, reference, "a parameter of this definition")
    if kind == "Execution":
        return _among(rest, EXECUTION_VARIABLES, reference, "a variable of executions")
    if kind == "PipelineExperimentConfig":
        return _among(rest, ("ExperimentName", "TrialName"), reference, "a field of PipelineExperimentConfig")
    if kind == "Steps":
        return _step_property(rest, known)
    around = here.parent if here and here.parent and here.parent.type == "ForEach" else None
    if kind == "ForEach":
        return None if around else f"{reference} has a value only in the body of a ForEach step"
    if kind == "IterationOutput":
        if here is None or here.type != "ForEach":
            return f"{reference} has a value only in the Selector of a ForEach step"
        body = [step.name for step in known.every_step if step.parent is here]
        return _among(rest.partition(".")[0], body, reference, f"a step in the body of {here.name}")
    return f"{reference} is not a reference: it must start with Parameters, Execution or Steps"


def _among(name: str, names: Iterable[str], reference: str, what: str) -> str | None:
    known = list(names)
    return None if name in known else f"{reference} is not {what}{did_you_mean(name, known)}"


def _step_property(rest: str, known: Outline) -> str | None:
    name, _, path = rest.partition(".")
    step = known.steps.get(name)
    if step is None:
        return f"Steps.{name} is not a step{did_you_mean(name, known.steps)}"
    try:
        parts = tokens(path)
    except ValueError:
        return f"Steps.{rest} is not a path of properties"
    if not parts:
        return f"Steps.{name} names no property of the step"
    if parts[0] == "PropertyFiles":
        names = [str(entry.get("PropertyFileName")) for entry in step.entries("PropertyFiles")]
        return _among(path.partition(".")[2], names, f"Steps.{rest}", f"a property file of the step {name}")
    if parts[0] == "OutputParameters" and step.type in ("Lambda", "Callback"):
        names = [str(entry.get("OutputName")) for entry in step.entries("OutputParameters")]
        return _among(str(parts[-1]), names, f"Steps.{rest}", f"an output parameter of the step {name}")
    if step.type in PROPERTIES:
        return _among(str(parts[0]), PROPERTIES[step.type], f"Steps.{rest}", f"a property of {step.type} steps")
    message = property_fault(step.type, parts)
    return f"Steps.{rest}: {message}" if message else _output(step, parts, rest)


def _output(step: OutlinedStep, parts: list[str | int], rest: str) -> str | None:
    """A processing job describes the outputs that it was given, no others."""
    if step.type != "Processing" or parts[:2] != ["ProcessingOutputConfig", "Outputs"] or len(parts) < 3:
        return None
    names = output_names(step)
    if names is None or not isinstance(parts[2], str):
        return None
    return _among(parts[2], names, f"Steps.{rest}", f"an output of the step {step.name}")


def output_names(step: OutlinedStep) -> list[str] | None:
    """The names of a processing step's outputs; None where they cannot be read off."""
    config = step.arguments.get("ProcessingOutputConfig", {})
    outputs = config.get("Outputs", []) if isinstance(config, dict) and not is_expression(config) else None
    if not isinstance(outputs, list):
        return None
    names = [entry.get("OutputName") if isinstance(entry, dict) else None for entry in outputs]
    return [name for name in names if isinstance(name, str)] if all(isinstance(n, str) for n in names) else None
