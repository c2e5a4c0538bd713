"""From a DeploymentConfig to the steps of an update, and what the service refuses of it. Pure.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

LIMIT_SECONDS = 28800  # where MaximumExecutionTimeoutInSeconds is not given: the largest that may be
LARGEST_SHARE = Fraction(1, 2)  # of the capacity, for a canary, a linear step or a batch
SMALLEST_LINEAR = Fraction(1, 10)
SMALLEST_BATCH = Fraction(1, 20)
Counts = Mapping[str, int]


@dataclass(frozen=True)
class Step:
    """The new fleet has `green` instances and gets `share` of the requests; after the baking the old one has `blue`."""

    share: float
    green: Counts
    blue: Counts


@dataclass(frozen=True)
class RolloutPlan:
    """The steps of an update, each followed by a baking; waits in seconds, as the request has them."""

    steps: tuple[Step, ...]
    bake_seconds: int = 0
    termination_seconds: int = 0
    limit_seconds: int = LIMIT_SECONDS
    alarms: tuple[str, ...] = ()
    rollback_share: float = 1.0  # of the old capacity, that comes back at a time

    @property
    def shifts(self) -> bool:
        """Whether both fleets answer for a while."""
        return len(self.steps) > 1


def plan_rollout(config: Mapping[str, Any] | None, old: Counts, new: Counts, serverless: bool = False) -> RolloutPlan:
    """The plan for an update from variants with `old` instance counts to `new` ones.

    ValueError where the service refuses the configuration.
    """
    config = config or {}
    alarms = tuple(each["AlarmName"] for each in config.get("AutoRollbackConfiguration", {}).get("Alarms", []))
    if "BlueGreenUpdatePolicy" in config and "RollingUpdatePolicy" in config:
        raise ValueError("DeploymentConfig may have BlueGreenUpdatePolicy or RollingUpdatePolicy, and not both.")
    rolling = config.get("RollingUpdatePolicy")
    if rolling is not None:
        return _rolling(rolling, old, new, alarms, serverless)
    policy = config.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0})
    return RolloutPlan(
        steps=tuple(Step(float(share), new, old) for share in _shares(routing, old, new, serverless)),
        bake_seconds=routing["WaitIntervalInSeconds"],
        termination_seconds=policy.get("TerminationWaitInSeconds", 0),
        limit_seconds=policy.get("MaximumExecutionTimeoutInSeconds", LIMIT_SECONDS),
        alarms=alarms,
    )


def instances_of(size: Mapping[str, Any], count: int) -> int:
    """How many of `count` instances a CapacitySize stands for; a percentage is rounded up."""
    if size["Type"] == "INSTANCE_COUNT":
        return int(size["Value"])
    return math.ceil(Fraction(size["Value"], 100) * count)


def _shares(routing: Mapping[str, Any], old: Counts, new: Counts, serverless: bool) -> list[Fraction]:
    if routing["Type"] == "ALL_AT_ONCE":
        return [Fraction(1)]
    kind, field = ("canary", "CanarySize") if routing["Type"] == "CANARY" else ("linear", "LinearStepSize")
    if field not in routing:
        raise ValueError(f"TrafficRoutingConfiguration of the type {routing['Type']} needs {field}.")
    _require_shifting(f"{kind} traffic shifting", old, new, serverless)
    step = _share(routing[field], new, kind, SMALLEST_LINEAR if kind == "linear" else Fraction(0))
    if kind == "canary":
        return [step, Fraction(1)]
    return [min(Fraction(1), step * number) for number in range(1, math.ceil(1 / step) + 1)]


def _share(size: Mapping[str, Any], new: Counts, kind: str, smallest: Fraction) -> Fraction:
    """The share of the capacity that one step is; ValueError outside of what the service allows."""
    for name, count in new.items():
        share = Fraction(instances_of(size, count), count)
        asked = Fraction(size["Value"], 100) if size["Type"] == "CAPACITY_PERCENT" else share
        what = f"{size['Value']} %" if size["Type"] == "CAPACITY_PERCENT" else f"{size['Value']} instances"
        if max(share, asked) > LARGEST_SHARE or asked < smallest:
            low = f"{float(smallest):.0%} to " if smallest else "at most "
            raise ValueError(
                f"A {kind} step of {what} is {instances_of(size, count)} of the {count} instances of the variant "
                f"{name} ({float(share):.0%}): {low}{float(LARGEST_SHARE):.0%} is allowed."
            )
    return Fraction(sum(instances_of(size, count) for count in new.values()), sum(new.values()))


def _rolling(
    policy: Mapping[str, Any], old: Counts, new: Counts, alarms: tuple[str, ...], serverless: bool
) -> RolloutPlan:
    _require_shifting("a rolling deployment", old, new, serverless)
    if len(new) > 1:
        raise ValueError(f"A rolling deployment supports one variant only, not {', '.join(new)}.")
    [(name, count)] = new.items()
    size = policy["MaximumBatchSize"]
    _share(size, new, "rolling", SMALLEST_BATCH)
    batch = instances_of(size, count)
    steps = []
    for number in range(1, math.ceil(count / batch) + 1):
        green = min(count, batch * number)
        left = old[name] - math.floor(Fraction(green, count) * old[name])
        steps.append(Step(green / count, {name: green}, {name: left}))
    back = policy.get("RollbackMaximumBatchSize")
    return RolloutPlan(
        steps=tuple(steps),
        bake_seconds=policy["WaitIntervalInSeconds"],
        limit_seconds=policy.get("MaximumExecutionTimeoutInSeconds", LIMIT_SECONDS),
        alarms=alarms,
        rollback_share=min(1.0, instances_of(back, count) / count) if back else 1.0,
    )


def _require_shifting(what: str, old: Counts, new: Counts, serverless: bool) -> None:
    if serverless:
        raise ValueError(f"Serverless variants do not support {what}.")
    if set(old) != set(new):
        raise ValueError(
            f"With {what} the variants must keep their names: the endpoint has {', '.join(old)}, "
            f"and the new configuration {', '.join(new)}."
        )
    empty = [name for name, count in new.items() if count == 0]
    if empty:
        raise ValueError(f"With {what} the variant {empty[0]} needs an instance: it is scaled to 0.")
