"""An upsert uploads what is missing, changes what differs, and leaves the rest alone."""

import json
from dataclasses import replace
from typing import Any

import pytest

from pipelines.bundle import Bundle
from pipelines.compilation import Compiled
from pipelines.environment import Environment
from pipelines.publish import create_bucket_if_local, upsert

ENVIRONMENT = Environment.from_env({"SAGEMAKER_BUCKET": "test-bucket"})
DEFINITION = json.dumps({"Version": "2020-12-01", "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {}}]})


@pytest.fixture
def compiled(request: pytest.FixtureRequest) -> Compiled:
    name = request.node.name.replace("_", "-")[:60]
    bundle = Bundle({"steps/a.py": name.encode()})
    return Compiled(name, "a test", DEFINITION, bundle, f"{name}/code/{bundle.digest}", "abc123")


def calls_of(client: Any) -> list[str]:
    """The names of the operations that a client calls from now on."""
    calls: list[str] = []
    client.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
    return calls


def test_the_first_upsert_creates_with_the_bytes_that_were_compiled(
    sagemaker: Any, s3: Any, compiled: Compiled
) -> None:
    published = upsert(sagemaker, s3, compiled, ENVIRONMENT)
    assert (published.action, published.uploaded) == ("created", True)
    assert sagemaker.describe_pipeline(PipelineName=compiled.name)["PipelineDefinition"] == DEFINITION
    stored = s3.get_object(Bucket="test-bucket", Key=f"{compiled.code_prefix}/sourcedir.tar.gz")["Body"].read()
    assert stored == compiled.bundle.archive()
    assert sagemaker.list_tags(ResourceArn=published.arn)["Tags"] == [{"Key": "git-commit", "Value": "abc123"}]


def test_the_second_upsert_of_the_same_changes_nothing(server: Any, compiled: Compiled) -> None:
    sagemaker, s3 = server.client("sagemaker"), server.client("s3")
    upsert(sagemaker, s3, compiled, ENVIRONMENT)
    calls, s3_calls = calls_of(sagemaker), calls_of(s3)
    published = upsert(sagemaker, s3, compiled, ENVIRONMENT)
    assert (published.action, published.uploaded) == ("unchanged", False)
    assert (calls, s3_calls) == (["DescribePipeline"], ["HeadObject"])


def test_another_definition_is_an_update(sagemaker: Any, s3: Any, compiled: Compiled) -> None:
    upsert(sagemaker, s3, compiled, ENVIRONMENT)
    other = DEFINITION.replace("Stop", "Halt")
    assert upsert(sagemaker, s3, replace(compiled, definition=other), ENVIRONMENT).action == "updated"
    assert sagemaker.describe_pipeline(PipelineName=compiled.name)["PipelineDefinition"] == other


def test_the_local_bucket_is_made_once(server: Any) -> None:
    s3 = server.client("s3")
    environment = Environment.from_env({"SAGEMAKER_BUCKET": "made-once", "AWS_REGION": "eu-west-1"})
    create_bucket_if_local(s3, environment)
    create_bucket_if_local(s3, environment)
    assert "made-once" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
