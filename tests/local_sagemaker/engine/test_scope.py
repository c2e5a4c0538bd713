"""Execution variables, and what a scope within another answers itself."""

import time

import pytest

from local_sagemaker.definition.definition import Definition, Step
from local_sagemaker.definition.expressions import ExpressionError
from local_sagemaker.engine.scope import ExecutionScope, IterationScope, JobScope, item_text

EXECUTION = {
    "ParameterValues": {"Word": "hello"},
    "CreationTime": 1_700_000_000.5,
    "PipelineName": "Name",
    "PipelineArn": "arn:p",
    "ExecutionId": "abc",
    "PipelineExecutionArn": "arn:p/execution/abc",
}


@pytest.fixture
def scope() -> ExecutionScope:
    return ExecutionScope(EXECUTION, Definition({}, {}), objects=None)  # type: ignore[arg-type]


def test_the_start_stays_and_the_current_time_goes_on(scope: ExecutionScope) -> None:
    assert scope.variable("StartDateTime") == "2023-11-14T22:13:20.500Z"
    first = scope.variable("CurrentDateTime")
    time.sleep(0.002)
    assert "2023" < first < scope.variable("CurrentDateTime")


def test_the_name_of_the_job_is_known_in_the_arguments_of_its_own_step_only(scope: ExecutionScope) -> None:
    job = JobScope(scope, "Training", "pipelines-abc-Train-x")
    assert job.variable("TrainingJobName") == "pipelines-abc-Train-x"
    assert job.variable("PipelineExecutionId") == "abc"
    assert job.parameter("Word") == "hello"
    with pytest.raises(ExpressionError, match="ProcessingJobName"):
        job.variable("ProcessingJobName")


def test_a_step_of_a_body_is_the_one_of_the_same_iteration(scope: ExecutionScope) -> None:
    scope.add("Work-0", {"of": "item 0"})
    scope.add("Work-1", {"of": "item 1"})
    scope.add("Before", {"of": "all"})
    inner = IterationScope(scope, "b", {"Work": Step("Work", "Processing", {}, frozenset(), None, {})}, 1)
    assert (inner.properties("Work"), inner.properties("Before")) == ({"of": "item 1"}, {"of": "all"})
    assert inner.item() == "b"
    with pytest.raises(ExpressionError, match="only in the body of a ForEach step"):
        scope.item()


def test_an_item_is_shown_as_text_or_as_json() -> None:
    assert [item_text(item) for item in ("a", 1, {"b": True})] == ["a", "1", '{"b": true}']
