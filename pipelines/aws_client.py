"""boto3 clients that try again where AWS throttles, and whose refusals know what was asked of what, and by whom."""

import os
from typing import Any

from pipelines.aws_errors import DENIED, NOT_AUTHORIZED

ATTEMPTS = 5
# The IAM action where it is not the operation's name.
ACTIONS = {
    "HeadObject": "s3:GetObject",
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "InvokeEndpoint": "sagemaker:InvokeEndpoint",
}
RESOURCE_FIELDS = (
    "ResourceArn",
    "PipelineExecutionArn",
    "ModelPackageArn",
    "PipelineName",
    "ModelPackageName",
    "ModelPackageGroupName",
    "EndpointName",
    "RoleName",
    "logGroupName",
)


def make_client(service: str, region: str, **options: Any) -> Any:
    """A client of a service.

    Throttled and failed calls are tried again with exponential backoff, as botocore's standard mode does it;
    AWS_RETRY_MODE and AWS_MAX_ATTEMPTS change that.
    """
    import boto3
    from botocore.config import Config

    retries: Any = {"mode": os.environ.get("AWS_RETRY_MODE", "standard")}
    if "AWS_MAX_ATTEMPTS" not in os.environ:  # which botocore reads itself
        retries["total_max_attempts"] = ATTEMPTS
    make: Any = boto3.client
    config = Config(retries=retries)
    client = make(service, region_name=region, config=config, **options)
    client.meta.events.register("before-parameter-build", _remember)
    client.meta.events.register("after-call", lambda **call: _name(client.meta.region_name, options, **call))
    return client


def _remember(params: Any, context: dict[str, Any], **_: Any) -> None:
    context["asked"] = dict(params)


def _name(region: str, options: dict[str, Any], *, parsed: Any, model: Any, context: dict[str, Any], **_: Any) -> None:
    """Write action, resource and caller into a refusal, where the service's own text does not say them."""
    fault = parsed.get("Error")
    if not fault:
        return
    operation, asked = model.name, context.get("asked", {})
    fault["Action"] = ACTIONS.get(operation, f"{model.service_model.signing_name}:{operation}")
    fault["Resource"] = _resource(asked)
    if fault.get("Code") in DENIED and not NOT_AUTHORIZED.search(fault.get("Message", "")):
        fault["Caller"] = _caller(region, options)


def _resource(asked: dict[str, Any]) -> str | None:
    if "Bucket" in asked:
        key = asked.get("Key") or asked.get("Prefix")
        return f"arn:aws:s3:::{asked['Bucket']}" + (f"/{key}" if key else "")
    return next((str(asked[name]) for name in RESOURCE_FIELDS if name in asked), None)


def _caller(region: str, options: dict[str, Any]) -> str | None:
    """Who is asking; None where that cannot be found out either. STS answers without any permission."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    make: Any = boto3.client
    try:
        return str(make("sts", region_name=region, **options).get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError):
        return None
