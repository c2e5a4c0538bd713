"""Schedules that are kept and called, with a clock that the tests move."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.clock import Clock
from local_sagemaker.errors import ServiceError
from local_sagemaker.schedules.operations import Schedules
from local_sagemaker.schedules.runner import Runner
from local_sagemaker.schedules.targets import Targets
from local_sagemaker.state.database import Database
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.work.tags import Tags

CALLER = Caller("000000000000", "us-east-1")
ROLE = "arn:aws:iam::000000000000:role/scheduler"
DELETE = "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint"
PIPELINE = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/monitoring"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:lost"
START = 1_800_000_000.0  # 2027-01-15T08:00:00Z
MINUTE, DAY = 60.0, 86400.0


class World:
    """A scheduler, what it has called, and how those calls end."""

    def __init__(self, folder: Path, scale: float = 1.0) -> None:
        self.now = START
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.sent: list[str] = []
        self.delivered: list[tuple[str, Any]] = []
        self.fault: ServiceError | None = None
        self.records = Records(Database(folder / "state.db"))
        operations = {"DeleteEndpoint": None, "StartPipelineExecution": None}
        self.targets = Targets(
            lambda: operations,
            self.call,
            lambda arn, event: self.delivered.append((arn, event)),
            lambda _region, _queue, text: self.sent.append(text),
        )
        self.schedules = Schedules(self.records, Tags(self.records), self.targets, lambda *_: None, lambda: self.now)
        self.restart(scale)

    def restart(self, scale: float = 1.0) -> None:
        """A new runner, as a new server has one."""
        self.runner = Runner(self.records, self.targets, Clock(scale), CALLER.account, lambda: self.now)

    def call(self, operation: str, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        assert caller.identity.name == "scheduler"
        self.called.append((operation, request))
        if self.fault is not None:
            raise self.fault
        return {}

    def create(self, expression: str, **fields: Any) -> None:
        self.schedules.create_schedule(request(expression, **fields), CALLER)

    def pass_time(self, seconds: float) -> int:
        """How many calls there were when a time had passed."""
        self.now += seconds
        before = len(self.called)
        self.runner.look()
        return len(self.called) - before

    def names(self) -> list[str]:
        return [each["Name"] for each in self.schedules.list_schedules({}, CALLER)["Schedules"]]


def request(expression: str, **fields: Any) -> dict[str, Any]:
    target = {"Arn": DELETE, "RoleArn": ROLE, "Input": '{"EndpointName": "dev"}'}
    window = {"Mode": "OFF"}
    return {"Name": "it", "ScheduleExpression": expression, "Target": target, "FlexibleTimeWindow": window, **fields}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_schedule_of_one_time_calls_its_target_then_and_once(world: World) -> None:
    world.create("at(2027-01-15T09:00:00)", ScheduleExpressionTimezone="UTC")
    assert world.pass_time(3599) == 0
    assert world.pass_time(1) == 1
    assert world.called == [("DeleteEndpoint", {"EndpointName": "dev"})]
    assert world.pass_time(DAY) == 0
    assert world.names() == ["it"]  # it stays, unless it says otherwise


def test_a_schedule_that_says_so_is_deleted_after_its_last_time(world: World) -> None:
    world.create("at(2027-01-15T09:00:00)", ActionAfterCompletion="DELETE")
    world.create("rate(1 minute)", Name="minutes", ActionAfterCompletion="DELETE", EndDate=START + 90)
    assert [world.pass_time(0), world.pass_time(60), world.pass_time(60)] == [1, 1, 0]
    assert world.names() == ["it"]
    assert world.pass_time(3600) == 1
    assert world.names() == []


def test_a_rate_begins_at_once_or_with_its_start(world: World) -> None:
    world.create("rate(10 minutes)")
    world.create("rate(10 minutes)", Name="later", StartDate=START + 5 * MINUTE)
    assert [world.pass_time(0), world.pass_time(5 * MINUTE), world.pass_time(5 * MINUTE)] == [1, 1, 1]


def test_what_came_due_while_the_server_was_down_is_called_once_when_it_is_up(world: World) -> None:
    world.create("at(2027-01-15T09:00:00)", Name="once")
    world.create("cron(0 * * * ? *)", Name="hourly")
    world.now += 3 * DAY + 60
    world.restart()
    assert world.pass_time(0) == 2
    assert world.pass_time(3480) == 0
    assert world.pass_time(60) == 1


def test_a_flexible_window_is_kept_to(world: World) -> None:
    world.create("at(2027-01-15T09:00:00)", FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15})
    calls = [world.pass_time(MINUTE) for _ in range(76)]
    assert sum(calls) == 1
    assert 60 < calls.index(1) + 1 <= 75


def test_a_disabled_schedule_calls_nothing_and_an_enabled_one_goes_on_from_now(world: World) -> None:
    world.create("rate(10 minutes)", State="DISABLED")
    assert world.pass_time(25 * MINUTE) == 0
    world.schedules.update_schedule(request("rate(10 minutes)"), CALLER)
    assert [world.pass_time(0), world.pass_time(5 * MINUTE)] == [0, 1]


def test_a_fault_of_the_service_is_tried_again_and_one_of_the_request_is_not(world: World) -> None:
    world.fault = ServiceError("InternalFailure", "down", 500)
    target = request("")["Target"]
    retries = {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 86400}
    lost = {"DeadLetterConfig": {"Arn": QUEUE}}
    world.create("at(2027-01-15T09:00:00)", Target={**target, "RetryPolicy": retries, **lost})
    assert [world.pass_time(3600), world.pass_time(1), world.pass_time(1)] == [1, 0, 1]
    assert [world.pass_time(4), world.pass_time(DAY)] == [1, 0]
    assert json.loads(world.sent[0])["Error"] == "down"
    world.fault = ServiceError("ValidationException", "Could not find endpoint.")
    world.create("rate(1 hour)", Name="other", Target={**target, **lost})
    assert [world.pass_time(0), world.pass_time(60), world.pass_time(3600)] == [1, 0, 1]
    assert len(world.sent) == 3


def test_an_attempt_is_not_made_when_the_event_is_too_old(world: World) -> None:
    world.fault = ServiceError("InternalFailure", "down", 500)
    target = {**request("")["Target"], "RetryPolicy": {"MaximumEventAgeInSeconds": 60}}
    world.create("at(2027-01-15T09:00:00)", Target=target)
    calls = [world.pass_time(3600)] + [world.pass_time(1) for _ in range(200)]
    assert sum(calls) == 6  # after 0, 2, 6, 14, 30 and 62 seconds


def test_the_input_has_the_keywords_of_scheduler_replaced(world: World) -> None:
    text = '{"EndpointName": "<aws.scheduler.attempt-number>-<aws.scheduler.scheduled-time>"}'
    world.create("at(2027-01-15T09:00:00)", Target={**request("")["Target"], "Input": text})
    world.pass_time(4000)
    assert world.called[0][1] == {"EndpointName": "1-2027-01-15T09:00:00Z"}


def test_a_pipeline_is_started_with_its_parameters_and_a_token_that_a_crash_does_not_change(world: World) -> None:
    parameters = {"PipelineParameterList": [{"Name": "Stage", "Value": "production"}]}
    world.create(
        "at(2027-01-15T09:00:00)", Target={"Arn": PIPELINE, "RoleArn": ROLE, "SageMakerPipelineParameters": parameters}
    )
    schedule = world.records.all("schedule")[0]
    world.pass_time(3600)
    world.records.put("schedule", "us-east-1/default/it", schedule)  # as before the call: the server was killed in it
    world.restart()
    assert world.pass_time(60) == 1
    (_, first), (_, second) = world.called
    assert first == second
    assert first["PipelineParameters"] == parameters["PipelineParameterList"]
    assert len(first["ClientRequestToken"]) >= 32


def test_functions_and_queues_are_targets_too(world: World) -> None:
    function = "arn:aws:lambda:us-east-1:000000000000:function:collect"
    world.create("rate(1 day)", Target={"Arn": function, "RoleArn": ROLE, "Input": '{"a": 1}'})
    world.create("rate(1 day)", Name="queue", Target={"Arn": QUEUE, "RoleArn": ROLE, "Input": "words"})
    world.pass_time(0)
    assert (world.delivered, world.sent) == ([(function, {"a": 1})], ["words"])


def test_time_that_passes_faster_shortens_what_a_schedule_waits(tmp_path: Path) -> None:
    world = World(tmp_path, scale=60)
    world.create("at(2027-01-15T09:00:00)")
    assert world.pass_time(59) == 0
    assert world.pass_time(1) == 1


REFUSED = {
    "past": ({"ScheduleExpression": "at(2027-01-15T08:00:00)"}, "in the past"),
    "expression": ({"ScheduleExpression": "daily"}, "Invalid Schedule Expression daily"),
    "zone": ({"ScheduleExpressionTimezone": "Mars"}, "'Mars' is not an IANA time zone"),
    "early": ({"StartDate": START - 301}, "cannot be earlier than 5 minutes ago"),
    "text": ({"StartDate": "2027-01-15"}, "StartDate is not a moment"),
    "far": ({"EndDate": 1e18}, "EndDate is not a moment"),
    "ended": ({"EndDate": START - 1}, "EndDate you specify is in the past"),
    "order": ({"StartDate": START + 60, "EndDate": START + 60}, "must be after the StartDate"),
    "window": ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes"),
    "group": ({"GroupName": "none"}, "group none does not exist"),
    "read": ({"Target": {"Arn": DELETE.replace("delete", "describe"), "RoleArn": ROLE}}, "only read"),
    "unknown": ({"Target": {"Arn": DELETE + "s", "RoleArn": ROLE}}, "no operation deleteEndpoints"),
    "not here": ({"Target": {"Arn": DELETE.replace("Endpoint", "Domain"), "RoleArn": ROLE}}, "DeleteDomain"),
    "service": ({"Target": {"Arn": DELETE.replace("sagemaker", "ec2"), "RoleArn": ROLE}}, "ec2:deleteEndpoint"),
    "input": ({"Target": {"Arn": DELETE, "RoleArn": ROLE, "Input": "{"}}, "not the JSON object"),
    "no input": ({"Target": {"Arn": DELETE, "RoleArn": ROLE}}, "not the JSON object"),
    "target": ({"Target": {"Arn": "arn:aws:ecs:us-east-1:000000000000:cluster/a", "RoleArn": ROLE}}, "cluster/a"),
    "pipeline's input": ({"Target": {"Arn": PIPELINE, "RoleArn": ROLE, "Input": "{}"}}, "instead of Input"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_scheduler_refuses_is_refused_and_nothing_is_kept(world: World, case: str) -> None:
    fields, words = REFUSED[case]
    with pytest.raises(ServiceError, match=words):
        world.create(**{"expression": "rate(1 day)", **request("rate(1 day)"), **fields})
    assert world.names() == []


def test_a_name_is_taken_once_and_a_token_answers_again(world: World) -> None:
    world.create("rate(1 day)", ClientToken="a")
    world.create("rate(1 day)", ClientToken="a")
    for token, expression in (("a", "rate(2 days)"), ("b", "rate(1 day)")):
        with pytest.raises(ServiceError) as refused:
            world.create(expression, ClientToken=token)
        assert refused.value.code == "ConflictException"


def test_groups_hold_schedules_and_are_deleted_with_them(world: World) -> None:
    make: Callable[..., Any] = world.schedules.create_schedule_group
    make({"Name": "dev", "Tags": [{"Key": "team", "Value": "a"}]}, CALLER)
    world.create("rate(1 day)", GroupName="dev")
    world.create("rate(1 day)")
    assert len(world.schedules.list_schedules({"GroupName": "dev"}, CALLER)["Schedules"]) == 1
    arn = world.schedules.get_schedule_group({"Name": "dev"}, CALLER)["Arn"]
    assert world.schedules.list_tags_for_resource({"ResourceArn": arn}, CALLER)["Tags"][0]["Value"] == "a"
    world.schedules.delete_schedule_group({"Name": "dev"}, CALLER)
    assert world.names() == ["it"]
    with pytest.raises(ServiceError, match="default schedule group"):
        world.schedules.delete_schedule_group({"Name": "default"}, CALLER)


def test_a_schedule_that_is_deleted_while_its_target_is_called_stays_deleted(world: World) -> None:
    world.create("rate(1 minute)")

    def call(*_: Any) -> dict[str, Any]:
        world.schedules.delete_schedule({"Name": "it"}, CALLER)
        return {}

    world.call = call  # type: ignore[method-assign]
    world.targets = Targets(lambda: {"DeleteEndpoint": None}, call, lambda *_: None, lambda *_: None)
    world.restart()
    world.pass_time(0)
    assert world.names() == []
