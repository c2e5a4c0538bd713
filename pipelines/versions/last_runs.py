"""How long the jobs of the last executions worked, and on how many rows: a forecast for other rows begins with it."""

from collections.abc import Mapping

from pipelines.checks.capacity import LastRun
from pipelines.clients import S3Client, SageMakerClient
from pipelines.publishing.cost_forecast import Measured
from pipelines.versions.execution_evaluation import read_counts, validation_uri
from pipelines.watching.executions import Job, describe


def last_runs(sagemaker: SageMakerClient, s3: S3Client, measured: Mapping[str, Measured]) -> dict[str, LastRun]:
    """The last success of each step, see `last_durations`; without those whose job, or whose data, nobody can tell."""
    rows: dict[str, int | None] = {}
    found = {}
    for name, each in measured.items():
        if each.arn not in rows:
            counts = read_counts(s3, validation_uri(sagemaker, describe(sagemaker, each.arn)))
            rows[each.arn] = counts.read if counts else None
        seconds, count = _seconds(sagemaker, each.job), rows[each.arn]
        if seconds is not None and count:
            found[name] = LastRun(each.execution, count, seconds)
    return found


def _seconds(sagemaker: SageMakerClient, job: Job) -> float | None:
    """How long a job was on its instances; starting these takes minutes, however many rows there are."""
    if job.kind == "ProcessingJob":
        processing = sagemaker.describe_processing_job(ProcessingJobName=job.name)
        began, ended = processing.get("ProcessingStartTime"), processing.get("ProcessingEndTime")
    elif job.kind == "TrainingJob":
        training = sagemaker.describe_training_job(TrainingJobName=job.name)
        began, ended = training.get("TrainingStartTime"), training.get("TrainingEndTime")
    else:
        return None
    return (ended - began).total_seconds() if began and ended else None
