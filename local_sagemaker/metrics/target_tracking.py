"""Target tracking: the alarms of a policy, and how many instances a metric calls for. Pure.

https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.metrics.store import MetricName, dimensions_of

NAMESPACE, METRIC = "AWS/SageMaker", "InvocationsPerInstance"
PERIOD = 60  # seconds, of a datapoint
HIGH_PERIODS, LOW_PERIODS = 3, 15  # datapoints above the target before it scales out, below before it scales in
LOW_SHARE = 0.9  # of the target, below which the other alarm is raised: between the two nothing is done
COOLDOWN = 300  # seconds, where the policy names none
HIGH, LOW = "AlarmHigh", "AlarmLow"


@dataclass(frozen=True)
class Tracked:
    """A metric, and the statistic of a minute of it."""

    metric: MetricName
    statistic: str

    @classmethod
    def of(cls, configuration: Mapping[str, Any], variant: Mapping[str, str]) -> "Tracked":
        """That of a TargetTrackingScalingPolicyConfiguration: its own metric, or the predefined one of the variant."""
        own = configuration.get("CustomizedMetricSpecification")
        if own is None:
            return cls(MetricName(NAMESPACE, METRIC, dimensions_of(variant)), "Sum")
        named = {each["Name"]: each["Value"] for each in own.get("Dimensions", [])}
        return cls(MetricName(own["Namespace"], own["MetricName"], dimensions_of(named)), own["Statistic"])


@dataclass(frozen=True)
class Tracking:
    """A policy: the target of its metric (of a minute), and the cooldowns in seconds."""

    target: float
    out_cooldown: float = COOLDOWN
    in_cooldown: float = COOLDOWN
    scales_in: bool = True

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> "Tracking":
        """That of a TargetTrackingScalingPolicyConfiguration."""
        return cls(
            float(configuration["TargetValue"]),
            float(configuration.get("ScaleOutCooldown", COOLDOWN)),
            float(configuration.get("ScaleInCooldown", COOLDOWN)),
            not configuration.get("DisableScaleIn", False),
        )

    def alarm(self, kind: str, name: str, tracked: Tracked, action: str) -> dict[str, Any]:
        """The alarm HIGH or LOW, as PutMetricAlarm has it."""
        high = kind == HIGH
        return {
            "AlarmName": name,
            "AlarmDescription": "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy " + action + ".",
            "Namespace": tracked.metric.namespace,
            "MetricName": tracked.metric.name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in tracked.metric.dimensions],
            "Statistic": tracked.statistic,
            "Period": PERIOD,
            "EvaluationPeriods": HIGH_PERIODS if high else LOW_PERIODS,
            "Threshold": self.target if high else self.target * LOW_SHARE,
            "ComparisonOperator": "GreaterThanThreshold" if high else "LessThanThreshold",
            "TreatMissingData": "notBreaching",  # nothing is known of the minutes before the policy
            "AlarmActions": [action],
        }

    def wanted(self, kind: str, current: int, measured: float) -> int:
        """How many instances would bring the metric to the target, from what `current` of them were measured at.

        Without instances the metric is taken as that of one.
        """
        needed = math.ceil(max(current, 1) * measured / self.target)
        return max(current, needed) if kind == HIGH else min(current, needed)


def within(wanted: int, low: int, high: int) -> int:
    """The nearest number that the scalable target allows."""
    return max(low, min(high, wanted))
