"""Who decided over a version, and whether that is somebody else than who made it."""

import re
from collections.abc import Mapping
from typing import Any

from pipelines.clients import SageMakerClient
from pipelines.errors import PipelineError
from pipelines.watching.executions import person

DECIDED_BY, CHANGED_BY = "decided_by", "changed_by"  # properties that a deployment leaves with the version
EXECUTION = "pipeline_execution_arn"
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


def makers(sagemaker: SageMakerClient, package: Mapping[str, Any]) -> set[str]:
    """Who started the execution that made a version, and the author of the commit, where a build started it."""
    execution = package.get("CustomerMetadataProperties", {}).get(EXECUTION)
    if execution is None:
        return set()
    description = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
    found = {person(description.get("CreatedBy", {}))}
    author = AUTHOR.search(description.get("PipelineExecutionDescription", ""))
    return {name for name in (*found, author["address"] if author else None) if name is not None}


def require_another(who: str | None, made_by: set[str], version: int) -> None:
    """PipelineError where the one who decides over a version is one of those who made it, or is not known."""
    if who is None:
        raise PipelineError(
            f"Nobody is known who approved version {version}: approve it with `run_pipeline.py approve`."
        )
    same = next((name for name in sorted(made_by) if _is_same(who, name)), None)
    if same is not None:
        raise PipelineError(
            f"{who} made version {version} (as {same}) and cannot approve it: let another person approve it, as "
            "approval.four_eyes of the settings asks for."
        )


def _is_same(one: str, other: str) -> bool:
    """A session may be named after a person's address, or after its first part alone."""
    names = {one.lower(), other.lower()}
    return len(names) == 1 or len({name.partition("@")[0] for name in names}) == 1
