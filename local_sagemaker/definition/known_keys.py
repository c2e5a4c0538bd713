"""The keys that each structure of a definition may have: any other is a fault, for it would be ignored.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-build.html, and what the SDK (v2 and v3) writes.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from local_sagemaker.definition.conditions import COMPARISONS
from local_sagemaker.definition.expressions import is_expression
from local_sagemaker.definition.faults import Fault, did_you_mean
from local_sagemaker.definition.outline import STEP_TYPES, Outline, OutlinedStep

VERSION = "2020-12-01"
TOP = ("Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps")
EXPERIMENT = ("ExperimentName", "TrialName")
PARAMETER = ("Name", "Type", "DefaultValue", "EnumValues", "Description")
STEP = (
    *("Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description"),
    *("CacheConfig", "RetryPolicies", "PropertyFiles", "OutputParameters"),
)
CHECK = (
    *("CheckType", "ModelPackageGroupName", "SkipCheck", "FailOnViolation", "RegisterNewBaseline"),
    *("SuppliedBaselineConstraints", "SuppliedBaselineStatistics", "ModelName"),
)
OF_TYPE = {
    "Lambda": ("FunctionArn",),
    "Callback": ("SqsQueueUrl",),
    "QualityCheck": ("QualityCheckConfig", *CHECK),
    "ClarifyCheck": ("ClarifyCheckConfig", *CHECK),
}
ARGUMENTS = {"Condition": ("Conditions", "IfSteps", "ElseSteps"), "Fail": ("ErrorMessage",)}
IN_LISTS = {
    "DependsOn": ("Step", "Trigger"),
    "PropertyFiles": ("PropertyFileName", "OutputName", "FilePath"),
    "OutputParameters": ("OutputName", "OutputType"),
    "RetryPolicies": ("ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin"),
}
CACHE = ("Enabled", "ExpireAfter")
CONDITIONS = {
    **dict.fromkeys(COMPARISONS, ("Type", "LeftValue", "RightValue")),
    **dict.fromkeys(("And", "Or"), ("Type", "Conditions")),
    "In": ("Type", "QueryValue", "Values"),
    "Not": ("Type", "Condition", "Expression"),
}


def key_faults(raw: dict[str, Any], known: Outline) -> Iterator[Fault]:
    """The keys of a definition that nothing reads, each with the closest that something does."""
    version = raw.get("Version", VERSION)
    if version != VERSION:
        yield Fault("Version", f"{version!r} is not a version of the definition's format: write {VERSION!r}")
    if raw.get("Steps") or "Version" in raw:  # else it is not a definition, which is reported already
        yield from _unknown(raw, TOP, "", "a definition")
    yield from _unknown(raw.get("PipelineExperimentConfig"), EXPERIMENT, "PipelineExperimentConfig", "it")
    parameters = raw.get("Parameters")
    for index, entry in enumerate(parameters if isinstance(parameters, list) else []):
        yield from _unknown(entry, PARAMETER, f"Parameters[{index}]", "a parameter")
    for step in known.every_step:
        if step.type in STEP_TYPES:
            yield from _step(step)


def _step(step: OutlinedStep) -> Iterator[Fault]:
    yield from _unknown(step.raw, (*STEP, *OF_TYPE.get(step.type, ())), step.path, f"a {step.type} step")
    yield from _unknown(step.raw.get("CacheConfig"), CACHE, f"{step.path}.CacheConfig", "it")
    for field, keys in IN_LISTS.items():
        entries = step.raw.get(field)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            yield from _unknown(entry, keys, f"{step.path}.{field}[{index}]", "an entry")
    if step.type in ARGUMENTS:
        yield from _unknown(
            step.raw.get("Arguments"), ARGUMENTS[step.type], f"{step.path}.Arguments", f"a {step.type} step"
        )
    if step.type == "Condition":
        yield from _conditions(step.arguments.get("Conditions"), f"{step.path}.Arguments.Conditions")


def _conditions(conditions: Any, path: str) -> Iterator[Fault]:
    for index, condition in enumerate(conditions if isinstance(conditions, list) else []):
        yield from _condition(condition, f"{path}[{index}]")


def _condition(condition: Any, path: str) -> Iterator[Fault]:
    kind = condition.get("Type") if isinstance(condition, dict) else None
    if not isinstance(kind, str) or kind not in CONDITIONS:
        return
    yield from _unknown(condition, CONDITIONS[kind], path, f"the condition {kind}")
    yield from _conditions(condition.get("Conditions"), f"{path}.Conditions")
    for inner in ("Condition", "Expression"):
        yield from _condition(condition.get(inner), f"{path}.{inner}")


def _unknown(value: Any, known: Iterable[str], path: str, what: str) -> Iterator[Fault]:
    if not isinstance(value, dict) or is_expression(value):
        return
    for key in value:
        if key not in known:
            where = f"{path}.{key}" if path else str(key)
            yield Fault(where, f"{what} has no key {key}{did_you_mean(key, known)}")
