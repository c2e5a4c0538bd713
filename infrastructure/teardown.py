"""Removing a stage: first what still bills is named, then the endpoints and the stacks go."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from infrastructure.bootstrap import POLL_SECONDS, describe_stack, outputs_of, wait
from infrastructure.errors import InfrastructureError
from infrastructure.stacks import Stage
from infrastructure.template import read_template

Announce = Callable[[str], None]


@dataclass(frozen=True)
class Bill:
    """Something that costs money while it stands: what it is, and why it bills."""

    what: str
    why: str


@dataclass(frozen=True)
class Clients:
    """The services that a teardown asks."""

    cloudformation: Any
    sagemaker: Any


def bills(clients: Clients, stage: Stage) -> Iterator[Bill]:
    """What still bills: endpoints, Studio's running applications, the bucket and the key."""
    for endpoint in endpoints(clients.sagemaker, stage.project):
        yield Bill(f"endpoint {endpoint}", "its instances, by the second")
    outputs: dict[str, str] = {}
    for stack in stage.stacks:
        outputs |= outputs_of(clients.cloudformation, stack.name)
    if domain := outputs.get("StudioDomainId"):
        pages = clients.sagemaker.get_paginator("list_apps").paginate(DomainIdEquals=domain)
        for app in (each for page in pages for each in page["Apps"]):
            if app["Status"] in ("InService", "Pending"):
                yield Bill(f"Studio application {app['AppName']} ({app['AppType']})", "its instance, while it runs")
    if bucket := outputs.get("BucketName"):
        yield Bill(f"bucket {bucket}", "what it holds, old versions too; it outlives the stack")
    if key := outputs.get("KmsKeyArn"):
        yield Bill(f"key {key}", "about 1 USD a month; it outlives the stack, as data without it cannot be read")


def endpoints(sagemaker: Any, project: str) -> list[str]:
    """The endpoints of a project, by their names."""
    pages = sagemaker.get_paginator("list_endpoints").paginate(NameContains=f"{project}-")
    names = [str(each["EndpointName"]) for page in pages for each in page["Endpoints"]]
    return [name for name in names if name.startswith(f"{project}-")]


def tear_down(clients: Clients, stage: Stage, announce: Announce, poll_seconds: float = POLL_SECONDS) -> None:
    """Delete the endpoints and the stacks, the last one first; InfrastructureError where one cannot be deleted."""
    kept = dict(outputs for stack in stage.stacks for outputs in outputs_of(clients.cloudformation, stack.name).items())
    for endpoint in endpoints(clients.sagemaker, stage.project):
        clients.sagemaker.delete_endpoint(EndpointName=endpoint)
        announce(f"Deleted endpoint {endpoint}")
    for stack in reversed(stage.stacks):
        if describe_stack(clients.cloudformation, stack.name) is None:
            continue
        clients.cloudformation.delete_stack(StackName=stack.name)
        left = wait(clients.cloudformation, stack.name, poll_seconds)
        if left is not None and left["StackStatus"] != "DELETE_COMPLETE":
            reason = left.get("StackStatusReason", "see its events in CloudFormation")
            raise InfrastructureError(
                f"The stack {stack.name} is in {left['StackStatus']} and was not deleted: {reason}"
            )
        announce(f"Deleted stack {stack.name}")
    for line in _left(stage, kept):
        announce(line)


def _left(stage: Stage, outputs: dict[str, str]) -> Iterator[str]:
    """What outlives the stacks, and how each of it is removed."""
    outlives = {
        resource["Type"]
        for stack in stage.stacks
        for resource in read_template(stack.path)["Resources"].values()
        if resource.get("DeletionPolicy") == "Retain"
    }
    if "AWS::S3::Bucket" in outlives and "BucketName" in outputs:
        bucket = outputs["BucketName"]
        yield f"The bucket {bucket} stays: empty it with its versions in the console, then `aws s3 rb s3://{bucket}`."
    if "AWS::KMS::Key" in outlives and "KmsKeyArn" in outputs:
        key = outputs["KmsKeyArn"]
        yield f"The key stays: `aws kms schedule-key-deletion --key-id {key}`; what it encrypted is lost then."
    if "AWS::SageMaker::ModelPackageGroup" in outlives:
        yield f"The versions stay: delete them and the group {stage.project} in Studio's registry."
