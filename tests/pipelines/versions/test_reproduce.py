"""What rebuilds a version, and how another model would be told."""

import json
from dataclasses import replace
from typing import Any

import pytest

from pipelines.errors import PipelineError
from pipelines.versions.evaluation_report import Metrics
from pipelines.versions.lineage import Data, Lineage, trace
from pipelines.versions.reproduce import Rebuild, caveats, commands, jobs_alone, require_recorded
from tests.aws_stub import arn
from tests.pipelines.conftest import EVALUATION, Executions, execution_arn, job, step

LINEAGE = Lineage(
    reserve={},
    model_package=arn("model-package/house-prices/3"),
    version=3,
    status="Approved",
    created=None,
    approver="ada",
    comment=None,
    commit="abc123",
    pipeline="house-prices-training",
    pipeline_version=7,
    execution=execution_arn("made"),
    definition_sha256="0",
    code="s3://bucket/house-prices/code/0123/sourcedir.tar.gz",
    data=None,
    parameters={"InputDataUri": "s3://bucket/a b.csv", "MaxDepth": "4", "Rounds": "10"},
    metrics=Metrics(),
    evaluation="s3://bucket/evaluation/1/evaluation.json",
    image="image",
    model_data="s3://bucket/model.tar.gz",
)
DEFINITION: dict[str, Any] = {
    "Version": "2020-12-01",
    "Parameters": [
        {"Name": "MaxDepth", "Type": "Integer", "DefaultValue": 6},
        {"Name": "Rounds", "Type": "Integer", "DefaultValue": 10},
        {"Name": "MinR2", "Type": "Float", "DefaultValue": 0.8},
    ],
    "Steps": [
        {
            "Name": "Train",
            "Type": "Training",
            "Arguments": {"HyperParameters": {"d": {"Get": "Parameters.MaxDepth"}}},
            "CacheConfig": {"Enabled": True},
        },
        {"Name": "Gate", "Type": "Condition", "Arguments": {"Conditions": [{"Get": "Parameters.MinR2"}]}},
    ],
}


def test_what_start_would_choose_anew_is_given_as_it_was() -> None:
    chosen = {"ChampionModelUri": "s3://bucket/none.json", "EarlierLooks": "0"}
    parameters = [{"Name": name, "Type": "String", "DefaultValue": value} for name, value in chosen.items()]
    definition = {**DEFINITION, "Parameters": [*DEFINITION["Parameters"], *parameters]}
    start = commands(replace(LINEAGE, parameters={**LINEAGE.parameters, **chosen}), definition, "x")[-1]
    assert "-p ChampionModelUri=s3://bucket/none.json -p EarlierLooks=0 " in start


def test_the_commands_give_the_commit_and_the_parameters_that_are_not_defaults() -> None:
    assert commands(LINEAGE, DEFINITION, "run_pipeline.py") == [
        "git checkout abc123",
        "run_pipeline.py upsert --force",
        "run_pipeline.py start -p 'InputDataUri=s3://bucket/a b.csv' -p MaxDepth=4 --wait",
    ]
    assert caveats(LINEAGE) == []


def test_a_dirty_checkout_is_said_with_the_place_of_its_code() -> None:
    dirty = replace(LINEAGE, commit="abc123-dirty")
    assert commands(dirty, DEFINITION, "x")[0] == "git checkout abc123"
    assert "its code is s3://bucket/house-prices/code/0123/sourcedir.tar.gz" in caveats(dirty)[0]


def test_a_rebuild_runs_the_jobs_alone_and_takes_nothing_from_the_cache() -> None:
    alone = json.loads(jobs_alone(DEFINITION))
    assert [(entry["Name"], "CacheConfig" in entry) for entry in alone["Steps"]] == [("Train", False)]
    assert [entry["Name"] for entry in alone["Parameters"]] == ["MaxDepth"]


def test_a_version_on_what_a_query_gave_is_rebuilt_on_what_was_kept_of_it_and_its_commands_ask_again() -> None:
    kept = "s3://bucket/house-prices/executions/e1/ValidateData/data/"
    queried = replace(LINEAGE, parameters={}, data=Data(kept, "0", None))
    (note,) = caveats(queried)
    assert note.startswith("The commands ask the query again, of the tables as they are now")
    assert f"{kept}, which reproduce --local reads" in note
    dataset = {"LocalPath": "/opt/ml/processing/input/data", "AthenaDatasetDefinition": {"QueryString": "SELECT 1"}}
    wheels = {"InputName": "wheels", "S3Input": {"S3Uri": "s3://bucket/wheels/"}}
    arguments = {"ProcessingInputs": [{"InputName": "data", "DatasetDefinition": dataset}, wheels]}
    step = {"Name": "ValidateData", "Type": "Processing", "Arguments": arguments}
    (alone,) = json.loads(jobs_alone({"Steps": [step]}, kept))["Steps"]
    how = {"S3DataType": "S3Prefix", "S3InputMode": "File", "LocalPath": "/opt/ml/processing/input/data"}
    assert alone["Arguments"]["ProcessingInputs"] == [{"InputName": "data", "S3Input": {"S3Uri": kept, **how}}, wheels]
    (same,) = json.loads(jobs_alone({"Steps": [step]}))["Steps"]
    assert same == step


def test_what_a_query_gave_is_found_by_the_job_that_validated_it(executions: Executions) -> None:
    package = executions.register(
        CustomerMetadataProperties={"pipeline_execution_arn": executions.add("made")},
        InferenceSpecification={"Containers": [{"Image": "ours"}]},
    )
    executions.script = [("Succeeded", [step("ValidateData", Metadata=job("ProcessingJob", "validate-1"))])]
    athena = {"OutputS3Uri": "s3://bucket/house-prices/executions/made/ValidateData/data"}
    inputs = [{"InputName": "data", "DatasetDefinition": {"AthenaDatasetDefinition": athena}}]
    outputs = [{"OutputName": "report", "S3Output": {"S3Uri": "s3://bucket/r"}}]
    executions.aws.objects["bucket", "r/validation.json"] = b'{"sha256": "abc"}'
    described = {"ProcessingInputs": inputs, "ProcessingOutputConfig": {"Outputs": outputs}}
    executions.aws.answers["DescribeProcessingJob"] = lambda _: described
    found = trace(executions.sagemaker, executions.s3, package)
    assert found.queried
    assert found.data == Data("s3://bucket/house-prices/executions/made/ValidateData/data/", "abc", None)


def test_a_version_that_names_no_execution_cannot_be_rebuilt() -> None:
    with pytest.raises(PipelineError, match="Version 3 does not name its execution"):
        require_recorded(replace(LINEAGE, execution=None))


def test_metrics_that_differ_in_the_last_digit_are_told(executions: Executions) -> None:
    executions.register()
    executions.script = [("Succeeded", [step("Evaluate", Metadata=job("ProcessingJob", "evaluate-1"))])]
    output = {
        "OutputName": "evaluation",
        "S3Output": {"S3Uri": "s3://bucket/new", "LocalPath": "/x", "S3UploadMode": "EndOfJob"},
    }
    executions.aws.answers["DescribeProcessingJob"] = lambda _: {"ProcessingOutputConfig": {"Outputs": [output]}}
    rebuild = Rebuild(executions.sagemaker, executions.s3, LINEAGE)
    again = json.loads(json.dumps({**EVALUATION, "created": "now"}))
    executions.aws.objects["bucket", "new/evaluation.json"] = json.dumps(again).encode()
    assert rebuild.compare(execution_arn("new")) == []
    again["candidates"]["linear"]["rmse"]["value"] += 1e-10
    executions.aws.objects["bucket", "new/evaluation.json"] = json.dumps(again).encode()
    assert [change.path for change in rebuild.compare(execution_arn("new"))] == ["candidates.linear.rmse.value"]


def test_a_version_that_another_tool_registered_is_shown_as_far_as_it_goes(executions: Executions) -> None:
    package = executions.register(
        "Rejected",
        CustomerMetadataProperties={},
        InferenceSpecification={"Containers": [{"Image": "theirs"}]},
        LastModifiedBy={"UserProfileName": "ada"},
        ModelMetrics={},
    )
    found = trace(executions.sagemaker, executions.s3, package)
    assert (found.commit, found.execution, found.code, found.data, found.parameters) == (None, None, None, None, {})
    assert (found.image, found.approver, found.metrics) == ("theirs", "ada", Metrics())
