"""Which version of the model is to be deployed, and whether it may be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployment.errors import DeploymentError

SageMakerClient = Any  # boto3's clients have no types of their own
APPROVED, PENDING = "Approved", "PendingManualApproval"


@dataclass(frozen=True)
class Package:
    """One version of a model package group, as the registry has it."""

    arn: str
    group: str
    version: int
    approval: str
    git_commit: str | None


def named_package(sagemaker: SageMakerClient, group: str, name: str, approve_command: str) -> Package:
    """The approved version of a group that `name` (an ARN or a version number) stands for.

    Raises DeploymentError where it does not exist, is of another group or is not approved;
    `approve_command` is what a person types before the version to approve it.
    """
    arn = name if name.startswith("arn:") else _arn_of(sagemaker, group, name)
    package = describe_package(sagemaker, arn)
    if package is None:
        raise DeploymentError(f"Model package {arn} does not exist: {_what_exists(sagemaker, group)}.")
    if package.group != group:
        raise DeploymentError(f"Model package {arn} belongs to group {package.group}: only {group} is deployed here.")
    if package.approval != APPROVED:
        raise DeploymentError(
            f"Version {package.version} of {group} is {package.approval}, not Approved: "
            f"approve it first with `{approve_command} {package.version}`."
        )
    return package


def latest_approved_package(sagemaker: SageMakerClient, group: str, approve_command: str) -> Package:
    """The newest version of a group that is approved; DeploymentError where none is."""
    entries = _listed(sagemaker, group)
    approved = [entry for entry in entries if entry.get("ModelApprovalStatus") == APPROVED]
    if approved:
        package = describe_package(sagemaker, approved[0]["ModelPackageArn"])
        if package is not None and package.approval == APPROVED:
            return package
    pending = [entry for entry in entries if entry.get("ModelApprovalStatus") == PENDING]
    if pending:
        version = pending[0]["ModelPackageVersion"]
        raise DeploymentError(
            f"No version of {group} is approved; version {version} is waiting: "
            f"approve it with `{approve_command} {version}`."
        )
    raise DeploymentError(f"No version of {group} is approved, and none is waiting: run the pipeline first.")


def describe_package(sagemaker: SageMakerClient, arn: str) -> Package | None:
    """A version by its ARN; None where it does not exist."""
    from botocore.exceptions import ClientError

    try:
        description = sagemaker.describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if not is_missing(error):
            raise
        return None
    return Package(
        arn=description["ModelPackageArn"],
        group=description.get("ModelPackageGroupName", ""),
        version=description.get("ModelPackageVersion", 0),
        approval=description.get("ModelApprovalStatus", "not versioned"),
        git_commit=_commit(sagemaker, description),
    )


def is_missing(error: Any) -> bool:
    """Whether a ClientError says that the thing named is not there.

    Older SageMaker operations have no error code for it: a ValidationException whose text says so.
    """
    fault = error.response["Error"]
    message = fault.get("Message", "").lower()
    words = ("does not exist", "could not find", "not found")
    return fault["Code"] in ("ValidationException", "ResourceNotFound", "ValidationError") and any(
        word in message for word in words
    )


def _commit(sagemaker: SageMakerClient, description: Mapping[str, Any]) -> str | None:
    commit: str | None = description.get("CustomerMetadataProperties", {}).get("git_commit")
    if commit is not None:
        return commit
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=description["ModelPackageArn"])
    tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    return tags.get("git-commit") or tags.get("git_commit")


def _arn_of(sagemaker: SageMakerClient, group: str, version: str) -> str:
    for entry in _listed(sagemaker, group):
        if str(entry["ModelPackageVersion"]) == version:
            return str(entry["ModelPackageArn"])
    raise DeploymentError(f"{group} has no version {version}: {_what_exists(sagemaker, group)}.")


def _what_exists(sagemaker: SageMakerClient, group: str) -> str:
    versions = [
        f"{entry['ModelPackageVersion']} ({entry['ModelApprovalStatus']})" for entry in _listed(sagemaker, group)
    ]
    if not versions:
        return f"the group {group} has no version yet, run the pipeline first"
    return f"it has {', '.join(versions[:10])}"


def _listed(sagemaker: SageMakerClient, group: str) -> list[dict[str, Any]]:
    from botocore.exceptions import ClientError

    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    try:
        found = [entry for page in pages for entry in page["ModelPackageSummaryList"]]
    except ClientError as error:
        if not is_missing(error):
            raise
        return []  # a group that was never created is an empty one
    return sorted(found, key=lambda entry: -entry["ModelPackageVersion"])
