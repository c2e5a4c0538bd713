"""What a stage serves goes on to the next only after its time, its requests, and without what raises an alarm."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from deployment.errors import DeploymentError
from deployment.guard import AlarmLimits
from deployment.promotion import Conditions, promotable
from tests.deployment.conftest import Hosting
from tests.deployment.test_deploy import ENDPOINT, deploy

LIMITS = AlarmLimits(0.01, 500.0, 60, 2)


class Measured:
    """CloudWatch with the values of metrics, one a minute."""

    def __init__(self, **values: Sequence[float]) -> None:
        self.values = values
        self.periods: list[int] = []

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, MetricDataQueries: Any, StartTime: datetime, **_: Any) -> list[dict[str, Any]]:
        stat = MetricDataQueries[0]["MetricStat"]
        self.periods.append(stat["Period"])
        values = self.values.get(stat["Metric"]["MetricName"], ())
        moments = [StartTime + timedelta(minutes=number) for number, _ in enumerate(values)]
        return [{"MetricDataResults": [{"Timestamps": moments, "Values": list(values)}]}]


def asked(hosting: Hosting, conditions: Conditions, minutes: float = 10.0, **values: Sequence[float]) -> str:
    """Promote what the stage has served for so many minutes."""
    outcome = deploy(hosting, hosting.register())
    since = datetime.now(timezone.utc) - timedelta(minutes=minutes)
    hosting.tags[outcome.endpoint_arn]["deployed-at"] = since.isoformat()
    return promotable(hosting.sagemaker, Measured(**values), ENDPOINT, "staging", conditions)


def test_the_version_that_serves_is_what_is_promoted(hosting: Hosting) -> None:
    assert asked(hosting, Conditions()) == hosting.packages[0]["ModelPackageArn"]


def test_nothing_is_promoted_from_a_stage_that_serves_nothing(hosting: Hosting) -> None:
    with pytest.raises(DeploymentError, match="The stage staging is not deployed"):
        promotable(hosting.sagemaker, Measured(), ENDPOINT, "staging", Conditions())


@pytest.mark.parametrize(("minutes", "enough"), [(9.9, False), (10.1, True)])
def test_it_must_have_served_long_enough(hosting: Hosting, minutes: float, enough: bool) -> None:
    if enough:
        assert asked(hosting, Conditions(minutes=10), minutes)
    else:
        with pytest.raises(DeploymentError, match="10 min are needed"):
            asked(hosting, Conditions(minutes=10), minutes)


@pytest.mark.parametrize(("requests", "enough"), [([5, 4], False), ([5, 5], True)])
def test_it_must_have_been_asked_often_enough(hosting: Hosting, requests: list[float], enough: bool) -> None:
    if enough:
        assert asked(hosting, Conditions(requests=10), Invocations=requests)
    else:
        with pytest.raises(DeploymentError, match=r"asked 9 times since it serves .* 10 are needed"):
            asked(hosting, Conditions(requests=10), Invocations=requests)


@pytest.mark.parametrize(
    "values",
    [
        {"Invocation5XXErrors": [0.01, 0.01, 0.01]},  # at the limit
        {"Invocation5XXErrors": [0.5, 0.0, 0.5]},  # never for two periods on end
        {"ModelLatency": [500_000.0] * 3},
        {"ModelLatency": [900_000.0]},
    ],
)
def test_what_raises_no_alarm_is_promoted(hosting: Hosting, values: dict[str, list[float]]) -> None:
    assert asked(hosting, Conditions(limits=LIMITS), **values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"Invocation5XXErrors": [0.0, 0.02, 0.03]}, r"share of 5xx answers\) was 0.02, and 0.01 is the most"),
        ({"ModelLatency": [1.0, 500_001.0, 500_001.0]}, r"p99, microseconds\) was 500001, and 500000 is the most"),
    ],
)
def test_what_would_have_raised_an_alarm_is_not(hosting: Hosting, values: dict[str, list[float]], words: str) -> None:
    with pytest.raises(DeploymentError, match=words):
        asked(hosting, Conditions(limits=LIMITS), **values)
