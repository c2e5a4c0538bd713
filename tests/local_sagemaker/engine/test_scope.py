"""Execution variables, and what a scope within another answers itself."""

import json
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


class OneObject:
    """An S3 that holds one object."""

    def read(self, bucket: str, key: str) -> bytes:
        if (bucket, key) != ("b", "out/env/e.json"):
            raise LookupError(f"There is no object s3://{bucket}/{key}.")
        return b"content"


def with_property_file(output: str = "env") -> ExecutionScope:
    files = {"Env": {"PropertyFileName": "Env", "OutputName": output, "FilePath": "e.json"}}
    work = Step("Work", "Processing", {}, frozenset(), None, {"PropertyFiles": list(files.values())})
    scope = ExecutionScope(EXECUTION, Definition({}, {"Work": work}), objects=OneObject())  # type: ignore[arg-type]
    outputs = [
        {"OutputName": "other", "S3Output": {"S3Uri": "s3://b/other"}},
        {"OutputName": "env", "S3Output": {"S3Uri": "s3://b/out/env/"}},
    ]
    scope.add("Work", {"ProcessingOutputConfig": {"Outputs": outputs}})
    scope.add("Work-1", {"ProcessingOutputConfig": {"Outputs": outputs}})
    return scope


def test_a_property_file_is_read_from_the_output_that_it_names() -> None:
    assert with_property_file().property_file("Work", "Env") == "content"
    with pytest.raises(ExpressionError, match="Work has no property file Envy"):
        with_property_file().property_file("Work", "Envy")
    with pytest.raises(ExpressionError, match="Work has no output gone, where its property file Env would be"):
        with_property_file("gone").property_file("Work", "Env")
    with pytest.raises(ExpressionError, match=r"There is no object s3://b/other/e\.json"):
        with_property_file("other").property_file("Work", "Env")


def test_a_property_file_of_a_body_is_that_of_the_same_iteration() -> None:
    scope = with_property_file()
    body = scope._definition.steps
    assert IterationScope(scope, "x", body, 1).property_file("Work", "Env") == "content"
    assert IterationScope(scope, "x", {}, 1).property_file("Work", "Env") == "content"
    with pytest.raises(ExpressionError, match="Step Work-0 has not run"):
        IterationScope(scope, "x", body, 0).property_file("Work", "Env")


def test_the_experiment_has_the_values_that_the_definition_gives_it() -> None:
    text = json.dumps({"PipelineExperimentConfig": {"TrialName": {"Get": "Parameters.Word"}}})
    scope = ExecutionScope({**EXECUTION, "PipelineDefinition": text}, Definition({}, {}), objects=None)  # type: ignore[arg-type]
    assert scope.experiment("TrialName") == "hello"
    with pytest.raises(ExpressionError, match=r"PipelineExperimentConfig\.ExperimentName: the definition gives it no"):
        scope.experiment("ExperimentName")
    none = ExecutionScope({**EXECUTION, "PipelineDefinition": "{}"}, Definition({}, {}), objects=None)  # type: ignore[arg-type]
    with pytest.raises(ExpressionError, match="TrialName"):
        none.experiment("TrialName")
