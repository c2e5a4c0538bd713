"""Publishing: the bundle first, the definition last, and only what differs from what is there."""

from dataclasses import dataclass
from typing import Any

from pipelines.bundle import ARCHIVE
from pipelines.compilation import Compiled
from pipelines.dataset import exists
from pipelines.environment import Environment


@dataclass(frozen=True)
class Published:
    """What an upsert did: `action` is created, updated or unchanged."""

    arn: str
    action: str
    uploaded: bool


def upsert(sagemaker: Any, s3: Any, compiled: Compiled, environment: Environment) -> Published:
    """Upload the bundle if it is not there, then create or update the pipeline in one call."""
    uploaded = _publish_bundle(s3, compiled, environment)
    tags = [{"Key": "git-commit", "Value": compiled.commit}]
    request = {
        "PipelineName": compiled.name,
        "PipelineDescription": compiled.description,
        "PipelineDefinition": compiled.definition,
        "RoleArn": environment.role_arn,
    }
    deployed = describe_deployed(sagemaker, compiled.name)
    if deployed is None:
        arn = sagemaker.create_pipeline(**request, ClientRequestToken=_token(compiled), Tags=tags)["PipelineArn"]
        return Published(arn, "created", uploaded)
    arn = deployed["PipelineArn"]
    if all(deployed.get(name) == value for name, value in request.items()):
        return Published(arn, "unchanged", uploaded)
    sagemaker.update_pipeline(**request)
    sagemaker.add_tags(ResourceArn=arn, Tags=tags)
    return Published(arn, "updated", uploaded)


def create_bucket_if_local(s3: Any, environment: Environment) -> None:
    """Local SageMaker starts without buckets; on AWS the bucket is made by the infrastructure."""
    from botocore.exceptions import ClientError

    location = {} if environment.region == "us-east-1" else {"LocationConstraint": environment.region}
    try:
        s3.head_bucket(Bucket=environment.bucket)
    except ClientError:
        options = {"CreateBucketConfiguration": location} if location else {}
        s3.create_bucket(Bucket=environment.bucket, **options)


def _publish_bundle(s3: Any, compiled: Compiled, environment: Environment) -> bool:
    key = f"{compiled.code_prefix}/{ARCHIVE}"
    if exists(s3, environment.bucket, key):
        return False
    s3.put_object(Bucket=environment.bucket, Key=key, Body=compiled.bundle.archive())
    return True


def describe_deployed(sagemaker: Any, name: str) -> dict[str, Any] | None:
    """DescribePipeline's answer; None where there is no such pipeline."""
    from botocore.exceptions import ClientError

    try:
        return dict(sagemaker.describe_pipeline(PipelineName=name))
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFound":
            return None
        raise


def _token(compiled: Compiled) -> str:
    return f"{compiled.name}-{compiled.bundle.digest}".ljust(32, "0")
