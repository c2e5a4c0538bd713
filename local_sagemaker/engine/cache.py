"""The step cache: which earlier step a step may reuse, by SageMaker's rules.

The attributes that count are those of
https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-default-keys.html.
"""

import hashlib
import json
import time
from typing import Any

from local_sagemaker.engine.definition import Step
from local_sagemaker.engine.durations import seconds
from local_sagemaker.errors import invalid
from local_sagemaker.records import Records

KEY_ATTRIBUTES = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
}


class StepCache:
    """The successful steps of each pipeline by the key of what went into them."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def find(self, pipeline_arn: str, step: Step, arguments: dict[str, Any]) -> dict[str, Any] | None:
        """The record of the newest step that may be reused, or None."""
        if not enabled(step):
            return None
        entry = self._records.get("step-cache", _name(pipeline_arn, step, arguments))
        if entry is None or time.time() - entry["EndTime"] > lifetime(step.raw["CacheConfig"].get("ExpireAfter")):
            return None
        return self._records.get("execution-step", entry["Step"])

    def remember(self, pipeline_arn: str, step: Step, arguments: dict[str, Any], record_name: str) -> None:
        """Offer a step that succeeded for reuse."""
        if step.type in KEY_ATTRIBUTES:
            entry = {"Step": record_name, "EndTime": time.time()}
            self._records.put("step-cache", _name(pipeline_arn, step, arguments), entry)


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


def _name(pipeline_arn: str, step: Step, arguments: dict[str, Any]) -> str:
    counted = {name: arguments[name] for name in KEY_ATTRIBUTES[step.type] if name in arguments}
    text = json.dumps([step.type, step.name, counted], sort_keys=True)
    return f"{pipeline_arn}/{hashlib.sha256(text.encode()).hexdigest()}"
