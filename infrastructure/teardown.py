"""Removing a stage: first what still bills is named, then endpoints, Studio's applications and the stacks go."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from infrastructure.bootstrap import LIMIT_SECONDS, POLL_SECONDS, describe_stack, outputs_of, wait
from infrastructure.errors import InfrastructureError
from infrastructure.stacks import Stage
from infrastructure.template import read_template

Announce = Callable[[str], None]
RUNNING = ("InService", "Pending")


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
    """What still costs money: endpoints, what is in Studio, the bucket and the key."""
    for endpoint in endpoints(clients.sagemaker, stage.project):
        yield Bill(f"endpoint {endpoint}", "its instances, by the second")
    outputs: dict[str, str] = {}
    for stack in stage.stacks:
        outputs |= outputs_of(clients.cloudformation, stack.name)
    if domain := outputs.get("StudioDomainId"):
        yield from _bills_of_studio(clients.sagemaker, domain)
    if bucket := outputs.get("BucketName"):
        yield Bill(f"bucket {bucket}", "what it holds, old versions too; it outlives the stack")
    if key := outputs.get("KmsKeyArn"):
        yield Bill(f"key {key}", "about 1 USD a month; it outlives the stack, as data without it cannot be read")


def _bills_of_studio(sagemaker: Any, domain: str) -> Iterator[Bill]:
    for app in _apps(sagemaker, domain, RUNNING):
        yield Bill(f"Studio application {app['AppName']} ({app['AppType']})", "its instance, while it runs")
    pages = sagemaker.get_paginator("list_spaces").paginate(DomainIdEquals=domain)
    for space in (each for page in pages for each in page["Spaces"]):
        yield Bill(f"Studio space {space['SpaceName']}", "its volume, also while nothing runs in it")
    if files := _file_system(sagemaker, domain):
        yield Bill(f"file system {files} of Studio", "what people keep in it; it outlives the stack")


def _apps(sagemaker: Any, domain: str, statuses: tuple[str, ...]) -> list[dict[str, Any]]:
    pages = sagemaker.get_paginator("list_apps").paginate(DomainIdEquals=domain)
    return [app for page in pages for app in page["Apps"] if app["Status"] in statuses]


def _file_system(sagemaker: Any, domain: str) -> str | None:
    found: str | None = sagemaker.describe_domain(DomainId=domain).get("HomeEfsFileSystemId")
    return found


def endpoints(sagemaker: Any, project: str) -> list[str]:
    """The endpoints of a project, by their names."""
    pages = sagemaker.get_paginator("list_endpoints").paginate(NameContains=f"{project}-")
    names = [str(each["EndpointName"]) for page in pages for each in page["Endpoints"]]
    return [name for name in names if name.startswith(f"{project}-")]


def tear_down(clients: Clients, stage: Stage, announce: Announce, poll_seconds: float = POLL_SECONDS) -> None:
    """Delete the endpoints, Studio's applications and the stacks, the last one first.

    InfrastructureError where one cannot be deleted.
    """
    kept = dict(outputs for stack in stage.stacks for outputs in outputs_of(clients.cloudformation, stack.name).items())
    for endpoint in endpoints(clients.sagemaker, stage.project):
        clients.sagemaker.delete_endpoint(EndpointName=endpoint)
        announce(f"Deleted endpoint {endpoint}")
    if domain := kept.get("StudioDomainId"):
        kept["FileSystemId"] = _file_system(clients.sagemaker, domain) or ""
        _end_apps(clients.sagemaker, domain, announce, poll_seconds)
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


def _end_apps(sagemaker: Any, domain: str, announce: Announce, poll_seconds: float) -> None:
    """Delete what runs in Studio: no space, profile or domain can be deleted before."""
    for app in _apps(sagemaker, domain, RUNNING):
        owner = "SpaceName" if app.get("SpaceName") else "UserProfileName"
        names = {key: app[key] for key in (owner, "AppType", "AppName")}
        sagemaker.delete_app(DomainId=domain, **names)
        announce(f"Deleted Studio application {app['AppName']} ({app['AppType']})")
    deadline = time.monotonic() + LIMIT_SECONDS
    while _apps(sagemaker, domain, (*RUNNING, "Deleting")):
        if time.monotonic() > deadline:
            raise InfrastructureError(f"Applications of the domain {domain} still run after {LIMIT_SECONDS:.0f} s.")
        time.sleep(poll_seconds)


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
    if files := outputs.get("FileSystemId"):
        yield (
            f"Studio's file system {files} stays: delete its mount targets, then "
            f"`aws efs delete-file-system --file-system-id {files}`; what people kept in it is lost then."
        )
    if "AWS::SageMaker::ModelPackageGroup" in outlives:
        yield f"The versions stay: delete them and the group {stage.project} in Studio's registry."
