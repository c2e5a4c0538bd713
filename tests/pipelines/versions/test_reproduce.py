"""What rebuilds a version, and how another model would be told."""

import json
from dataclasses import replace
from typing import Any

import pytest

from pipelines.errors import PipelineError
from pipelines.versions.evaluation_report import Metrics
from pipelines.versions.lineage import Lineage, trace
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
