"""How many instances the steps of a policy call for, and which steps the service refuses."""

from typing import Any

import pytest

from local_sagemaker.metrics.step_scaling import StepScaling, fault_of

INFINITE = float("inf")


def steps(*bounds: tuple[float, float, int]) -> list[dict[str, float]]:
    """StepAdjustments from (lower, upper, adjustment); what is infinite is left out."""
    found = []
    for low, high, adjustment in bounds:
        step: dict[str, float] = {"ScalingAdjustment": adjustment}
        if low != -INFINITE:
            step["MetricIntervalLowerBound"] = low
        if high != INFINITE:
            step["MetricIntervalUpperBound"] = high
        found.append(step)
    return found


def policy(kind: str, *bounds: tuple[float, float, int], **more: Any) -> dict[str, Any]:
    return {"AdjustmentType": kind, "StepAdjustments": steps(*bounds), **more}


BOTH = ((-INFINITE, -10, -2), (-10, 0, -1), (0, 10, 1), (10, INFINITE, 3))


@pytest.mark.parametrize(
    ("beyond", "wanted"),
    [(-11, 2), (-10, 2), (-9.9, 3), (0, 5), (9.9, 5), (10, 7), (1000, 7)],
)
def test_a_bound_belongs_to_the_step_farther_from_the_threshold(beyond: float, wanted: int) -> None:
    assert StepScaling.of(policy("ChangeInCapacity", *BOTH)).wanted(4, beyond) == wanted


@pytest.mark.parametrize(
    ("kind", "adjustment", "current", "wanted", "more"),
    [
        ("ChangeInCapacity", 1, 0, 1, {}),
        ("ChangeInCapacity", -5, 2, 0, {}),
        ("ExactCapacity", 3, 9, 3, {}),
        ("PercentChangeInCapacity", 25, 10, 12, {}),  # 2.5 is rounded down
        ("PercentChangeInCapacity", -25, 10, 8, {}),
        ("PercentChangeInCapacity", 1, 10, 11, {}),  # a tenth counts as one
        ("PercentChangeInCapacity", -1, 10, 9, {}),
        ("PercentChangeInCapacity", 10, 10, 13, {"MinAdjustmentMagnitude": 3}),
        ("PercentChangeInCapacity", -10, 10, 7, {"MinAdjustmentMagnitude": 3}),
    ],
)
def test_an_adjustment_is_a_number_a_share_or_the_whole(
    kind: str, adjustment: int, current: int, wanted: int, more: dict[str, Any]
) -> None:
    assert StepScaling.of(policy(kind, (0, INFINITE, adjustment), **more)).wanted(current, 0.0) == wanted


def test_a_metric_that_no_step_is_for_changes_nothing() -> None:
    assert StepScaling.of(policy("ChangeInCapacity", (0, INFINITE, 1))).wanted(4, -0.1) == 4


def test_a_policy_without_a_cooldown_has_that_of_the_service() -> None:
    assert StepScaling.of(policy("ChangeInCapacity", (0, INFINITE, 1))).cooldown == 300


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ({}, "needs AdjustmentType"),
        ({"AdjustmentType": "ExactCapacity"}, "needs StepAdjustments"),
        (
            policy("ChangeInCapacity", (0, INFINITE, 1), MinAdjustmentMagnitude=1),
            "goes with the AdjustmentType Percent",
        ),
        (policy("ChangeInCapacity", (0, INFINITE, 1), Cooldown=-1), "Cooldown -1 must not be below 0"),
        (policy("ChangeInCapacity", (5, 5, 1)), "must be below MetricIntervalUpperBound"),
        (policy("ChangeInCapacity", (0, 6, 1), (5, INFINITE, 2)), "overlap between 6 and 5"),
        (policy("ChangeInCapacity", (0, 4, 1), (5, INFINITE, 2)), "leave a gap between 4 and 5"),
        (policy("ChangeInCapacity", (0, 4, 1)), "need a step without MetricIntervalUpperBound"),
        (policy("ChangeInCapacity", (-4, 0, 1)), "need a step without MetricIntervalLowerBound"),
        (policy("ExactCapacity", (0, INFINITE, -1)), "-1 is not a number of instances"),
    ],
)
def test_steps_that_cannot_be_are_refused(configuration: dict[str, Any], said: str) -> None:
    assert said in str(fault_of(configuration))


def test_steps_that_meet_are_taken() -> None:
    assert fault_of(policy("ChangeInCapacity", *BOTH, Cooldown=0)) is None
    assert fault_of(policy("PercentChangeInCapacity", (-INFINITE, 0, -10), MinAdjustmentMagnitude=2)) is None
