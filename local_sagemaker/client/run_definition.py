"""`python -m local_sagemaker run`: a definition in a file, run to its end with a line for each step that changes."""

import gc
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import botocore.session
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError

from local_sagemaker.client import lifecycle
from local_sagemaker.definition.check import check
from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.wire.model import api_loader

ROLE = "arn:aws:iam::000000000000:role/local-sagemaker-run"
SUCCEEDED, FAILED, NOT_STARTED, STOPPED = 0, 1, 2, 3
EXIT_CODES = {"Succeeded": SUCCEEDED, "Failed": FAILED, "CompletedWithFailures": FAILED, "Stopped": STOPPED}
POLL_SECONDS = 0.05
JOBS = ("ProcessingJob", "TrainingJob", "TransformJob", "TuningJob")


def run_definition(file: Path, text: str, assignments: list[str], state: Path) -> int:
    """Check, store and run a definition; returns one of the exit codes above.

    Starts the server of `state` where none runs. Ctrl-C stops the execution, and a second one leaves it alone.
    """
    faults = [fault for fault in check(text) if not fault.only_on_aws]
    if faults:
        print("\n".join(f"{file}: {fault}" for fault in faults), file=sys.stderr)
        return NOT_STARTED
    parameters = [_parameter(assignment) for assignment in assignments]
    server = lifecycle.use_local(state, announce=print)
    session = botocore.session.get_session()
    session.register_component("data_loader", api_loader())
    sagemaker = session.create_client("sagemaker")
    gc.freeze()
    gc.enable()
    try:
        name = _store(sagemaker, file, text)
        started = sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=parameters)
    except ClientError as error:
        print(f"error: {error.response['Error']['Message']}", file=sys.stderr)
        return NOT_STARTED
    arn = started["PipelineExecutionArn"]
    print(f"Execution {arn} on {server.url}")
    try:
        execution = _Followed(sagemaker, arn).to_its_end()
        return _report(sagemaker, execution, server.state)
    except KeyboardInterrupt:  # the second one
        print(f"No longer waiting: {arn} is still stopping.")
        return STOPPED
    except (EndpointConnectionError, HTTPClientError):
        print(f"error: the server on {server.url} is gone; its log: {server.state / 'server.log'}", file=sys.stderr)
        return FAILED


class _Followed:
    """An execution whose steps are printed as they change."""

    def __init__(self, sagemaker: Any, arn: str, say: Callable[[str], None] = print) -> None:
        self._sagemaker = sagemaker
        self._arn = arn
        self._say = say
        self._seen: dict[str, tuple[Any, ...]] = {}

    def to_its_end(self) -> dict[str, Any]:
        """The description of the execution once it is over; Ctrl-C stops it."""
        try:
            return self._until_end()
        except KeyboardInterrupt:
            self._say("Stopping the execution ...")
            with suppress(ClientError):  # it has just ended
                self._sagemaker.stop_pipeline_execution(PipelineExecutionArn=self._arn)
            return self._until_end()

    def _until_end(self) -> dict[str, Any]:
        while True:
            execution: dict[str, Any] = self._sagemaker.describe_pipeline_execution(PipelineExecutionArn=self._arn)
            for step in steps(self._sagemaker, self._arn):
                state = (step["StepStatus"], step.get("AttemptCount"))
                if self._seen.get(step["StepName"]) != state:
                    self._seen[step["StepName"]] = state
                    self._say(_line(step))
            if execution["PipelineExecutionStatus"] in EXIT_CODES:
                return execution
            time.sleep(POLL_SECONDS)


def steps(sagemaker: Any, arn: str) -> list[dict[str, Any]]:
    """The steps of an execution in the order of their start."""
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, SortOrder="Ascending"
    )
    return [step for page in pages for step in page["PipelineExecutionSteps"]]


def _line(step: dict[str, Any]) -> str:
    notes = []
    if step.get("AttemptCount", 1) > 1:
        notes.append(f"attempt {step['AttemptCount']}")
    if "CacheHitResult" in step:
        notes.append("from the cache")
    outcome = step.get("Metadata", {}).get("Condition", {}).get("Outcome")
    if outcome:
        notes.append(f"the condition is {outcome}")
    token = step.get("Metadata", {}).get("Callback", {}).get("CallbackToken")
    if token and step["StepStatus"] in ("Executing", "Stopping"):
        notes.append(f"waits for an answer to the token {token}")
    if "StartTime" in step and "EndTime" in step:
        notes.append(f"{(step['EndTime'] - step['StartTime']).total_seconds():.1f} s")
    said = f" ({', '.join(notes)})" if notes else ""
    return f"{datetime.now():%H:%M:%S} {step['StepName']} {step['StepStatus']}{said}"


def _report(sagemaker: Any, execution: dict[str, Any], state: Path) -> int:
    status = execution["PipelineExecutionStatus"]
    print(f"{status}: {execution['PipelineExecutionArn']}")
    for step in steps(sagemaker, execution["PipelineExecutionArn"]):
        if step["StepStatus"] == "Failed":
            print(f"{step['StepName']} failed: {step.get('FailureReason', 'no reason was given')}")
            log = _log(step, state)
            if log is not None:
                print(f"its log: {log}")
    return EXIT_CODES[status]


def _log(step: dict[str, Any], state: Path) -> Path | None:
    for kind in JOBS:
        arn = step.get("Metadata", {}).get(kind, {}).get("Arn")
        if arn:
            job_type, _, name = arn.rpartition(":")[2].partition("/")
            log = state / "jobs" / job_type.removesuffix("-job") / name / "output.log"
            return log if log.is_file() else None
    return None


def _store(sagemaker: Any, file: Path, text: str) -> str:
    """Create or update the pipeline that is named after the file."""
    name = re.sub(r"[^a-zA-Z0-9]+", "-", file.stem).strip("-")[:256] or "pipeline"
    try:
        sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=ROLE)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFound":
            raise
        sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=ROLE)
    return name


def _parameter(assignment: str) -> dict[str, str]:
    name, equals, value = assignment.partition("=")
    if not equals or not name:
        raise LocalSageMakerError(f"-p {assignment}: write it as NAME=VALUE.")
    return {"Name": name, "Value": value}
