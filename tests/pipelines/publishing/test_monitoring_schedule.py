"""The schedule here and the one of the stack are the same."""

from dataclasses import replace
from typing import Any

import pytest

from infrastructure.template import FOLDER, Resolved, read_template
from pipelines.publishing.monitoring_schedule import schedule_request
from pipelines.settings.environment import Environment
from pipelines.settings.settings import default_config, load_settings

SETTINGS = load_settings(default_config())
ARN = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/house-prices-monitoring"
AWS = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "000000000000"}


def of_the_stack(**given: str) -> dict[str, Any]:
    template = read_template(FOLDER / "monitoring.yaml")
    role = Environment.from_env({}).role_arn
    found = Resolved(template, {**AWS, "SchedulerRoleArn": role, **given}).resources["Windows"]["Properties"]
    target = {name: value for name, value in found["Target"].items() if name != "DeadLetterConfig"}
    return {**{name: value for name, value in found.items() if name != "ScheduleExpressionTimezone"}, "Target": target}


def test_it_is_that_of_the_stack_but_for_the_queue() -> None:
    environment = Environment.from_env({})
    assert schedule_request(SETTINGS, environment, ARN, "production", None) == of_the_stack()
    data = "s3://bucket/sales/"
    assert schedule_request(SETTINGS, environment, ARN, "staging", data) == of_the_stack(
        MonitoredStage="staging", MonitoringData=data
    )


@pytest.mark.parametrize(("days", "rate"), [(1, "rate(1 day)"), (2, "rate(2 days)")])
def test_its_rate_is_a_window(days: int, rate: str) -> None:
    settings = SETTINGS.model_copy(update={"monitoring": replace(SETTINGS.monitoring, window_days=days)})
    assert schedule_request(settings, Environment.from_env({}), ARN, "staging", None)["ScheduleExpression"] == rate
