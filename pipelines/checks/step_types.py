"""Warnings: step types and services that are closed to new customers of AWS, and step types that nobody here knows."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pipelines.checks.fault import Fault
from pipelines.document.walk import steps

# https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html, and the steps of the SDK.
KNOWN = (
    *("Processing", "Training", "Tuning", "Transform", "Model", "RegisterModel", "Condition", "Fail", "Lambda"),
    *("Callback", "EMR", "EMRServerless", "AutoML", "ClarifyCheck", "QualityCheck", "ForEach", "InferenceComponent"),
    *("Endpoint", "EndpointConfig", "Cleanup", "Job", "Lineage", "MonitoringSchedule"),
)
# Closed to new customers on 2026-07-30: whoever does not use them yet cannot begin.
CLOSED = "closed to new customers since 2026-07-30: an account that has not used it is refused"
CLOSED_TYPES = {
    "ClarifyCheck": "SageMaker Clarify",
    "QualityCheck": "SageMaker Model Monitor",
    "MonitoringSchedule": "SageMaker Model Monitor",
}
CLOSED_FIELDS = {
    "DebugRuleConfigurations": "SageMaker Debugger",
    "DebugHookConfig": "SageMaker Debugger",
    "ProfilerRuleConfigurations": "SageMaker Debugger",
}


def step_type_warnings(definition: Mapping[str, Any]) -> Iterator[Fault]:
    """One warning for each step that AWS may refuse for its type, or for a service that it uses."""
    for step in steps(definition):
        if step.type in CLOSED_TYPES:
            message = f"{step.type} needs {CLOSED_TYPES[step.type]}, which is {CLOSED}"
            yield Fault(step.name, f"{step.path}.Type", message, "do the same in a Processing step")
        elif step.type not in KNOWN:
            close = get_close_matches(step.type, KNOWN, n=1)
            fix = f"did you mean {close[0]}?" if close else "look it up in AWS's list of step types"
            yield Fault(step.name, f"{step.path}.Type", f"{step.type} is not a step type that is known here", fix)
        arguments = step.raw.get("Arguments")
        for field, service in CLOSED_FIELDS.items():
            if isinstance(arguments, Mapping) and arguments.get(field):
                message = f"{field} needs {service}, which is {CLOSED}"
                yield Fault(step.name, f"{step.path}.Arguments.{field}", message, "leave it out")
