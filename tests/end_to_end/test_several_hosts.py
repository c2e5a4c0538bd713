"""Jobs of a run once more, on more hosts of local SageMaker: what one host makes, or an end that names the host."""

from __future__ import annotations

import io
import json
import os
import signal
import tarfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines.definition.job_code import PREPROCESS, TRAIN, job_code
from pipelines.settings.settings import ROOT, default_config, load_settings
from steps.raw_data import typed
from steps.training_metrics import METRICS, pattern
from tests.benchmarks.hosts import table_of, write_channels

pytestmark = [pytest.mark.e2e, pytest.mark.journey]
BUCKET = "sagemaker-us-east-1-000000000000"
CODE = "/opt/ml/input/data/code/sourcedir.tar.gz"
PROCESSING = "/opt/ml/processing"
PREPROCESSED = ("train", "validation", "test", "rows", "features")


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

    from pipelines.definition.job_inputs import UNPACK_AND_RUN  # imports the SDK

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


@pytest.fixture(scope="module")
def prepare(sagemaker: Any, s3: Any) -> Any:
    """Start the job of the pipeline's Preprocess: a name, a number of hosts, how often they are given each house."""
    settings = load_settings(default_config())
    s3.create_bucket(Bucket=BUCKET)
    raw = pd.read_parquet(ROOT / "data" / "house_prices.parquet")
    rows = typed(raw, settings.data.columns, "house_prices.parquet")
    archive = job_code(ROOT, settings, "training").bundles[PREPROCESS].archive()
    s3.put_object(Bucket=BUCKET, Key="preprocess/code/sourcedir.tar.gz", Body=archive)

    from pipelines.definition.job_inputs import UNPACK_AND_RUN  # imports the SDK

    def location(place: str, uri: str, **more: str) -> dict[str, str]:
        return {"S3Uri": f"s3://{BUCKET}/preprocess/{uri}", "LocalPath": f"{PROCESSING}/{place}", **more}

    def begin(name: str, hosts: int, times: int = 1) -> None:
        validated = io.BytesIO()
        pd.concat([rows] * times).to_parquet(validated, index=False)
        s3.put_object(Bucket=BUCKET, Key=f"preprocess/validated-{name}/data.parquet", Body=validated.getvalue())
        image = f"683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:{settings.jobs.image_version}"
        code = f"{PROCESSING}/input/code/sourcedir.tar.gz"
        inputs = [
            {
                "InputName": each,
                "S3Input": location(f"input/{each}", uri, S3DataType="S3Prefix", S3InputMode="File"),
            }
            for each, uri in {"code": "code", "validated": f"validated-{name}"}.items()
        ]
        outputs = [
            {
                "OutputName": each,
                "S3Output": location(f"output/{each}", f"{name}/{each}", S3UploadMode="EndOfJob"),
            }
            for each in PREPROCESSED
        ]
        sagemaker.create_processing_job(
            ProcessingJobName=name,
            RoleArn="arn:aws:iam::000000000000:role/SageMakerPipelineRole",
            AppSpecification={
                "ImageUri": image,
                "ContainerEntrypoint": ["sh", "-c", UNPACK_AND_RUN, code, PREPROCESS],
            },
            ProcessingInputs=inputs,
            ProcessingOutputConfig={"Outputs": outputs},
            ProcessingResources={
                "ClusterConfig": {"InstanceCount": hosts, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
            },
        )

    return begin


def written(s3: Any, name: str) -> dict[str, bytes]:
    """What a job has left below its prefix."""
    prefix = f"preprocess/{name}/"
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    return {
        each["Key"].removeprefix(prefix): s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()
        for each in listed
    }


def test_the_hosts_of_preprocess_leave_together_what_one_leaves(sagemaker: Any, s3: Any, prepare: Any) -> None:
    """More hosts than parts: one of six has nothing to write."""
    for name, hosts in (("one-host", 1), ("more-hosts", 2), ("most-hosts", 6)):
        prepare(name, hosts)
        job = ended(sagemaker, name, "Processing")
        assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    one = written(s3, "one-host")
    assert len([path for path in one if path.startswith("train/part-")]) == 4
    assert written(s3, "more-hosts") == written(s3, "most-hosts") == one


def test_a_host_of_preprocess_that_is_killed_fails_the_job_by_its_name(
    sagemaker: Any, server: Any, prepare: Any
) -> None:
    prepare("dead-host", 2, times=20)  # so that it is killed at its work, however late
    kill(server, "processing", "dead-host")
    job = ended(sagemaker, "dead-host", "Processing")
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].count("The host algo-2 ended") == 1


def ended(sagemaker: Any, name: str, kind: str = "Training") -> Any:
    deadline = time.monotonic() + 240
    while True:
        job = getattr(sagemaker, f"describe_{kind.lower()}_job")(**{f"{kind}JobName": name})
        if job[f"{kind}JobStatus"] not in ("InProgress", "Stopping"):
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.2)


def kill(server: Any, kind: str, name: str) -> None:
    """The second host of a job, once the hosts have met."""
    folder = Path(server.environment["SAGEMAKER_LOCAL_STATE"]) / "jobs" / kind / name
    deadline = time.monotonic() + 240
    while not (log := folder / "output-algo-2.log").is_file() or "got rank" not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(json.loads((folder / "algo-2" / "process.json").read_text())["pid"], signal.SIGKILL)


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
    kill(server, "training", "dead-host")
    job = ended(sagemaker, "dead-host")
    assert job["TrainingJobStatus"] == "Failed"
    assert "The host algo-2 ended" in job["FailureReason"]
