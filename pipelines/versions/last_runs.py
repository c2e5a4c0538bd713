"""How long the jobs of the last executions worked, and on how many rows: a forecast for other rows begins with it."""

from collections.abc import Mapping

from pipelines.aws_errors import DENIED
from pipelines.checks.capacity import LastRun
from pipelines.clients import S3Client, SageMakerClient
from pipelines.publishing.cost_forecast import Measured
from pipelines.versions.execution_evaluation import read_counts, validation_uri
from pipelines.watching.executions import Job, describe


def last_runs(sagemaker: SageMakerClient, s3: S3Client, measured: Mapping[str, Measured]) -> dict[str, LastRun]:
    """The last success of each step, see `last_durations`.

    Those are left out whose job, or whose data, nobody can tell any more, or this caller may not ask for.
    """
    from botocore.exceptions import ClientError

    rows: dict[str, int | None] = {}
    found = {}
    for name, each in measured.items():
        try:
            if each.arn not in rows:
                rows[each.arn] = _rows(sagemaker, s3, each.arn)
            seconds, count = _seconds(sagemaker, each.job), rows[each.arn]
        except ClientError as error:
            if error.response["Error"]["Code"] not in DENIED:
                raise
            continue
        if seconds is not None and count:
            found[name] = LastRun(each.execution, count, seconds)
    return found


def _rows(sagemaker: SageMakerClient, s3: S3Client, execution: str) -> int | None:
    counts = read_counts(s3, validation_uri(sagemaker, describe(sagemaker, execution)))
    return counts.read if counts else None


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
