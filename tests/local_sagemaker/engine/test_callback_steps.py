"""Callback steps: the message with the token, the answer, and an execution that is stopped meanwhile."""

import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker.engine.callback_steps import CallbackSteps, queue_of
from local_sagemaker.state.database import Database
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.work.callbacks import Callbacks
from tests.conftest import LocalServer
from tests.local_sagemaker.conftest import Pipelines, step

DECLARED = [{"OutputName": "rows", "OutputType": "Integer"}, {"OutputName": "where", "OutputType": "String"}]


class Queue:
    """A queue of its own for a test."""

    def __init__(self, server: LocalServer, name: str) -> None:
        self._sqs = server.client("sqs")
        self.url = self._sqs.create_queue(QueueName=name)["QueueUrl"]

    def next(self) -> dict[str, Any]:
        """The body of the next message, waited for."""
        deadline = time.monotonic() + 20
        while True:
            messages = self._sqs.receive_message(QueueUrl=self.url).get("Messages", [])
            if messages:
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=messages[0]["ReceiptHandle"])
                body: dict[str, Any] = json.loads(messages[0]["Body"])
                return body
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture
def queue(server: LocalServer, request: pytest.FixtureRequest) -> Queue:
    return Queue(server, request.node.name.replace("[", "-").replace("]", "")[:80])


def waiting(queue: Queue) -> list[dict[str, Any]]:
    """A Callback step, and a Fail step that shows its outputs when they are more than ten rows."""
    call = step("Call", "Callback", {"n": {"Get": "Parameters.N"}}, SqsQueueUrl=queue.url, OutputParameters=DECLARED)
    outputs = [{"Get": f"Steps.Call.OutputParameters['{name}']"} for name in ("rows", "where")]
    many = {"Type": "GreaterThan", "LeftValue": outputs[0], "RightValue": 10}
    message = {"ErrorMessage": {"Std:Join": {"On": " rows in ", "Values": outputs}}}
    gate = step("Many", "Condition", {"Conditions": [many], "IfSteps": [step("Stop", "Fail", message)]})
    return [call, gate]


def started(pipelines: Pipelines, queue: Queue) -> tuple[str, dict[str, Any]]:
    """The ARN of an execution, and the message that its step sent."""
    parameters = [{"Name": "N", "Type": "Integer", "DefaultValue": 3}]
    arn = pipelines.start(pipelines.create(*waiting(queue), parameters=parameters))
    return arn, queue.next()


def test_the_message_has_the_token_and_the_answer_has_typed_outputs(
    pipelines: Pipelines, sagemaker: Any, queue: Queue
) -> None:
    arn, message = started(pipelines, queue)
    token = message.pop("token")
    assert message == {"pipelineExecutionArn": arn, "arguments": {"n": 3}, "status": "Executing"}
    assert pipelines.steps(arn)["Call"]["Metadata"]["Callback"] == {"CallbackToken": token, "SqsQueueUrl": queue.url}
    with pytest.raises(ClientError, match="output parameter rows is of type Integer; 'many' is not"):
        sagemaker.send_pipeline_execution_step_success(
            CallbackToken=token, OutputParameters=[{"Name": "rows", "Value": "many"}]
        )
    outputs = [{"Name": "rows", "Value": "12"}, {"Name": "where", "Value": "s3://b/k"}]
    answer = {"CallbackToken": token, "OutputParameters": outputs, "ClientRequestToken": "c" * 32}
    assert sagemaker.send_pipeline_execution_step_success(**answer)["PipelineExecutionArn"] == arn
    assert sagemaker.send_pipeline_execution_step_success(**answer)["PipelineExecutionArn"] == arn
    with pytest.raises(ClientError, match=r"ConflictException.*has already ended"):
        sagemaker.send_pipeline_execution_step_failure(CallbackToken=token)
    pipelines.finish(arn)
    steps = pipelines.steps(arn)
    assert steps["Call"]["Metadata"]["Callback"]["OutputParameters"] == outputs
    assert steps["Stop"]["Metadata"]["Fail"]["ErrorMessage"] == "12 rows in s3://b/k"


def test_a_failure_that_is_sent_fails_the_step_with_its_reason(
    pipelines: Pipelines, sagemaker: Any, queue: Queue
) -> None:
    arn, message = started(pipelines, queue)
    sagemaker.send_pipeline_execution_step_failure(CallbackToken=message["token"], FailureReason="nobody is in")
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Failed"
    assert pipelines.steps(arn)["Call"]["FailureReason"] == "nobody is in"


def test_an_execution_that_is_stopped_says_so_to_the_queue_and_waits_for_the_answer(
    pipelines: Pipelines, sagemaker: Any, queue: Queue
) -> None:
    arn, message = started(pipelines, queue)
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="s" * 32)
    assert queue.next() == {**message, "status": "Stopping"}
    assert sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Stopping"
    sagemaker.send_pipeline_execution_step_failure(CallbackToken=message["token"], FailureReason="stopped")
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Stopped"


def test_a_queue_that_does_not_exist_fails_the_step(pipelines: Pipelines) -> None:
    url = "https://sqs.us-east-1.amazonaws.com/000000000000/nowhere"
    execution = pipelines.run(pipelines.create(step("Call", "Callback", {}, SqsQueueUrl=url)))
    reason = pipelines.steps(execution["PipelineExecutionArn"])["Call"]["FailureReason"]
    assert reason == "ClientError: The SQS queue nowhere does not exist in us-east-1."


def test_an_unknown_token_is_said_to_be_none(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match=r"ResourceNotFound.*abcdefghij does not exist"):
        sagemaker.send_pipeline_execution_step_failure(CallbackToken="abcdefghij")


def test_a_server_that_goes_down_does_not_wait_for_an_answer(new_server: Callable[[], LocalServer]) -> None:
    server = new_server()
    server.up()
    pipelines = Pipelines(server.client("sagemaker"))
    arn, message = started(pipelines, Queue(server, "down"))
    begun = time.monotonic()
    server.down()
    assert time.monotonic() - begun < 12
    server.up()
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Stopped"
    with pytest.raises(ClientError, match="has already ended"):
        server.client("sagemaker").send_pipeline_execution_step_success(CallbackToken=message["token"])


@pytest.mark.parametrize(
    ("url", "queue"),
    [
        ("https://sqs.eu-west-1.example/000000000000/q", ("eu-west-1", "q")),
        ("https://sqs.eu-west-1.amazonaws.com/000000000000/q", ("eu-west-1", "q")),
        ("http://127.0.0.1:5599/000000000000/q", ("us-east-1", "q")),
        ("http://sqs.us-west-2.localhost.localstack.cloud:4566/000000000000/q", ("us-west-2", "q")),
    ],
)
def test_a_queue_is_known_by_its_url(url: str, queue: tuple[str, str]) -> None:
    assert queue_of(url, "us-east-1") == queue


@pytest.mark.parametrize(
    ("failure", "stopping", "status"),
    [("no room", False, "Failed"), ("no room", True, "Stopped"), (None, False, "Stopped"), (None, True, "Stopped")],
)
def test_a_step_without_outputs_has_failed_only_where_somebody_says_why_and_nobody_stops_it(
    tmp_path: Path, failure: str | None, stopping: bool, status: str
) -> None:
    callbacks = Callbacks(Records(Database(tmp_path / "state.db")))
    sent: list[dict[str, Any]] = []

    def send(region: str, queue: str, body: str) -> None:
        sent.append(json.loads(body))
        waiting = callbacks._waiting[sent[0]["token"]]
        waiting.failure = failure
        waiting.answered.set()

    event = threading.Event()
    if stopping:
        event.set()
    url = "https://sqs.eu-west-1.amazonaws.com/000000000000/q"
    task: Any = SimpleNamespace(
        step=SimpleNamespace(raw={"SqsQueueUrl": url}), scope=None, arguments={"n": 3}, execution_arn="arn:x",
        started=lambda *announced: None, stopping=event,
    )  # fmt: skip
    result = CallbackSteps(callbacks, send).run(task, Caller("000000000000", "us-east-1"))
    assert (result.status, result.failure_reason) == (status, failure)
    (message,) = sent
    assert re.fullmatch(r"[A-Za-z0-9]{10}", message.pop("token"))  # as the guide's
    assert message == {"pipelineExecutionArn": "arn:x", "arguments": {"n": 3}, "status": "Executing"}
