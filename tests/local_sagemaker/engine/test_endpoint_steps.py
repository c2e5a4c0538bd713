"""EndpointConfig and Endpoint steps: an endpoint that serves, and that the next execution updates."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from local_sagemaker.engine import endpoint_steps
from local_sagemaker.engine.endpoint_steps import CHANGING, EndpointSteps
from local_sagemaker.errors import invalid
from local_sagemaker.wire.dispatch import Caller
from tests.local_sagemaker.api.test_endpoints import VARIANT, make_model
from tests.local_sagemaker.conftest import Pipelines, step


def deployment(endpoint: str) -> list[dict[str, Any]]:
    """The steps that deploy the model of a parameter."""
    config = {"ProductionVariants": [VARIANT | {"ModelName": {"Get": "Parameters.Model"}}]}
    name = {"Get": "Steps.Configure.EndpointConfigName"}
    return [
        step("Configure", "EndpointConfig", config),
        step("Deploy", "Endpoint", {"EndpointName": endpoint, "EndpointConfigName": name}),
    ]


def test_an_endpoint_step_creates_an_endpoint_and_then_updates_it(
    pipelines: Pipelines, sagemaker: Any, s3: Any, server: Any
) -> None:
    name = pipelines.create(*deployment("by-step"), parameters=[{"Name": "Model", "Type": "String"}])
    runtime = server.client("sagemaker-runtime")
    for word in ("first", "second"):
        parameters = [{"Name": "Model", "Value": make_model(sagemaker, s3, word)}]
        execution = pipelines.run(name, PipelineParameters=parameters)
        steps = pipelines.steps(execution["PipelineExecutionArn"])
        assert execution["PipelineExecutionStatus"] == "Succeeded", steps
        assert steps["Deploy"]["Metadata"]["Endpoint"]["Arn"].endswith(":endpoint/by-step")
        assert ":endpoint-config/" in steps["Configure"]["Metadata"]["EndpointConfig"]["Arn"]
        answer = runtime.invoke_endpoint(EndpointName="by-step", ContentType="text/plain", Body=b"there")
        assert answer["Body"].read().decode() == f"{word} there"
    sagemaker.delete_endpoint(EndpointName="by-step")


def test_a_model_that_does_not_exist_fails_the_step(pipelines: Pipelines) -> None:
    name = pipelines.create(*deployment("never"), parameters=[{"Name": "Model", "Type": "String"}])
    execution = pipelines.run(name, PipelineParameters=[{"Name": "Model", "Value": "nobody"}])
    assert execution["PipelineExecutionStatus"] == "Failed"
    reasons = [entry.get("FailureReason", "") for entry in pipelines.steps(execution["PipelineExecutionArn"]).values()]
    assert any("nobody" in reason for reason in reasons), reasons


CALLER = Caller("000000000000", "us-east-1")


class Endpoint:
    """Operations of one endpoint, whose descriptions are given: None says that it does not exist yet."""

    def __init__(self, *described: dict[str, str] | None) -> None:
        self._described = list(described)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def call(self, operation: str, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        self.asked.append((operation, request))
        if operation != "DescribeEndpoint":
            return {"EndpointArn": "arn:e"}
        found = self._described.pop(0)
        if found is None:
            raise invalid("Could not find endpoint")
        return {"EndpointConfigName": "c2", **found}


def deployed(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> Any:
    """The result of a step that deploys the configuration c2 to an endpoint e, and what was asked but descriptions."""
    monkeypatch.setattr(endpoint_steps, "POLL_SECONDS", 0)
    started: Any = lambda *announced: None  # noqa: E731
    given = {"EndpointConfigName": "c2", "Tags": [{"Key": "a", "Value": "b"}], **arguments}
    task: Any = SimpleNamespace(job_name="e", arguments=given, started=started, stopping=threading.Event())
    result = EndpointSteps(endpoint).deploy(task, CALLER)  # type: ignore[arg-type]
    return result, [(operation, request) for operation, request in endpoint.asked if operation != "DescribeEndpoint"]


def test_an_endpoint_that_does_not_exist_is_created_with_its_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    result, asked = deployed(Endpoint(None, {"EndpointStatus": "InService"}), monkeypatch)
    assert asked == [
        ("CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c2", "Tags": [{"Key": "a", "Value": "b"}]})
    ]
    assert (result.status, result.metadata) == ("Succeeded", {"Endpoint": {"Arn": "arn:e"}})


def test_one_that_exists_is_updated_without_tags_which_the_operation_does_not_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {"EndpointStatus": "InService", "EndpointConfigName": "c1"}
    result, asked = deployed(Endpoint(before, {"EndpointStatus": "InService"}), monkeypatch)
    assert asked == [("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c2"})]
    assert result.status == "Succeeded"


@pytest.mark.parametrize("status", CHANGING)
def test_the_step_waits_while_the_endpoint_changes(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    result, _ = deployed(
        Endpoint(None, *[{"EndpointStatus": status}] * 2, {"EndpointStatus": "InService"}), monkeypatch
    )
    assert result.status == "Succeeded"


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        ({"EndpointStatus": "Failed", "FailureReason": "No ping."}, "ClientError: No ping."),
        ({"EndpointStatus": "Failed"}, "ClientError: The endpoint is Failed."),
        ({"EndpointStatus": "InService", "EndpointConfigName": "c1"}, "ClientError: The endpoint is InService."),
        ({"EndpointStatus": "InService", "EndpointConfigName": "c1", "FailureReason": "Alarm."}, "ClientError: Alarm."),
    ],
    ids=["failed", "failed without a reason", "another configuration", "rolled back"],
)
def test_an_endpoint_that_does_not_serve_the_configuration_fails_the_step(
    monkeypatch: pytest.MonkeyPatch, after: dict[str, str], reason: str
) -> None:
    result, _ = deployed(Endpoint(None, after), monkeypatch)
    assert (result.status, result.failure_reason) == ("Failed", reason)
