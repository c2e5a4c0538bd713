"""Executions of a pipeline: start, find, describe, list and stop them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from pipelines.clients import SageMakerClient
from pipelines.document.parameters import check_parameters
from pipelines.errors import PipelineError
from pipelines.exit_codes import EXIT_ERROR, EXIT_EXECUTION_FAILED, EXIT_INTERRUPTED, EXIT_OK

FINAL = ("Succeeded", "Failed", "Stopped", "CompletedWithFailures")
JOB_KINDS = ("ProcessingJob", "TrainingJob", "TransformJob", "TuningJob")


@dataclass(frozen=True)
class Job:
    """The job behind a step: its kind ("ProcessingJob", "TrainingJob", ...) and its name."""

    kind: str
    name: str


@dataclass(frozen=True)
class StepSummary:
    """One step of one execution. `cache_hit` is the ARN of the execution whose result was used again."""

    name: str
    status: str
    started: datetime | None
    ended: datetime | None
    cache_hit: str | None
    failure_reason: str | None
    attempts: int
    metadata: dict[str, Any]

    @property
    def job(self) -> Job | None:
        """The job whose log is this step's log; None for a step that runs no job."""
        for kind in JOB_KINDS:
            if kind in self.metadata:
                return Job(kind, self.metadata[kind]["Arn"].rpartition("/")[2])
        return None

    @property
    def outputs(self) -> dict[str, str]:
        """The output parameters of a Lambda step by their names; empty for any other step."""
        found = self.metadata.get("Lambda", {}).get("OutputParameters", [])
        return {each["Name"]: each["Value"] for each in found}

    def seconds(self, now: datetime | None = None) -> float | None:
        """How long it took, or has taken until now."""
        if self.started is None:
            return None
        return ((self.ended or now or datetime.now(timezone.utc)) - self.started).total_seconds()

    @property
    def note(self) -> str:
        """What a person wants to know beside the status, in a few words; why it failed is told below the steps."""
        if self.failure_reason and self.status != "Failed":
            return self.failure_reason
        if self.cache_hit:
            return f"cached, from {self.cache_hit.rpartition('/')[2]}"
        if "Condition" in self.metadata:
            return f"condition is {self.metadata['Condition'].get('Outcome', 'not decided')}"
        return f"attempt {self.attempts}" if self.attempts > 1 else ""

    def document(self) -> dict[str, Any]:
        """The step as data for --json."""
        return {
            "name": self.name,
            "status": self.status,
            "started": timestamp(self.started),
            "ended": timestamp(self.ended),
            "seconds": self.seconds(),
            "cache_hit": self.cache_hit,
            "failure_reason": self.failure_reason,
            "attempts": self.attempts,
            "metadata": self.metadata,
        }


@dataclass(frozen=True)
class ExecutionSummary:
    """One execution as it stands. `interrupted` says that Ctrl-C stopped it, or stopped watching it."""

    arn: str
    display_name: str | None
    status: str
    failure_reason: str | None
    started: datetime
    changed: datetime
    who: str | None
    steps: tuple[StepSummary, ...] = ()
    interrupted: bool = False

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in FINAL

    @property
    def exit_code(self) -> int:
        """0 Succeeded, 3 Failed, 130 stopped by Ctrl-C, 1 stopped by someone else."""
        if self.interrupted:
            return EXIT_INTERRUPTED
        return {"Succeeded": EXIT_OK, "Failed": EXIT_EXECUTION_FAILED}.get(self.status, EXIT_ERROR)

    def seconds(self) -> float:
        """From the start to the end, or to now."""
        end = self.changed if self.is_over else datetime.now(timezone.utc)
        return (end - self.started).total_seconds()

    def document(self) -> dict[str, Any]:
        """The execution as data for --json."""
        return {
            "arn": self.arn,
            "id": self.id,
            "display_name": self.display_name,
            "status": self.status,
            "failure_reason": self.failure_reason,
            "started": timestamp(self.started),
            "ended": timestamp(self.changed) if self.is_over else None,
            "seconds": self.seconds(),
            "who": self.who,
            "steps": [step.document() for step in self.steps],
        }


def deployed_definition(sagemaker: SageMakerClient, pipeline_name: str) -> dict[str, Any]:
    """The definition that is deployed under a name; PipelineError where there is none."""
    try:
        pipeline = sagemaker.describe_pipeline(PipelineName=pipeline_name)
    except sagemaker.exceptions.ResourceNotFound:
        raise PipelineError(f"Pipeline {pipeline_name} is not deployed: run `upsert` first.") from None
    definition: dict[str, Any] = json.loads(pipeline["PipelineDefinition"])
    return definition


def start(
    sagemaker: SageMakerClient,
    pipeline_name: str,
    parameters: Mapping[str, str],
    token: str | None = None,
    description: str | None = None,
    only: tuple[str, str] | None = None,
) -> str:
    """Start an execution and return its ARN. `only` is an earlier execution and the one step that runs anew after it.

    The parameters are checked against the deployed definition first. The same token (any text, such as a
    build id) starts one execution only, however often it is sent.
    """
    definition = deployed_definition(sagemaker, pipeline_name)
    check_parameters(definition.get("Parameters", []), parameters, pipeline_name)
    request: dict[str, Any] = {
        "PipelineName": pipeline_name,
        "PipelineParameters": [{"Name": name, "Value": value} for name, value in parameters.items()],
    }
    if only is not None:
        source, step = only
        request["SelectiveExecutionConfig"] = {
            "SourcePipelineExecutionArn": source,
            "SelectedSteps": [{"StepName": step}],
        }
    if description is not None:
        request["PipelineExecutionDescription"] = description
    if token is not None:
        # The service wants 32 to 128 characters.
        request["ClientRequestToken"] = hashlib.sha256(f"{pipeline_name}\n{token}".encode()).hexdigest()
    arn: str = sagemaker.start_pipeline_execution(**request)["PipelineExecutionArn"]
    return arn


def describe(sagemaker: SageMakerClient, execution_arn: str) -> ExecutionSummary:
    """An execution with its steps in the order of their start."""
    return _summary(
        sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution_arn),
        tuple(_steps(sagemaker, execution_arn)),
    )


def list_executions(sagemaker: SageMakerClient, pipeline_name: str, limit: int = 20) -> list[ExecutionSummary]:
    """The newest executions of a pipeline, newest first, without their steps."""
    found = _listed(sagemaker, pipeline_name, limit)
    return [
        _summary(sagemaker.describe_pipeline_execution(PipelineExecutionArn=entry["PipelineExecutionArn"]))
        for entry in found
    ]


def resolve(sagemaker: SageMakerClient, pipeline_name: str, text: str) -> str:
    """The ARN of the execution that a person means.

    `text` is an ARN, an id, the beginning of one id only, a display name, or `latest`.
    Raises PipelineError where it is not one of these or could be several.
    """
    if text.startswith("arn:"):
        return text
    entries = _listed(sagemaker, pipeline_name)
    if text == "latest" and entries:
        return str(entries[0]["PipelineExecutionArn"])
    arns = [entry["PipelineExecutionArn"] for entry in entries if _is_meant(entry, text)]
    exact = [arn for arn in arns if arn.rpartition("/")[2] == text]
    if len(exact or arns) == 1:
        return str((exact or arns)[0])
    if arns:
        ids = ", ".join(arn.rpartition("/")[2] for arn in arns[:5])
        raise PipelineError(f"{text!r} could be any of {len(arns)} executions ({ids}): give more of the id.")
    raise PipelineError(f"Pipeline {pipeline_name} has no execution {text!r}: the command `executions` lists them.")


def stop(sagemaker: SageMakerClient, execution_arn: str) -> str:
    """Ask an execution to stop and return its status then; one that is over stays as it is."""
    from botocore.exceptions import ClientError

    try:
        sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution_arn)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ValidationException", "ConflictException"):
            raise
        status = _status(sagemaker, execution_arn)
        if status not in (*FINAL, "Stopping"):
            raise  # refused for another reason than that it is over
        return status
    return _status(sagemaker, execution_arn)


def parameters_of(sagemaker: SageMakerClient, execution_arn: str) -> dict[str, str]:
    """Every parameter of an execution with the value that it had, defaults included where the service keeps them."""
    pages = sagemaker.get_paginator("list_pipeline_parameters_for_execution").paginate(
        PipelineExecutionArn=execution_arn
    )
    return {entry["Name"]: entry["Value"] for page in pages for entry in page["PipelineParameters"]}


def _is_meant(entry: Mapping[str, Any], text: str) -> bool:
    identity = entry["PipelineExecutionArn"].rpartition("/")[2]
    return bool(text) and (identity.startswith(text) or entry.get("PipelineExecutionDisplayName") == text)


def _status(sagemaker: SageMakerClient, execution_arn: str) -> str:
    description = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution_arn)
    return str(description["PipelineExecutionStatus"])


def _listed(sagemaker: SageMakerClient, pipeline_name: str, limit: int | None = None) -> list[dict[str, Any]]:
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=pipeline_name,
        SortBy="CreationTime",
        SortOrder="Descending",
        PaginationConfig={"MaxItems": limit},
    )
    try:
        return [entry for page in pages for entry in page["PipelineExecutionSummaries"]]
    except sagemaker.exceptions.ResourceNotFound:
        raise PipelineError(f"Pipeline {pipeline_name} is not deployed: run `upsert` first.") from None


def _steps(sagemaker: SageMakerClient, execution_arn: str) -> list[StepSummary]:
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=execution_arn, SortOrder="Ascending"
    )
    return [
        StepSummary(
            name=step["StepName"],
            status=step["StepStatus"],
            started=step.get("StartTime"),
            ended=step.get("EndTime"),
            cache_hit=step.get("CacheHitResult", {}).get("SourcePipelineExecutionArn"),
            failure_reason=step.get("FailureReason"),
            attempts=step.get("AttemptCount", 1),
            metadata=step.get("Metadata", {}),
        )
        for page in pages
        for step in page["PipelineExecutionSteps"]
    ]


def _summary(description: Mapping[str, Any], steps: tuple[StepSummary, ...] = ()) -> ExecutionSummary:
    return ExecutionSummary(
        arn=description["PipelineExecutionArn"],
        display_name=description.get("PipelineExecutionDisplayName"),
        status=description["PipelineExecutionStatus"],
        failure_reason=description.get("FailureReason"),
        started=description["CreationTime"],
        changed=description["LastModifiedTime"],
        who=person(description.get("CreatedBy", {})),
        steps=steps,
    )


def timestamp(when: datetime | None) -> str | None:
    """A point in time for a script: ISO 8601 in UTC."""
    return None if when is None else when.astimezone(timezone.utc).isoformat(timespec="milliseconds")


def person(user: Mapping[str, Any]) -> str | None:
    """Who a UserContext is: the Studio user's name, or the end of the caller's ARN."""
    name = user.get("UserProfileName")
    arn = user.get("IamIdentity", {}).get("Arn", "")
    return str(name) if name else arn.rpartition("/")[2].rpartition(":")[2] or None
