"""What the service would refuse of a stage is refused offline, with a sentence that says what is allowed."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.settings.stage_settings import StageSettings

ALARMS: dict[str, Any] = {"max_error_rate": 0.02}


def stage(count: int = 2, deployment: dict[str, Any] | None = None, **fields: Any) -> StageSettings:
    machines = {} if "serverless" in fields else {"instance_type": "ml.m5.large", "instance_count": count}
    return StageSettings.model_validate({**machines, "deployment": deployment or {}, **fields})


def test_a_stage_needs_no_more_than_its_machines() -> None:
    found = stage()
    assert found.deployment.strategy == "all_at_once"
    assert found.capture is not False
    assert found.capture.sampling_percent == 100


@pytest.mark.parametrize(
    ("strategy", "size", "count", "step"),
    [
        ("canary", {"size_percent": 50}, 2, 1),
        ("canary", {"size_instances": 1}, 2, 1),
        ("canary", {"size_percent": 10}, 11, 2),
        ("linear", {"size_percent": 10}, 10, 1),
        ("linear", {"size_percent": 50}, 2, 1),
        ("rolling", {"size_percent": 5}, 20, 1),
    ],
)
def test_sizes_that_the_service_takes(strategy: str, size: dict[str, int], count: int, step: int) -> None:
    assert stage(count, {"strategy": strategy, **size}).deployment.step_instances(count) == step


@pytest.mark.parametrize(
    ("strategy", "size", "count", "words"),
    [
        ("canary", {"size_percent": 10}, 1, r"10 % of instance_count 1 is 1 of 1 instances \(100%\)"),
        ("canary", {"size_percent": 51}, 100, "at most 50%"),
        ("canary", {"size_instances": 2}, 3, "at most 50%"),
        ("linear", {"size_percent": 9}, 100, "10% to 50%"),
        ("linear", {"size_instances": 1}, 11, "10% to 50%"),
        ("rolling", {"size_percent": 4}, 100, "5% to 50%"),
        ("canary", {}, 2, "needs either size_percent or size_instances"),
        ("linear", {"size_percent": 50, "size_instances": 1}, 2, "needs either size_percent or size_instances"),
        ("all_at_once", {"size_percent": 50}, 2, "has no meaning with the strategy all_at_once"),
        ("weighted", {"size_instances": 1}, 2, "shifts requests, not instances: give size_percent"),
        ("weighted", {"size_percent": 101}, 2, "less than or equal to 100"),
        ("weighted", {"size_percent": 10}, 1, "needs a wait_seconds above 0"),
    ],
)
def test_sizes_that_it_refuses(strategy: str, size: dict[str, int], count: int, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        stage(count, {"strategy": strategy, **size})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"wait_seconds": 3601}, "3600"),
        ({"termination_wait_seconds": 3601}, "3600"),
        ({"limit_seconds": 599}, "600"),
        ({"limit_seconds": 28801}, "28800"),
        ({"wait_seconds": 400, "termination_wait_seconds": 200, "limit_seconds": 600}, "must be less than"),
        ({"alarms": ALARMS}, "wait_seconds above 0"),
        ({"alarms": {**ALARMS, "period_seconds": 120}, "wait_seconds": 119}, "could not be raised in time"),
        ({"alarms": {**ALARMS, "period_seconds": 61}, "wait_seconds": 600}, "multiple of 60"),
        ({"min_requests": 1, "wait_seconds": 60}, "needs alarms"),
        (
            {"strategy": "rolling", "size_percent": 50, "termination_wait_seconds": 1},
            "no meaning with",
        ),
    ],
)
def test_waits_and_alarms_that_cannot_be(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        stage(2, fields)


WEIGHTED = {"strategy": "weighted", "size_percent": 1, "wait_seconds": 60}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"size_percent": None}, "needs either size_percent or size_instances"),
        ({"limit_seconds": 7200}, "limit_seconds has no meaning with the strategy weighted"),
        ({"wait_seconds": 288}, r"28800 s in all, which must be less than 28800 s, the longest shift"),
    ],
)
def test_what_a_weighted_shift_cannot_have(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        stage(2, {**WEIGHTED, **fields})


def test_a_weighted_shift_is_of_requests_however_few_instances_there_are() -> None:
    found = stage(1, {**WEIGHTED, "wait_seconds": 287}).deployment
    assert (found.steps(1), found.waits(1)) == (100, 28700)
    assert stage(1, {**WEIGHTED, "size_percent": 40}).deployment.steps(1) == 3


def test_a_weighted_shift_is_neither_scaled_nor_serverless() -> None:
    scaling = {"min_instances": 1, "max_instances": 2, "invocations_per_instance": 600.0}
    machines = {"instance_type": "ml.m5.large", "deployment": WEIGHTED}
    with pytest.raises(ValidationError, match="autoscaling is not possible with the strategy weighted"):
        StageSettings.model_validate({**machines, "autoscaling": scaling})
    with pytest.raises(ValidationError, match="not possible with serverless"):
        StageSettings.model_validate({"serverless": SERVERLESS, "deployment": WEIGHTED})


def test_an_alarm_that_just_fits_the_baking() -> None:
    found = stage(2, {"alarms": {**ALARMS, "period_seconds": 120}, "wait_seconds": 120, "min_requests": 5})
    assert found.deployment.guarded


SERVERLESS = {"memory_mb": 2048, "max_concurrency": 5}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"deployment": {"strategy": "canary", "size_percent": 50}}, "not possible with serverless"),
        ({"capture": {"sampling_percent": 50}}, "does not capture data of serverless"),
        ({"instance_count": 2}, "instance_count has no meaning"),
        ({"instance_type": "ml.m5.large"}, "either instance_type or serverless"),
        ({"serverless": {**SERVERLESS, "memory_mb": 1500}}, "multiple of 1024"),
    ],
)
def test_what_serverless_has_not(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        StageSettings.model_validate({"serverless": SERVERLESS, **fields})


def test_waits_add_up_over_the_steps() -> None:
    canary = stage(4, {"strategy": "canary", "size_percent": 25, "wait_seconds": 100, "termination_wait_seconds": 30})
    assert (canary.deployment.steps(4), canary.deployment.waits(4)) == (2, 230)
    linear = stage(4, {"strategy": "linear", "size_percent": 25, "wait_seconds": 100})
    assert (linear.deployment.steps(4), linear.deployment.waits(4)) == (4, 400)
    assert stage(2, {"wait_seconds": 100}).deployment.waits(2) == 100


@pytest.mark.parametrize(
    ("text", "stay"),
    [
        ("1 minute", timedelta(minutes=1)),
        ("90 minutes", timedelta(minutes=90)),
        ("8 hours", timedelta(hours=8)),
        ("366 days", timedelta(days=366)),
    ],
)
def test_a_stage_says_how_long_it_stays(text: str, stay: timedelta) -> None:
    assert stage(remove_after=text).stay == stay
    assert stage().stay is None


@pytest.mark.parametrize(
    "text",
    ["8", "8h", "0 hours", "-1 hours", "1.5 hours", "8 weeks", "hours", "", "8  hours", "8 hours ", "two hours"],
)
def test_what_says_no_time_to_stay_is_named_with_what_does(text: str) -> None:
    with pytest.raises(ValidationError, match="write a whole number of minutes, hours or days, as in 8 hours"):
        stage(remove_after=text)


def test_a_stay_is_longer_than_an_update_and_no_longer_than_a_year() -> None:
    with pytest.raises(ValidationError, match="at most 366 days are allowed"):
        stage(remove_after="367 days")
    canary = {"strategy": "canary", "size_percent": 50, "wait_seconds": 300}
    with pytest.raises(ValidationError, match="remove_after is 10 minutes, and an update waits 600 s"):
        stage(deployment=canary, remove_after="10 minutes")
    assert stage(deployment=canary, remove_after="11 minutes").stay == timedelta(minutes=11)


SCALED = {"min_instances": 1, "max_instances": 4, "invocations_per_instance": 600.0}


def test_a_count_may_be_at_both_ends_of_the_scaling() -> None:
    for count in (1, 4):
        settings = StageSettings.model_validate(
            {"instance_type": "ml.m5.large", "instance_count": count, "autoscaling": SCALED}
        )
        assert settings.autoscaling is not None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"instance_count": 5}, "instance_count 5 must lie within"),
        ({"autoscaling": {**SCALED, "min_instances": 2}}, "instance_count 1 must lie within"),
        ({"autoscaling": {**SCALED, "min_instances": 0}}, "greater than or equal to 1"),
        ({"autoscaling": {**SCALED, "invocations_per_instance": 0.0}}, "greater than 0"),
        ({"autoscaling": {**SCALED, "invocations_per_instance": float("inf")}}, "finite"),
        ({"autoscaling": {**SCALED, "scale_in_cooldown_seconds": -1}}, "greater than or equal to 0"),
        ({"instance_type": "ml.t2.medium"}, "does not scale ml.t2.medium"),
        (
            {"instance_type": None, "serverless": {"memory_mb": 1024, "max_concurrency": 1}},
            "autoscaling has no meaning with serverless",
        ),
    ],
)
def test_what_cannot_be_scaled(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        StageSettings.model_validate({"instance_type": "ml.m5.large", "autoscaling": SCALED, **fields})
