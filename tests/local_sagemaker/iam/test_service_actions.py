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


def test_a_schedule_is_a_resource_in_its_group_and_its_role_is_passed() -> None:
    role = "arn:aws:iam::111122223333:role/scheduler"
    fields = {"Name": "nightly", "GroupName": "dev", "Target": {"RoleArn": role}}
    asked = Asked("POST", "/schedules/nightly", "", "CreateSchedule", fields)
    own, passed = service_accesses("scheduler", asked, "111122223333", "eu-west-1")
    assert (own.action, own.resource) == (
        "scheduler:CreateSchedule",
        "arn:aws:scheduler:eu-west-1:111122223333:schedule/dev/nightly",
    )
    assert (passed.action, passed.resource) == ("iam:PassRole", role)
    assert passed.context == {"iam:PassedToService": ("scheduler.amazonaws.com",)}
    for action, given, resource in (
        ("GetSchedule", {"Name": "a"}, "arn:aws:scheduler:eu-west-1:111122223333:schedule/default/a"),
        ("DeleteScheduleGroup", {"Name": "g"}, "arn:aws:scheduler:eu-west-1:111122223333:schedule-group/g"),
        ("ListSchedules", {}, "*"),
    ):
        (only,) = service_accesses("scheduler", Asked("GET", "/", "", action, given), "111122223333", "eu-west-1")
        assert (only.action, only.resource) == (f"scheduler:{action}", resource)
