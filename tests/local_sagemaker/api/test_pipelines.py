"""Pipelines: stored as they were given, checked when they are stored."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_sagemaker.conftest import ROLE, step

DEFINITION = json.dumps({"Version": "2020-12-01", "Steps": [step("Stop", "Fail", {})]}, indent=3)


def create(sagemaker: Any, name: str, **fields: Any) -> str:
    request = {"PipelineDefinition": DEFINITION, **fields}
    return str(sagemaker.create_pipeline(PipelineName=name, RoleArn=ROLE, **request)["PipelineArn"])


def test_a_definition_comes_back_byte_for_byte(sagemaker: Any) -> None:
    arn = create(sagemaker, "Stored", PipelineDescription="a test")
    for name in ("Stored", arn):
        pipeline = sagemaker.describe_pipeline(PipelineName=name)
        assert pipeline["PipelineDefinition"] == DEFINITION
        assert (pipeline["PipelineStatus"], pipeline["PipelineDescription"]) == ("Active", "a test")


def test_a_second_pipeline_of_a_name_is_refused_in_the_words_that_the_sdk_looks_for(sagemaker: Any) -> None:
    create(sagemaker, "unique")
    with pytest.raises(ClientError, match="Pipeline names must be unique within") as caught:
        create(sagemaker, "unique")
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_a_faulty_definition_is_refused_and_nothing_is_stored(sagemaker: Any) -> None:
    faulty = json.dumps({"Steps": [step("A", "Processing", {}, DependsOn=["B"])]})
    with pytest.raises(ClientError, match=r"3 fault\(s\): .*Steps\[0\].DependsOn\[0\]: B is not a step"):
        create(sagemaker, "faulty", PipelineDefinition=faulty)
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_pipeline(PipelineName="faulty")
    create(sagemaker, "mended")
    with pytest.raises(ClientError, match=r"3 fault\(s\): .*Steps\[0\].DependsOn\[0\]: B is not a step"):
        sagemaker.update_pipeline(PipelineName="mended", PipelineDefinition=faulty)
    assert sagemaker.describe_pipeline(PipelineName="mended")["PipelineDefinition"] == DEFINITION


def test_a_large_definition_may_lie_in_s3(sagemaker: Any, s3: Any) -> None:
    s3.put_object(Bucket="test-bucket", Key="definition.json", Body=DEFINITION.encode())
    location = {"Bucket": "test-bucket", "ObjectKey": "definition.json"}
    sagemaker.create_pipeline(
        PipelineName="from-s3", RoleArn=ROLE, ClientRequestToken="0" * 32, PipelineDefinitionS3Location=location
    )
    assert sagemaker.describe_pipeline(PipelineName="from-s3")["PipelineDefinition"] == DEFINITION


def test_pipelines_are_listed_and_deleted(sagemaker: Any) -> None:
    create(sagemaker, "prefixed-1")
    create(sagemaker, "prefixed-2")

    def listed() -> list[str]:
        found = sagemaker.list_pipelines(PipelineNamePrefix="prefixed-")["PipelineSummaries"]
        return [pipeline["PipelineName"] for pipeline in found]

    assert listed() == ["prefixed-2", "prefixed-1"]
    sagemaker.delete_pipeline(PipelineName="prefixed-1", ClientRequestToken="0" * 32)
    assert listed() == ["prefixed-2"]
