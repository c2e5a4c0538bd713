"""What Application Auto Scaling takes as a policy for an endpoint's variant, and what is refused of it."""

import math
from typing import Any

from local_sagemaker.errors import invalid, unsupported
from local_sagemaker.metrics.step_scaling import fault_of
from local_sagemaker.wire.dispatch import Request

PREDEFINED = "SageMakerVariantInvocationsPerInstance"
TRACKING, STEPS = "TargetTrackingScaling", "StepScaling"
FIELDS = {TRACKING: "TargetTrackingScalingPolicyConfiguration", STEPS: "StepScalingPolicyConfiguration"}


def checked(request: Request) -> tuple[str, dict[str, Any]]:
    """The type of a policy and its configuration; ServiceError where it cannot be one.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html
    """
    kind = request.get("PolicyType", STEPS)
    if kind not in FIELDS:
        raise unsupported(f"scaling policies of the type {kind}")
    configuration: dict[str, Any] | None = request.get(FIELDS[kind])
    if configuration is None:
        raise invalid(f"A policy of the type {kind} needs {FIELDS[kind]}.")
    if kind == TRACKING:
        _check_tracking(configuration)
    elif fault := fault_of(configuration):
        raise invalid(fault)
    return kind, configuration


def _check_tracking(configuration: dict[str, Any]) -> None:
    metrics = [
        name for name in ("PredefinedMetricSpecification", "CustomizedMetricSpecification") if name in configuration
    ]
    if len(metrics) != 1:
        raise invalid(
            "TargetTrackingScalingPolicyConfiguration needs either PredefinedMetricSpecification or "
            "CustomizedMetricSpecification, and not both."
        )
    if metrics[0] == "CustomizedMetricSpecification":
        _check_metric(configuration["CustomizedMetricSpecification"])
    else:
        metric = configuration["PredefinedMetricSpecification"].get("PredefinedMetricType")
        if metric != PREDEFINED:
            raise unsupported(f"tracking of {metric} (PredefinedMetricType)")
    if not 0 < configuration["TargetValue"] < math.inf:
        raise invalid(f"TargetValue {configuration['TargetValue']} must be above 0.")
    for name in ("ScaleInCooldown", "ScaleOutCooldown"):
        if configuration.get(name, 0) < 0:
            raise invalid(f"{name} {configuration[name]} must not be below 0.")


def _check_metric(metric: dict[str, Any]) -> None:
    for name in ("Metrics", "Unit"):
        if name in metric:
            raise unsupported(f"{name} of CustomizedMetricSpecification")
    missing = [name for name in ("MetricName", "Namespace", "Statistic") if name not in metric]
    if missing:
        raise invalid(f"CustomizedMetricSpecification needs {' and '.join(missing)}.")
