"""EndpointConfig and Endpoint steps: an endpoint that serves, and that the next execution updates."""

from typing import Any

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
