"""Versions of pipelines: every changed definition is kept, described, aliased, and can be executed."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_sagemaker.conftest import processing, step


def definition(word: str) -> str:
    """A pipeline whose only step is named by the word."""
    return json.dumps({"Version": "2020-12-01", "Steps": [step(word, "Processing", processing("true"))]})


def versions(sagemaker: Any, name: str) -> list[int]:
    found = sagemaker.list_pipeline_versions(PipelineName=name)["PipelineVersionSummaries"]
    return [version["PipelineVersionId"] for version in found]


def test_a_changed_definition_is_a_new_version_that_can_be_described_and_run(pipelines: Any, sagemaker: Any) -> None:
    name = pipelines.create(step("One", "Processing", processing("true")))
    assert sagemaker.update_pipeline(PipelineName=name, PipelineDescription="same")["PipelineVersionId"] == 1
    assert sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=definition("Two"))["PipelineVersionId"] == 2
    assert sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=definition("Two"))["PipelineVersionId"] == 2
    assert versions(sagemaker, name) == [2, 1]
    assert "One" in sagemaker.describe_pipeline(PipelineName=name, PipelineVersionId=1)["PipelineDefinition"]
    assert sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == definition("Two")
    latest, first = pipelines.run(name), pipelines.run(name, PipelineVersionId=1)
    assert (latest["PipelineVersionId"], first["PipelineVersionId"]) == (2, 1)
    assert set(pipelines.steps(first["PipelineExecutionArn"])) == {"One"}
    summaries = sagemaker.list_pipeline_versions(PipelineName=name, SortOrder="Ascending")["PipelineVersionSummaries"]
    assert summaries[0]["LastExecutionPipelineExecutionArn"] == first["PipelineExecutionArn"]
    with pytest.raises(ClientError, match="Version 3 of the pipeline"):
        pipelines.start(name, PipelineVersionId=3)


def test_a_version_has_a_name_a_description_and_aliases_that_find_it(pipelines: Any, sagemaker: Any) -> None:
    name = pipelines.create(step("One", "Processing", processing("true")))
    arn = sagemaker.describe_pipeline(PipelineName=name)["PipelineArn"]
    sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=definition("Two"), PipelineVersionAliases=["next"])
    sagemaker.update_pipeline_version(
        PipelineArn=arn,
        PipelineVersionId=1,
        PipelineVersionDisplayName="first",
        PipelineVersionDescription="the one that works",
        PipelineVersionAliasOperations={"Add": ["live"]},
    )
    found = sagemaker.describe_pipeline(PipelineName=name, PipelineVersionAlias="live")
    assert (found["PipelineVersionDisplayName"], found["PipelineVersionAliases"]) == ("first", ["live"])
    execution = pipelines.run(name, PipelineVersionAlias="live")
    assert (execution["PipelineVersionId"], execution["PipelineVersionAliases"]) == (1, ["live"])
    assert (
        sagemaker.list_pipeline_executions(PipelineName=name, PipelineVersionAlias="next")["PipelineExecutionSummaries"]
        == []
    )
    with pytest.raises(ClientError, match="is taken by version 2"):
        sagemaker.update_pipeline_version(
            PipelineArn=arn, PipelineVersionId=1, PipelineVersionAliasOperations={"Add": ["next"]}
        )
    with pytest.raises(ClientError, match="not digits only"):
        sagemaker.update_pipeline_version(
            PipelineArn=arn, PipelineVersionId=1, PipelineVersionAliasOperations={"Add": ["2"]}
        )
    with pytest.raises(ClientError, match="has the alias gone"):
        pipelines.start(name, PipelineVersionAlias="gone")


def test_the_same_token_creates_one_pipeline_and_another_is_refused(sagemaker: Any) -> None:
    request = {
        "PipelineName": "created-once",
        "PipelineDefinition": definition("Say"),
        "RoleArn": "arn:aws:iam::000000000000:role/jobs",
    }
    arns = {sagemaker.create_pipeline(ClientRequestToken="a" * 32, **request)["PipelineArn"] for _ in range(2)}
    assert len(arns) == 1
    with pytest.raises(ClientError, match="Pipeline names must be unique"):
        sagemaker.create_pipeline(ClientRequestToken="b" * 32, **request)
    with pytest.raises(ClientError, match="Pipeline names must be unique"):
        sagemaker.create_pipeline(ClientRequestToken="b" * 32, **{**request, "PipelineName": "CREATED-once"})


def test_a_deleted_pipeline_takes_its_versions_executions_and_cache_with_it(pipelines: Any, sagemaker: Any) -> None:
    cached = step("Say", "Processing", processing("true"), CacheConfig={"Enabled": True})
    name = pipelines.create(cached)
    arn = pipelines.run(name)["PipelineExecutionArn"]
    for _ in range(2):
        sagemaker.delete_pipeline(PipelineName=name, ClientRequestToken="0" * 32)
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    text = json.dumps({"Version": "2020-12-01", "Steps": [cached]})
    role = "arn:aws:iam::000000000000:role/jobs"
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=role)
    assert versions(sagemaker, name) == [1]
    assert "CacheHitResult" not in pipelines.steps(pipelines.run(name)["PipelineExecutionArn"])["Say"]
