"""Where the log of a step's job is, and what it says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.document.parameters import close_match
from pipelines.errors import PipelineError
from pipelines.watching.executions import ExecutionSummary, Job, StepSummary

LogsClient = Any  # boto3's client of CloudWatch Logs

# https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html; the jobs of a tuning job are
# training jobs whose names begin with the tuning job's.
LOG_STREAMS = {
    "ProcessingJob": ("/aws/sagemaker/ProcessingJobs", "/"),
    "TrainingJob": ("/aws/sagemaker/TrainingJobs", "/"),
    "TransformJob": ("/aws/sagemaker/TransformJobs", "/"),
    "TuningJob": ("/aws/sagemaker/TrainingJobs", "-"),
}
FAILED = "error: "  # what a job of this project begins the sentence with that says why it failed


def log_place(job: Job, log_folder: Path | None = None) -> str:
    """Where a person finds the log: a file under `log_folder` on this machine, else CloudWatch."""
    if log_folder is not None:
        path = _log_file(job, log_folder)
        return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    group, ending = LOG_STREAMS[job.kind]
    return f"CloudWatch log group {group}, streams {job.name}{ending}"


def steps_with_logs(execution: ExecutionSummary, step_name: str | None = None) -> list[StepSummary]:
    """The steps of an execution that ran a job, or the one named.

    Raises PipelineError where the named step has not started, or runs no job.
    """
    if step_name is None:
        return [step for step in execution.steps if step.job is not None]
    found = [step for step in execution.steps if step.name == step_name]
    if not found:
        names = [step.name for step in execution.steps]
        raise PipelineError(
            f"Execution {execution.id} has run no step {step_name}: {close_match(step_name, names)}"
            f"it has run {', '.join(names) or 'none yet'}."
        )
    if found[-1].job is None:
        raise PipelineError(f"Step {step_name} runs no job, so it has no log: `describe` shows how it ended.")
    return found


def read_log(logs: LogsClient, job: Job, log_folder: Path | None = None) -> Iterator[str]:
    """The lines of a job's log, oldest first; PipelineError where it has none yet.

    The log of a tuning job is that of its training jobs, one after the other.
    """
    return _read_files(job, log_folder) if log_folder is not None else _read_cloudwatch(logs, job)


def last_words(logs: LogsClient, job: Job, log_folder: Path | None = None) -> str | None:
    """What a job said of its failure, its last line that begins with `error: `; None where there is no such line.

    In script mode the reason that SageMaker keeps is the toolkit's, which names the command alone. None, too, where
    the log cannot be read: whoever asks shows where it is.
    """
    from botocore.exceptions import ClientError

    try:
        if log_folder is not None:
            lines = list(_read_files(job, log_folder))
        else:
            lines = list(_read_cloudwatch(logs, job, filterPattern=f'"{FAILED}"'))
    except (PipelineError, ClientError):
        return None
    said = [line.removeprefix(FAILED) for line in lines if line.startswith(FAILED)]
    return said[-1] if said else None


def _read_files(job: Job, log_folder: Path) -> Iterator[str]:
    paths = _log_files(job, log_folder)
    if not paths:
        raise PipelineError(
            f"There is no log at {_log_file(job, log_folder)}: the job has not started, or its folder was removed."
        )
    for path in paths:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                yield line.rstrip("\n")


def _read_cloudwatch(logs: LogsClient, job: Job, **search: str) -> Iterator[str]:
    group, ending = LOG_STREAMS[job.kind]
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, logStreamNamePrefix=job.name + ending, **search
    )
    empty = True
    try:
        for page in pages:
            for event in page["events"]:
                empty = False
                yield event["message"].rstrip("\n")
    except logs.exceptions.ResourceNotFoundException:
        empty = True
    if empty:
        raise PipelineError(f"There is no log yet in {log_place(job)}: it appears some seconds after the job starts.")


def _log_files(job: Job, log_folder: Path) -> list[Path]:
    """The logs that there are: one, or of a tuning job that of each training job."""
    place = _log_file(job, log_folder)
    return sorted(place.parent.parent.glob(f"{place.parent.name}/{place.name}"))


def _log_file(job: Job, log_folder: Path) -> Path:
    folder = log_folder.resolve()
    if job.kind == "TuningJob":
        return folder / "training" / f"{job.name}-*" / "output.log"
    return folder / job.kind.removesuffix("Job").lower() / job.name / "output.log"
