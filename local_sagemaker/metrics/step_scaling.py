"""Step scaling: how far beyond its threshold an alarm's metric is says how many instances come or go. Pure.

https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

COOLDOWN = 300  # seconds, of a policy for an endpoint's variant that names none
CHANGE, PERCENT, EXACT = "ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"
INFINITY = float("inf")


@dataclass(frozen=True)
class Step:
    """From how far beyond the threshold up to where (infinite at the ends), and what then is done."""

    low: float
    high: float
    adjustment: int

    def takes(self, beyond: float) -> bool:
        """Whether a metric this far beyond the threshold is its; a bound belongs to the step farther from 0."""
        return self.low <= beyond < self.high if beyond >= 0 else self.low < beyond <= self.high


@dataclass(frozen=True)
class StepScaling:
    """A policy of steps; the cooldown in seconds."""

    kind: str
    steps: tuple[Step, ...]
    smallest: int = 0  # of what a percentage adds or removes
    cooldown: float = COOLDOWN

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> "StepScaling":
        """That of a StepScalingPolicyConfiguration."""
        return cls(
            configuration["AdjustmentType"],
            _steps(configuration),
            int(configuration.get("MinAdjustmentMagnitude", 0)),
            float(configuration.get("Cooldown", COOLDOWN)),
        )

    def wanted(self, current: int, beyond: float) -> int:
        """How many instances there should be instead of `current`, with a metric `beyond` (or below) its threshold."""
        step = next((each for each in self.steps if each.takes(beyond)), None)
        if step is None:
            return current
        if self.kind == EXACT:
            return step.adjustment
        if self.kind == CHANGE:
            return max(0, current + step.adjustment)
        change = current * step.adjustment / 100
        whole = math.trunc(change) if abs(change) >= 1 else math.copysign(math.ceil(abs(change)), change)
        size = max(abs(int(whole)), self.smallest)
        return max(0, current + (size if step.adjustment > 0 else -size))


def fault_of(configuration: Mapping[str, Any]) -> str | None:
    """What the service refuses of a StepScalingPolicyConfiguration, in a sentence; None where it takes it."""
    kind = configuration.get("AdjustmentType")
    if kind is None:
        return f"StepScalingPolicyConfiguration needs AdjustmentType: {CHANGE}, {PERCENT} or {EXACT}."
    if not configuration.get("StepAdjustments"):
        return "StepScalingPolicyConfiguration needs StepAdjustments, at least one."
    if "MinAdjustmentMagnitude" in configuration and kind != PERCENT:
        return f"MinAdjustmentMagnitude goes with the AdjustmentType {PERCENT}, not {kind}."
    if configuration.get("Cooldown", 0) < 0:
        return f"Cooldown {configuration['Cooldown']} must not be below 0."
    return _fault_of_steps(sorted(_steps(configuration), key=lambda step: (step.low, step.high)), kind)


def _fault_of_steps(steps: Sequence[Step], kind: str) -> str | None:
    for step in steps:
        if step.low >= step.high:
            return (
                f"A step of StepAdjustments goes from {step.low:g} to {step.high:g}: MetricIntervalLowerBound must be "
                "below MetricIntervalUpperBound."
            )
        if kind == EXACT and step.adjustment < 0:
            return f"ScalingAdjustment {step.adjustment} is not a number of instances, which {EXACT} needs."
    for before, after in pairwise(steps):
        if before.high != after.low:
            what = "overlap" if before.high > after.low else "leave a gap"
            return f"The steps of StepAdjustments {what} between {before.high:g} and {after.low:g}."
    if steps[0].low < 0 and steps[0].low != -INFINITY:
        return "StepAdjustments below the threshold need a step without MetricIntervalLowerBound."
    if steps[-1].high > 0 and steps[-1].high != INFINITY:
        return "StepAdjustments above the threshold need a step without MetricIntervalUpperBound."
    return None


def _steps(configuration: Mapping[str, Any]) -> tuple[Step, ...]:
    return tuple(
        Step(
            float(each.get("MetricIntervalLowerBound", -INFINITY)),
            float(each.get("MetricIntervalUpperBound", INFINITY)),
            int(each["ScalingAdjustment"]),
        )
        for each in configuration["StepAdjustments"]
    )
