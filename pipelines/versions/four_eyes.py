"""Who decided over a version, and whether that is somebody else than who made it."""

import re
from collections.abc import Mapping
from typing import Any

from pipelines.clients import SageMakerClient
from pipelines.errors import PipelineError
from pipelines.watching.executions import person

DECIDED_BY, CHANGED_BY = "decided_by", "changed_by"  # properties that a deployment leaves with the version
EXECUTION = "pipeline_execution_arn"  # a property, which may be changed
AUTHOR = re.compile(r"by .*<(?P<address>[^<>\s]+)>")  # in the description of an execution: see `described`
PENDING = "PendingManualApproval"


def described(commit: str, author: str) -> str:
    """The description of an execution that a build starts: on AWS the build's role has started it, not a person."""
    return f"commit {commit} by {author}"


def decider(package: Mapping[str, Any]) -> str | None:
    """Who approved or rejected a version; None where nobody did, or nobody is known.

    It is who changed the version last, unless that was a deployment: it changes where the version is, and leaves who
    had decided before.
    """
    if package.get("ModelApprovalStatus") == PENDING:
        return None
    last = person(package.get("LastModifiedBy", {}))
    properties = package.get("CustomerMetadataProperties", {})
    if last is not None and last == properties.get(CHANGED_BY):
        decided: str | None = properties.get(DECIDED_BY)
        return decided
    return last


def execution_of(package: Mapping[str, Any]) -> str | None:
    """The ARN of the execution that made a version.

    It is in what nobody can change once the version is registered; of older ones in the properties alone.
    """
    generated = str(package.get("MetadataProperties", {}).get("GeneratedBy", ""))
    found: str | None = package.get("CustomerMetadataProperties", {}).get(EXECUTION)
    return generated if "/execution/" in generated else found


def makers(sagemaker: SageMakerClient, package: Mapping[str, Any]) -> set[str]:
    """Who registered a version, who started the execution that made it, and, where a build did, the commit's author."""
    found = {person(package.get("CreatedBy", {}))}
    execution = execution_of(package)
    if execution is not None:
        description = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        author = AUTHOR.search(description.get("PipelineExecutionDescription", ""))
        found |= {person(description.get("CreatedBy", {})), author["address"] if author else None}
    return {name for name in found if name is not None}


def require_four_eyes(sagemaker: SageMakerClient, package: Mapping[str, Any]) -> None:
    """PipelineError unless a version was approved by somebody else than who made it, by whichever way.

    Who approved it before a deployment changed it is what that deployment wrote down, and so says nothing where one
    who made the version could have written it.
    """
    made_by, version = makers(sagemaker, package), package["ModelPackageVersion"]
    who, last = decider(package), person(package.get("LastModifiedBy", {}))
    if who is not None and last is not None and who != last and _among(last, made_by):
        raise PipelineError(
            f"{last}, who made version {version}, changed it last, so nothing proves that {who} approved it: let {who} "
            f"run `run_pipeline.py approve {version}` once more."
        )
    require_another(who, made_by, version)


def require_another(who: str | None, made_by: set[str], version: int) -> None:
    """PipelineError where the one who decides over a version is one of those who made it, or either is not known."""
    if who is None:
        raise PipelineError(
            f"It is not known who approved version {version}: approve it with `run_pipeline.py approve`."
        )
    if not made_by:
        raise PipelineError(
            f"It is not known who made version {version}, so it could be {who}: register it with the pipeline."
        )
    same = _among(who, made_by)
    if same is not None:
        raise PipelineError(
            f"{who} made version {version} (as {same}) and cannot approve it: let another person approve it, as "
            "approval.four_eyes of the settings asks for."
        )


def require_second_person(who: str, package: Mapping[str, Any], stage: str) -> None:
    """PipelineError unless `who` deploys to a stage is proven to be another person than who approved the version.

    What a deployment wrote down about the approval proves nothing to the one who made that deployment.
    """
    version, approver = package["ModelPackageVersion"], decider(package)
    last = person(package.get("LastModifiedBy", {}))
    rule = f"stages.{stage}.second_person of the settings asks for another person"
    if approver is None:
        raise PipelineError(f"It is not known who approved version {version}, and {rule} than that one.")
    if _is_same(who, approver):
        raise PipelineError(f"{who} approved version {version} and cannot bring it to {stage}, too: {rule}.")
    if last is not None and last != approver and _is_same(who, last):
        raise PipelineError(
            f"{who} changed version {version} last, so nothing proves that {approver} approved it: let {approver} run "
            f"`run_pipeline.py approve {version}` once more; {rule}."
        )


def _among(who: str, names: set[str]) -> str | None:
    return next((name for name in sorted(names) if _is_same(who, name)), None)


def _is_same(one: str, other: str) -> bool:
    """A session may be named after a person's address, or after its first part alone."""
    names = {one.lower(), other.lower()}
    return len(names) == 1 or len({name.partition("@")[0] for name in names}) == 1
