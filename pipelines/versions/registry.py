"""The versions of the model in the registry: list, approve, reject."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pipelines.clients import S3Client, SageMakerClient
from pipelines.errors import PipelineError
from pipelines.versions.evaluation_report import Metrics, read_evaluation, statistics_uri
from pipelines.versions.four_eyes import decider, makers, require_another
from pipelines.watching.executions import person, timestamp

APPROVED, REJECTED = "Approved", "Rejected"
COMMENT_LENGTH = 1024  # characters that ApprovalDescription takes


@dataclass(frozen=True)
class ModelVersion:
    """One version of a model package group."""

    arn: str
    version: int
    status: str
    created: datetime
    commit: str | None
    decided_by: str | None
    comment: str | None
    metrics: Metrics

    def document(self) -> dict[str, Any]:
        """The version as data for --json."""
        return {**asdict(self), "created": timestamp(self.created)}


@dataclass(frozen=True)
class Decision:
    """A version whose status was set; `was` and `comment` are those that it had before.

    `repeated` where it had that status, and whose decision that was is now known for certain.
    """

    arn: str
    version: int
    status: str
    was: str | None
    comment: str | None
    repeated: bool = False


def models(sagemaker: SageMakerClient, s3: S3Client, group: str, limit: int | None = None) -> list[ModelVersion]:
    """The versions of a group, newest first, with the metrics of their evaluation."""
    versions = []
    for entry in listed(sagemaker, group)[:limit]:
        package = sagemaker.describe_model_package(ModelPackageName=entry["ModelPackageArn"])
        versions.append(
            ModelVersion(
                arn=package["ModelPackageArn"],
                version=package["ModelPackageVersion"],
                status=package.get("ModelApprovalStatus", package["ModelPackageStatus"]),
                created=package["CreationTime"],
                commit=package.get("CustomerMetadataProperties", {}).get("git_commit"),
                decided_by=decider(package),
                comment=package.get("ApprovalDescription"),
                metrics=_metrics(s3, package),
            )
        )
    return versions


def approve(
    sagemaker: SageMakerClient, group: str, version: str, comment: str | None, approver: str | None = None
) -> Decision:
    """Set a version (a number or an ARN) to Approved; nothing changes if it is already.

    With an `approver`, PipelineError where that is who made the version; an approval that may be another's is repeated.
    """
    repeat = False
    if approver is not None:
        arn = find_version(sagemaker, group, version)
        package = sagemaker.describe_model_package(ModelPackageName=arn)
        require_another(approver, makers(sagemaker, package), package["ModelPackageVersion"])
        repeat = person(package.get("LastModifiedBy", {})) != approver
    return _decide(sagemaker, group, version, APPROVED, comment, repeat=repeat)


def reject(sagemaker: SageMakerClient, group: str, version: str, comment: str | None) -> Decision:
    """Set a version (a number or an ARN) to Rejected; nothing changes if it is already."""
    return _decide(sagemaker, group, version, REJECTED, comment)


def _decide(
    sagemaker: SageMakerClient, group: str, text: str, status: str, comment: str | None, *, repeat: bool = False
) -> Decision:
    if comment is not None and len(comment) > COMMENT_LENGTH:
        raise PipelineError(f"The comment has {len(comment)} characters: at most {COMMENT_LENGTH} are allowed.")
    arn = find_version(sagemaker, group, text)
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    decision = Decision(
        arn,
        package["ModelPackageVersion"],
        status,
        package.get("ModelApprovalStatus"),
        package.get("ApprovalDescription"),
        repeated=repeat and package.get("ModelApprovalStatus") == status,
    )
    if decision.was != status or decision.repeated:
        request = {"ModelPackageArn": arn, "ModelApprovalStatus": status}
        if comment:
            request["ApprovalDescription"] = comment
        sagemaker.update_model_package(**request)
    return decision


def find_version(sagemaker: SageMakerClient, group: str, text: str) -> str:
    """The ARN of a version that a person means by its number or ARN; PipelineError where there is none."""
    entries = listed(sagemaker, group)
    for entry in entries:
        if text in (entry["ModelPackageArn"], str(entry["ModelPackageVersion"])):
            return str(entry["ModelPackageArn"])
    if not entries:
        raise PipelineError(f"Group {group} has no model yet: run the pipeline.")
    if not text.isdecimal() and not text.startswith("arn:"):
        raise PipelineError(f"{text!r} is not a version: give its number, such as {entries[0]['ModelPackageVersion']}.")
    raise PipelineError(f"Group {group} has no version {text}: it has {_versions(entries)}.")


def listed(sagemaker: SageMakerClient, group: str) -> list[dict[str, Any]]:
    """ListModelPackages' entries of a group, the newest version first; none where there is no group."""
    from botocore.exceptions import ClientError

    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
    )
    try:
        found = [entry for page in pages for entry in page["ModelPackageSummaryList"]]
    except ClientError as error:
        # A group that was never created is an empty one; the service has no error code of its own for it.
        if "does not exist" not in error.response["Error"].get("Message", ""):
            raise
        return []
    return sorted(found, key=lambda entry: -entry["ModelPackageVersion"])


def _metrics(s3: S3Client, package: dict[str, Any]) -> Metrics:
    uri = statistics_uri(package)
    if uri is None:
        return Metrics()
    try:
        return read_evaluation(s3, uri).model
    except PipelineError:
        return Metrics()  # shown as dashes: a list must not fail because one old report was removed


def _versions(entries: list[dict[str, Any]]) -> str:
    numbers = sorted(entry["ModelPackageVersion"] for entry in entries)
    if len(numbers) > 2 and numbers[-1] - numbers[0] + 1 == len(numbers):
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))
