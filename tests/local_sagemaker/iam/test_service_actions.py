"""What requests to other services need."""

import pytest

from local_sagemaker.iam.service_actions import Asked, service_accesses

ALARM = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm"


@pytest.mark.parametrize(
    ("service", "action", "fields", "needed"),
    [
        ("monitoring", "PutMetricAlarm", {"AlarmName": "slow"}, [f"{ALARM}:slow"]),
        ("monitoring", "DeleteAlarms", {"AlarmNames": ["slow", "faulty"]}, [f"{ALARM}:slow", f"{ALARM}:faulty"]),
        ("cloudwatch", "DeleteAlarms", {"AlarmNames.member.1": "slow"}, [f"{ALARM}:slow"]),  # as a form has a list
        ("monitoring", "DescribeAlarms", {}, ["*"]),
        ("monitoring", "GetMetricData", {"MetricDataQueries": []}, ["*"]),
    ],
)
def test_alarms_are_resources_and_metrics_are_none(
    service: str, action: str, fields: dict[str, object], needed: list[str]
) -> None:
    found = service_accesses(service, Asked("POST", "/", "", action, fields), "111122223333", "eu-west-1")
    assert [(each.action, each.resource) for each in found] == [(f"cloudwatch:{action}", arn) for arn in needed]
