"""The training job of a run once more, on more hosts of local SageMaker: one model, or an end that names the host."""

from __future__ import annotations

import io
import json
import os
import signal
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e
FIELDS = ("AlgorithmSpecification", "RoleArn", "OutputDataConfig", "StoppingCondition", "ResourceConfig")


@pytest.fixture
def start(sagemaker: Any, first_run: Any) -> Any:
    """Start the run's training job anew: a name, a number of hosts, hyperparameters."""

    def begin(name: str, hosts: int, **hyperparameters: str) -> None:
        found = sagemaker.list_training_jobs(SortBy="CreationTime", SortOrder="Ascending")["TrainingJobSummaries"]
        job = sagemaker.describe_training_job(TrainingJobName=found[0]["TrainingJobName"])
        request = {field: job[field] for field in FIELDS}
        request["ResourceConfig"] = {**job["ResourceConfig"], "InstanceCount": hosts}
        sagemaker.create_training_job(
            TrainingJobName=name,
            HyperParameters={**job["HyperParameters"], "threads": "1", **hyperparameters},
            InputDataConfig=job["InputDataConfig"],
            **request,
        )

    return begin


def ended(sagemaker: Any, name: str) -> Any:
    deadline = time.monotonic() + 240
    while True:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] not in ("InProgress", "Stopping"):
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.2)


def test_two_hosts_leave_one_model_and_one_line_of_each_metric(
    sagemaker: Any, s3: Any, server: Any, start: Any
) -> None:
    start("two-hosts", 2, rounds="20")
    job = ended(sagemaker, "two-hosts")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    metrics = {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}
    assert metrics["validation:rmse"] < metrics["validation:linear_rmse"]
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    with tarfile.open(fileobj=io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())) as archive:
        metadata = json.load(archive.extractfile("model.json"))  # type: ignore[arg-type]
    assert (metadata["hosts"], metadata["rows"]["train"]) == (2, 15_101)


def test_a_host_that_is_killed_fails_the_job_by_its_name(sagemaker: Any, server: Any, start: Any) -> None:
    start("dead-host", 2, rounds="1000000", early_stopping_rounds="1000000")
    folder = next(Path(server.environment["SAGEMAKER_LOCAL_STATE"]).rglob("dead-host"))
    deadline = time.monotonic() + 240
    while "got rank" not in (log.read_text() if (log := folder / "output-algo-2.log").exists() else ""):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    os.killpg(json.loads((folder / "algo-2" / "process.json").read_text())["pid"], signal.SIGKILL)
    job = ended(sagemaker, "dead-host")
    assert job["TrainingJobStatus"] == "Failed"
    assert "The host algo-2 ended" in job["FailureReason"]
