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

from pipelines.definition.job_code import TRAIN, job_code
from pipelines.settings.settings import ROOT, default_config, load_settings
from steps.training_metrics import METRICS, pattern
from tests.benchmarks.hosts import table_of, write_channels

pytestmark = [pytest.mark.e2e, pytest.mark.journey]
BUCKET = "sagemaker-us-east-1-000000000000"
CODE = "/opt/ml/input/data/code/sourcedir.tar.gz"


@pytest.fixture(scope="module")
def start(sagemaker: Any, s3: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Start the job of the pipeline's Train on small channels: a name, a number of hosts, hyperparameters."""
    folder = tmp_path_factory.mktemp("channels")
    write_channels(folder, table_of(5000))
    s3.create_bucket(Bucket=BUCKET)
    for path in folder.rglob("*.*"):
        s3.upload_file(str(path), BUCKET, f"several-hosts/{path.relative_to(folder)}")
    settings = load_settings(default_config())
    archive = job_code(ROOT, settings, "training").bundles[TRAIN].archive()
    s3.put_object(Bucket=BUCKET, Key="several-hosts/code/sourcedir.tar.gz", Body=archive)
    image = f"683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:{settings.jobs.image_version}"

    def channel(name: str) -> dict[str, Any]:
        how = "ShardedByS3Key" if name == "train" else "FullyReplicated"
        uri = f"s3://{BUCKET}/several-hosts/{name}/"
        source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": how}
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}}

    from pipelines.definition.jobs import UNPACK_AND_RUN  # imports the SDK

    def begin(name: str, hosts: int, **hyperparameters: str) -> None:
        sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn="arn:aws:iam::000000000000:role/SageMakerPipelineRole",
            AlgorithmSpecification={
                "TrainingImage": image,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["sh", "-c", UNPACK_AND_RUN, CODE, TRAIN],
                "MetricDefinitions": [{"Name": each, "Regex": pattern(each)} for each in METRICS],
            },
            HyperParameters={"threads": "1", "start": "mean", **hyperparameters},
            InputDataConfig=[channel(each) for each in ("code", "train", "validation", "features")],
            OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/several-hosts/models"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
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


def test_two_hosts_leave_one_model_and_one_line_of_each_metric(sagemaker: Any, s3: Any, start: Any) -> None:
    start("two-hosts", 2, rounds="20")
    job = ended(sagemaker, "two-hosts")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    metrics = {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}
    assert metrics["train:rounds"] == 20
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    with tarfile.open(fileobj=io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())) as archive:
        metadata = json.load(archive.extractfile("model.json"))  # type: ignore[arg-type]
    assert (metadata["hosts"], metadata["rows"]["train"]) == (2, 5000)


def test_a_host_that_is_killed_fails_the_job_by_its_name(sagemaker: Any, server: Any, start: Any) -> None:
    start("dead-host", 2, rounds="1000000", early_stopping_rounds="1000000")
    state = Path(server.environment["SAGEMAKER_LOCAL_STATE"])
    deadline = time.monotonic() + 240
    while not (logs := [log for log in state.rglob("dead-host/output-algo-2.log") if "got rank" in log.read_text()]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    process = json.loads((logs[0].parent / "algo-2" / "process.json").read_text())
    os.killpg(process["pid"], signal.SIGKILL)
    job = ended(sagemaker, "dead-host")
    assert job["TrainingJobStatus"] == "Failed"
    assert "The host algo-2 ended" in job["FailureReason"]
