"""Schedules of a real server, asked for by boto3."""

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import LocalServer, kill
from tests.local_sagemaker.conftest import ROLE, processing, step

pytestmark = pytest.mark.e2e

UNIVERSAL = "arn:aws:scheduler:::aws-sdk:sagemaker:"
OFF = {"Mode": "OFF"}
Wait = Callable[[Callable[[], bool]], None]


def soon(seconds: float) -> str:
    return f"at({datetime.now(timezone.utc) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S})"


def create(server: LocalServer, name: str, expression: str, action: str, given: dict[str, Any], **fields: Any) -> None:
    target = {"Arn": f"{UNIVERSAL}{action}", "RoleArn": ROLE, "Input": json.dumps(given)}
    server.client("scheduler").create_schedule(
        Name=name, ScheduleExpression=expression, Target=target, FlexibleTimeWindow=OFF, **fields
    )


def schedules(server: LocalServer) -> list[str]:
    return [each["Name"] for each in server.client("scheduler").list_schedules()["Schedules"]]


def groups(server: LocalServer) -> list[str]:
    found = server.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
    return [each["ModelPackageGroupName"] for each in found]


def test_a_schedule_calls_an_operation_once_and_is_gone(fast: LocalServer, wait_until: Wait) -> None:
    fast.client("sagemaker").create_model_package_group(ModelPackageGroupName="old")
    given = {"ModelPackageGroupName": "old"}
    create(fast, "remove", soon(60), "deleteModelPackageGroup", given, ActionAfterCompletion="DELETE")
    assert schedules(fast) == ["remove"]
    wait_until(lambda: schedules(fast) == [])
    assert "old" not in groups(fast)


def test_a_schedule_starts_a_pipeline_again_and_again(fast: LocalServer, wait_until: Wait) -> None:
    sagemaker = fast.client("sagemaker")
    definition = {"Version": "2020-12-01", "Steps": [step("A", "Processing", processing("true"))]}
    arn = sagemaker.create_pipeline(
        PipelineName="scheduled",
        PipelineDefinition=json.dumps(definition),
        RoleArn=ROLE,
        ClientRequestToken="0" * 32,
    )["PipelineArn"]
    client = fast.client("scheduler")
    target = {"Arn": arn, "RoleArn": ROLE}
    client.create_schedule(
        Name="runs", ScheduleExpression="rate(1 minute)", Target=target, FlexibleTimeWindow=OFF, State="ENABLED"
    )
    found = client.get_schedule(Name="runs")
    assert found["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    assert (found["ScheduleExpressionTimezone"], found["ActionAfterCompletion"]) == ("UTC", "NONE")
    assert abs(found["CreationDate"].timestamp() - time.time()) < 60

    def executions() -> int:
        listed = sagemaker.list_pipeline_executions(PipelineName="scheduled")
        return len(listed["PipelineExecutionSummaries"])

    wait_until(lambda: executions() >= 2)
    client.delete_schedule(Name="runs")
    count = executions()
    time.sleep(1)  # two minutes there
    assert executions() <= count + 1


def test_what_came_due_while_the_server_was_down_is_called_after_it(
    new_server: Callable[[], LocalServer], wait_until: Wait
) -> None:
    server = new_server()
    pid = server.up().pid
    create(server, "missed", soon(2), "createModelPackageGroup", {"ModelPackageGroupName": "made"})
    kill(pid)
    time.sleep(2.5)
    server.up()
    wait_until(lambda: groups(server) == ["made"])
    assert schedules(server) == ["missed"]
    time.sleep(0.3)
    assert groups(server) == ["made"]


def test_faults_have_the_codes_that_clients_know(server: LocalServer) -> None:
    client = server.client("scheduler")
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="Schedule none does not exist"):
        client.get_schedule(Name="none")
    with pytest.raises(client.exceptions.ValidationException, match="Invalid Schedule Expression"):
        create(server, "bad", "rate(5 weeks)", "deleteEndpoint", {"EndpointName": "a"})
    with pytest.raises(ClientError, match="failed to satisfy constraint"):
        create(server, "no spaces", "rate(1 day)", "deleteEndpoint", {"EndpointName": "a"})
    create(server, "twice", "rate(1 day)", "deleteEndpoint", {"EndpointName": "a"}, State="DISABLED")
    with pytest.raises(client.exceptions.ConflictException, match="already exists"):
        create(server, "twice", "rate(1 day)", "deleteEndpoint", {"EndpointName": "a"})
    client.create_schedule_group(Name="a-group", Tags=[{"Key": "team", "Value": "a"}])
    arn = client.get_schedule_group(Name="a-group")["Arn"]
    client.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == []
    first = client.list_schedule_groups(MaxResults=1)
    assert [each["Name"] for each in first["ScheduleGroups"]] == ["default"]
    rest = client.list_schedule_groups(NextToken=first["NextToken"])
    assert [each["Name"] for each in rest["ScheduleGroups"]] == ["a-group"]
