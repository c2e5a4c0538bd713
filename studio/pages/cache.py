"""Why a step ran again: its job compared with the last one of the same step that succeeded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from studio.account.account import Account
from studio.account.attempts import attempts_for
from studio.pages.jobs import facts, job_of

LOOK_BACK = 10  # executions before this one
OWN = ("JobName", "OutputPath", "OutputDataConfig", "RoleArn")  # differ between any two jobs, or do not count


@dataclass(frozen=True)
class Difference:
    """One value that two documents do not share; None where a document lacks it."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Comparison:
    """The execution that the step was compared with, and what differs; no execution: it had not run before."""

    execution: str | None
    differences: tuple[Difference, ...]


def why_not_cached(
    account: Account, arn: str, started: datetime, step: str, description: Mapping[str, Any]
) -> Comparison:
    """Compare a step's job with that of the newest earlier execution in which the step succeeded."""
    client = account.client("sagemaker")
    name = arn.split("/")[1]
    earlier = client.list_pipeline_executions(
        PipelineName=name, CreatedBefore=started, SortBy="CreationTime", SortOrder="Descending", MaxResults=LOOK_BACK
    ).get("PipelineExecutionSummaries", [])
    arns = [entry["PipelineExecutionArn"] for entry in earlier if entry["PipelineExecutionArn"] != arn]
    listed = attempts_for(
        arns, lambda other: client.list_pipeline_execution_steps(PipelineExecutionArn=other, MaxResults=100)
    )
    for other, answer in zip(arns, listed, strict=True):
        for entry in (answer.value or {}).get("PipelineExecutionSteps", []):
            job = job_of(entry.get("Metadata", {}))
            if entry["StepName"] == step and entry["StepStatus"] == "Succeeded" and job:
                kind, job_name = job
                before = kind.describe(account, job_name)
                found = tuple(differences(_asked(before), _asked(description)))
                return Comparison(other, found)
    return Comparison(None, ())


def differences(old: Any, new: Any, path: str = "") -> Iterator[Difference]:
    """Where two documents differ, by path; lists are compared item by item."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            yield from differences(old.get(key), new.get(key), f"{path}.{key}".lstrip("."))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (left, right) in enumerate(zip(old, new, strict=True)):
            name = _name(left) or _name(right) or str(index)
            yield from differences(left, right, f"{path}[{name}]")
    elif old != new:
        yield Difference(path, old, new)


def _name(item: Any) -> str:
    if not isinstance(item, Mapping):
        return ""
    return str(item.get("InputName") or item.get("OutputName") or item.get("ChannelName") or item.get("Name") or "")


def _asked(description: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = {key: value for key, value in facts(description).items() if not key.endswith(OWN)}
    kept.pop("ProcessingOutputConfig", None)  # holds the execution's id
    return kept
