"""From a DeploymentConfig to steps, and what is refused."""

from typing import Any

import pytest

from local_sagemaker.hosting.rollout_plan import RolloutPlan, Step, plan_rollout


def blue_green(kind: str, wait: int = 60, **fields: Any) -> dict[str, Any]:
    policy = {key: value for key, value in fields.items() if key.endswith("InSeconds")}
    sizes = {key: value for key, value in fields.items() if key.endswith("Size")}
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **sizes}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **policy}}


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value: int) -> dict[str, Any]:
    return {"Type": "INSTANCE_COUNT", "Value": value}


def shares(plan: RolloutPlan) -> list[float]:
    return [round(step.share, 4) for step in plan.steps]


def test_without_a_configuration_all_goes_at_once_and_nothing_is_waited_for() -> None:
    plan = plan_rollout(None, {"v": 1}, {"v": 2})
    assert plan.steps == (Step(1.0, {"v": 2}, {"v": 1}),)
    assert (plan.bake_seconds, plan.termination_seconds, plan.alarms) == (0, 0, ())


def test_waits_limits_and_alarms_are_those_of_the_request() -> None:
    config = blue_green("ALL_AT_ONCE", 120, TerminationWaitInSeconds=30, MaximumExecutionTimeoutInSeconds=900)
    config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": "a"}, {"AlarmName": "b"}]}
    plan = plan_rollout(config, {"v": 1}, {"v": 1})
    assert (plan.bake_seconds, plan.termination_seconds, plan.limit_seconds) == (120, 30, 900)
    assert plan.alarms == ("a", "b")


@pytest.mark.parametrize(
    ("size", "count", "expected"),
    [
        (percent(10), 10, [0.1, 1.0]),
        (percent(10), 4, [0.25, 1.0]),  # rounded up to an instance
        (percent(50), 2, [0.5, 1.0]),
        (instances(1), 3, [0.3333, 1.0]),
    ],
)
def test_a_canary_is_one_step_and_then_the_rest(size: dict[str, Any], count: int, expected: list[float]) -> None:
    assert shares(plan_rollout(blue_green("CANARY", CanarySize=size), {"v": 1}, {"v": count})) == expected


@pytest.mark.parametrize(
    ("size", "count", "expected"),
    [
        (percent(25), 4, [0.25, 0.5, 0.75, 1.0]),
        (percent(50), 2, [0.5, 1.0]),
        (instances(2), 5, [0.4, 0.8, 1.0]),
        (percent(10), 10, [round(n / 10, 4) for n in range(1, 11)]),
    ],
)
def test_linear_steps_are_equal_and_the_last_is_the_rest(
    size: dict[str, Any], count: int, expected: list[float]
) -> None:
    assert shares(plan_rollout(blue_green("LINEAR", LinearStepSize=size), {"v": 1}, {"v": count})) == expected


def rolling(size: dict[str, Any], back: dict[str, Any] | None = None) -> dict[str, Any]:
    policy = {"MaximumBatchSize": size, "WaitIntervalInSeconds": 60}
    return {"RollingUpdatePolicy": {**policy, **({"RollbackMaximumBatchSize": back} if back else {})}}


def test_rolling_exchanges_one_batch_after_another() -> None:
    plan = plan_rollout(rolling(percent(50)), {"v": 4}, {"v": 4})
    assert plan.steps == (Step(0.5, {"v": 2}, {"v": 2}), Step(1.0, {"v": 4}, {"v": 0}))
    assert plan.rollback_share == 1.0
    smaller = plan_rollout(rolling(instances(1), instances(2)), {"v": 6}, {"v": 3})
    assert [(dict(step.green), dict(step.blue)) for step in smaller.steps] == [
        ({"v": 1}, {"v": 4}),
        ({"v": 2}, {"v": 2}),
        ({"v": 3}, {"v": 0}),
    ]
    assert smaller.rollback_share == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("config", "old", "new", "serverless", "words"),
    [
        (blue_green("CANARY"), {"v": 2}, {"v": 2}, False, "needs CanarySize"),
        (blue_green("LINEAR"), {"v": 2}, {"v": 2}, False, "needs LinearStepSize"),
        (blue_green("CANARY", CanarySize=percent(10)), {"v": 1}, {"v": 1}, False, r"1 of the 1 instances .* \(100%\)"),
        (blue_green("CANARY", CanarySize=percent(51)), {"v": 9}, {"v": 9}, False, "at most 50%"),
        (blue_green("CANARY", CanarySize=instances(2)), {"v": 3}, {"v": 3}, False, "at most 50%"),
        (blue_green("LINEAR", LinearStepSize=percent(9)), {"v": 20}, {"v": 20}, False, "10% to 50%"),
        (rolling(percent(4)), {"v": 50}, {"v": 50}, False, "5% to 50%"),
        (rolling(percent(50)), {"v": 2, "w": 2}, {"v": 2, "w": 2}, False, "supports one variant only"),
        (blue_green("CANARY", CanarySize=percent(50)), {"v": 2}, {"w": 2}, False, "must keep their names"),
        (blue_green("CANARY", CanarySize=percent(50)), {"v": 1}, {"v": 1}, True, "Serverless variants do not support"),
        (rolling(percent(50)), {"v": 1}, {"v": 1}, True, "Serverless variants do not support"),
        ({**rolling(percent(50)), **blue_green("ALL_AT_ONCE")}, {"v": 2}, {"v": 2}, False, "and not both"),
    ],
)
def test_what_the_service_refuses(
    config: dict[str, Any], old: dict[str, int], new: dict[str, int], serverless: bool, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        plan_rollout(config, old, new, serverless)
