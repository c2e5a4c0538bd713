"""One endpoint: how it stands, and waiting until nothing is changing it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployment.errors import DeploymentError
from deployment.packages import SageMakerClient, is_missing
from deployment.specification import TAG_COMMIT, TAG_PACKAGE, TAG_VERSION, tag_list

Announce = Callable[[str], None]  # prints one line of progress
AGAIN_SECONDS = 30.0
CONTENDED = ("in-progress endpoint", "already existing endpoint")  # in the service's refusals
CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


@dataclass(frozen=True)
class Waiting:
    """How often to look at an endpoint, and when to give up, in seconds."""

    poll_seconds: float
    limit_seconds: float = 3600.0
    time_scale: float = 1.0  # how many times faster the waits of an update pass: more than 1 on local SageMaker only


def describe_endpoint(sagemaker: SageMakerClient, name: str) -> Mapping[str, Any] | None:
    """DescribeEndpoint's answer; None where there is no such endpoint."""
    from botocore.exceptions import ClientError

    try:
        description: Mapping[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if not is_missing(error):
            raise
        return None
    return description


def wait_until_settled(
    sagemaker: SageMakerClient,
    name: str,
    waiting: Waiting,
    announce: Announce,
    look: Callable[[Mapping[str, Any]], None] = lambda _: None,
) -> Mapping[str, Any] | None:
    """Wait while the endpoint changes and return how it then stands; None where it is not there (any more).

    `look` is shown each description of an endpoint that changes. Announces each status with the seconds so far, and one
    that lasts every half minute again. Raises DeploymentError after `limit_seconds`.
    """
    began, seen, said = time.monotonic(), None, 0.0
    while True:
        description = describe_endpoint(sagemaker, name)
        elapsed = time.monotonic() - began
        status = description["EndpointStatus"] if description else None
        if status not in CHANGING:
            if seen is not None:
                announce(f"{elapsed:7.1f} s  {status or 'deleted'}")
            return description
        if status != seen or elapsed - said > AGAIN_SECONDS:
            announce(f"{elapsed:7.1f} s  {status}")
            seen, said = status, elapsed
        if elapsed > waiting.limit_seconds:
            raise DeploymentError(
                f"Endpoint {name} is still {status} after {waiting.limit_seconds:.0f} s: "
                "SageMaker goes on; `status` shows how it ends."
            )
        if description is not None:
            look(description)
        time.sleep(waiting.poll_seconds)


class Contended(Exception):
    """Something else changes the endpoint at the same time."""


def uncontended(change: Callable[..., Any], **request: Any) -> None:
    """Change the endpoint; Contended where another change of it has just begun."""
    from botocore.exceptions import ClientError

    try:
        change(**request)
    except ClientError as error:
        if any(words in error.response["Error"].get("Message", "") for words in CONTENDED):
            raise Contended from error
        raise


def endpoint_log(name: str, log_folder: Path | None) -> str:
    """Where a person finds the log of an endpoint's containers: under `log_folder`, else in CloudWatch."""
    if log_folder is not None:
        return str(log_folder / name)
    return f"CloudWatch log group /aws/sagemaker/Endpoints/{name}"


def require_serving(description: Mapping[str, Any] | None, name: str, config_name: str, log: str) -> None:
    """Raise DeploymentError with the service's reason, and where the `log` is, unless this configuration serves."""
    if description is None:
        raise DeploymentError(f"Endpoint {name} was deleted by someone else while it was being deployed.")
    status, serving = description["EndpointStatus"], description.get("EndpointConfigName")
    if status == "InService" and serving == config_name:
        return
    reason = str(description.get("FailureReason") or "SageMaker gave no reason").strip().rstrip(".")
    kept = f" ({serving} keeps serving)" if status == "InService" else f" (it is {status})"
    raise DeploymentError(f"Endpoint {name} does not serve {config_name}{kept}: {reason}. Its log: {log}.")


def tag_serving(sagemaker: SageMakerClient, endpoint_arn: str, tags: Mapping[str, str]) -> None:
    """Make the endpoint's tags say what serves now; a commit that is not known any more does not stay."""
    sagemaker.add_tags(ResourceArn=endpoint_arn, Tags=tag_list(dict(tags)))
    stale = [key for key in (TAG_PACKAGE, TAG_VERSION, TAG_COMMIT) if key not in tags]
    if stale:
        sagemaker.delete_tags(ResourceArn=endpoint_arn, TagKeys=stale)
