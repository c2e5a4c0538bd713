"""Scoring a prefix of Parquet files by a processing job on one or several hosts, and waiting for its end.

The job is run as the version's own evaluation was, and each host scores its own files (ShardedByS3Key).
"""

import json
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from deployment.endpoint import Announce, Waiting
from deployment.errors import DeploymentError
from deployment.evaluation_job import job_input, job_like
from deployment.job_end import job_end, reason_of
from deployment.packages import Package, SageMakerClient

MODULE = "steps.score"
ROWS, PREDICTIONS, SUMMARY = "rows", "predictions", "summary"  # its input, and its outputs
_OLDER = " (A version that was evaluated before `batch` took Parquet files has no code for them: train a new one.)"
AT_ONCE = 8  # files that are on their way side by side


@dataclass(frozen=True)
class ParquetBatch:
    """One job: the version and its evaluation's job; rows, predictions and summary are prefixes of S3, with a slash.

    instance_type and instance_count: None for those of the evaluation.
    """

    name: str
    package: Package
    evaluation: Mapping[str, Any]
    rows: str
    predictions: str
    summary: str
    instance_count: int = 1
    instance_type: str | None = None

    def request(self) -> dict[str, Any]:
        """The request of CreateProcessingJob."""
        rows = job_input(ROWS, self.rows, S3DataDistributionType="ShardedByS3Key")
        places = {PREDICTIONS: self.predictions, SUMMARY: self.summary}
        request = job_like(self.evaluation, self.name, self.package, MODULE, [], [rows], places)
        cluster = {**request["ProcessingResources"]["ClusterConfig"], "InstanceCount": self.instance_count}
        if self.instance_type:
            cluster["InstanceType"] = self.instance_type
        return {**request, "ProcessingResources": {"ClusterConfig": cluster}}


@dataclass
class Summary:
    """What all hosts have scored, as steps/score.py writes it for each."""

    parts: int = 0
    rows: int = 0
    unpredicted: int = 0
    warned: int = 0
    coverage: float = 0.0
    first_fault: str | None = None
    absent: Counter[str] = field(default_factory=Counter)

    def add(self, text: bytes | str) -> None:
        """Add what one host has written."""
        told = json.loads(text)
        for name in ("parts", "rows", "unpredicted", "warned"):
            setattr(self, name, getattr(self, name) + told[name])
        self.coverage = told["coverage"]
        self.first_fault = min(filter(None, (self.first_fault, told["first_fault"])), default=None)
        self.absent.update(told["absent"])


@dataclass(frozen=True)
class ParquetBatchRun:
    """What a job is run with; `log` is where the log of a job lies, {} standing for its name."""

    sagemaker: SageMakerClient
    s3: Any
    waiting: Waiting
    announce: Announce
    log: str

    def run(self, batch: ParquetBatch) -> Summary:
        """Score; what the hosts say of it. Ctrl-C stops the job. DeploymentError with the job's reason if it fails."""
        hosts = "1 host" if batch.instance_count == 1 else f"{batch.instance_count} hosts"
        log = self.log.format(batch.name)
        self.announce(f"Version {batch.package.version} scores them on {hosts}: processing job {batch.name}")
        self.announce(f"Its log tells its progress: {log}")
        self.sagemaker.create_processing_job(**batch.request())
        describe = partial(self.sagemaker.describe_processing_job, ProcessingJobName=batch.name)
        ended_of = partial(job_end, describe, "ProcessingJobStatus", self.waiting, self.announce)
        try:
            ended = ended_of()
        except KeyboardInterrupt:
            self.sagemaker.stop_processing_job(ProcessingJobName=batch.name)
            self.announce("The processing job is stopped.")
            ended_of()
            raise
        if ended["ProcessingJobStatus"] != "Completed":
            # So ends a Python that has no such module; a job that says why it fails does it in ExitMessage.
            older = _OLDER if not ended.get("ExitMessage") and reason_of(ended).endswith("exit code: 1") else ""
            raise DeploymentError(
                f"The processing job {batch.name} is {ended['ProcessingJobStatus']}: {reason_of(ended)}. "
                f"Its log: {log}.{older}"
            )
        summary = Summary()
        bucket, prefix = place_of(batch.summary)
        for key in keys_below(self.s3, bucket, prefix):
            summary.add(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return summary


def place_of(uri: str) -> tuple[str, str]:
    """Bucket and prefix of s3://bucket/folder/. DeploymentError where it does not name a folder of S3."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not prefix.endswith("/"):
        raise DeploymentError(f"{uri} does not name a folder of S3, such as s3://bucket/folder/.")
    return bucket, prefix


def keys_below(s3: Any, bucket: str, prefix: str) -> list[str]:
    """The objects below a prefix, without those that mark folders. DeploymentError where there is no such bucket."""
    from botocore.exceptions import ClientError

    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    try:
        found = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        raise DeploymentError(f"There is no bucket {bucket}.") from None
    return [key for key in found if not key.endswith("/")]


def download(s3: Any, bucket: str, prefix: str, folder: Path) -> None:
    """Bring all objects below a prefix to a folder, AT_ONCE side by side."""

    def one(key: str) -> None:
        path = folder / key.removeprefix(prefix)
        path.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(path))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, keys_below(s3, bucket, prefix)))


def remove(s3: Any, bucket: str, prefix: str) -> None:
    """Delete all objects below a prefix."""
    for key in keys_below(s3, bucket, prefix):
        s3.delete_object(Bucket=bucket, Key=key)
