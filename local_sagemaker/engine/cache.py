"""The step cache: which earlier step a step may reuse, by SageMaker's rules.

The attributes that count are those of
https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-default-keys.html.
"""

import hashlib
import json
import time
from typing import Any

from local_sagemaker.definition.definition import Step
from local_sagemaker.definition.durations import seconds
from local_sagemaker.definition.expressions import Scope, evaluate
from local_sagemaker.errors import invalid
from local_sagemaker.state.record_kinds import EXECUTION_STEP, STEP_CACHE
from local_sagemaker.state.record_types import StepCacheRecord, StepRecord
from local_sagemaker.state.records import Records

# What counts of each type of step: a field of its arguments (or of the step itself, for the checks, which keep theirs
# beside the arguments), or only some fields of one. Lambda and Callback steps take a CacheConfig too, and are not on
# that page: what they are given counts.
TUNED = (
    "AlgorithmSpecification",
    "HyperParameterRanges",
    "InputDataConfig",
    "StaticHyperParameters",
    "TuningObjective",
)
CHECK = ("CheckJobConfig", "SkipCheck", "RegisterNewBaseline", "ModelPackageGroupName", "SuppliedBaselineConstraints")
KEY_ATTRIBUTES: dict[str, dict[str, tuple[str, ...] | None]] = {
    "Processing": dict.fromkeys(("AppSpecification", "Environment", "ProcessingInputs")),
    "Training": dict.fromkeys(
        (
            "AlgorithmSpecification",
            "CheckpointConfig",
            "DebugHookConfig",
            "DebugRuleConfigurations",
            "Environment",
            "HyperParameters",
            "InputDataConfig",
        )
    ),
    "Tuning": {"HyperParameterTuningJobConfig": None, "TrainingJobDefinition": TUNED, "TrainingJobDefinitions": None},
    "AutoML": {
        "AutoMLJobConfig": ("CompletionCriteria", "CandidateGenerationConfig", "DataSplitConfig", "Mode"),
        **dict.fromkeys(("AutoMLJobObjective", "InputDataConfig", "ProblemType")),
    },
    "Transform": dict.fromkeys(("DataProcessing", "Environment", "ModelName", "TransformInput")),
    "ClarifyCheck": dict.fromkeys(("ClarifyCheckConfig", *CHECK)),
    "QualityCheck": dict.fromkeys(("QualityCheckConfig", *CHECK, "SuppliedBaselineStatistics")),
    "EMR": dict.fromkeys(("ClusterId", "StepConfig")),
    "Lambda": dict.fromkeys(("FunctionArn", "Arguments")),
    "Callback": dict.fromkeys(("SqsQueueUrl", "Arguments")),
}


class StepCache:
    """The successful steps of each pipeline by the key of what went into them."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def key(self, pipeline_arn: str, step: Step, arguments: dict[str, Any], scope: Scope) -> str | None:
        """What a step with these resolved arguments is remembered under; None for types that have no cache."""
        if step.type not in KEY_ATTRIBUTES:
            return None
        fields = {"Arguments": arguments, **{name: evaluate(item, scope) for name, item in _beside(step)}, **arguments}
        counted = {
            name: {inner: fields[name][inner] for inner in parts if inner in fields[name]} if parts else fields[name]
            for name, parts in KEY_ATTRIBUTES[step.type].items()
            if name in fields
        }
        text = json.dumps([step.type, step.name, counted], sort_keys=True)
        return f"{pipeline_arn}/{hashlib.sha256(text.encode()).hexdigest()}"

    def find(self, step: Step, key: str | None) -> StepRecord | None:
        """The record of the newest step that may be reused, or None."""
        if key is None or not enabled(step):
            return None
        entry = self._records.get(STEP_CACHE, key)
        if entry is None or time.time() - entry["EndTime"] > lifetime(step.raw["CacheConfig"].get("ExpireAfter")):
            return None
        return self._records.get(EXECUTION_STEP, entry["Step"])

    def remember(self, key: str, record_name: str) -> None:
        """Offer a step that has just succeeded for reuse."""
        self._records.put(STEP_CACHE, key, StepCacheRecord(Step=record_name, EndTime=time.time()))

    def forget(self, pipeline_arn: str) -> None:
        """Offer no step of a pipeline any more."""
        self._records.delete_all(STEP_CACHE, prefix=f"{pipeline_arn}/")


def enabled(step: Step) -> bool:
    """Whether a step asks for the cache and is of a type that has one."""
    return step.type in KEY_ATTRIBUTES and bool(step.raw.get("CacheConfig", {}).get("Enabled"))


def lifetime(expire_after: str | None) -> float:
    """Seconds of an ISO 8601 duration such as P30D, 30d or T16m; no duration means for ever."""
    if expire_after is None:
        return float("inf")
    try:
        return seconds(expire_after)
    except ValueError as error:
        raise invalid(f"ExpireAfter {error}.") from None


def _beside(step: Step) -> list[tuple[str, Any]]:
    """The fields that count and stand beside the arguments of a step."""
    return [(name, step.raw[name]) for name in KEY_ATTRIBUTES[step.type] if name in step.raw and name != "Arguments"]
