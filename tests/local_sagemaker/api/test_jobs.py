"""Jobs started directly, as a notebook would."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.local_sagemaker.conftest import CLUSTER, IMAGE, ROLE, output, processing


def training(name: str, script: str) -> dict[str, Any]:
    """A training job that runs a shell script."""
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["sh", "-c", script],
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://test-bucket/models"},
        "ResourceConfig": CLUSTER,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def test_a_processing_job_is_described_from_its_start_to_its_end(
    sagemaker: Any, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    arn = sagemaker.create_processing_job(
        ProcessingJobName="direct", **processing("sleep 0.3"), Tags=[{"Key": "a", "Value": "b"}]
    )["ProcessingJobArn"]
    job = sagemaker.describe_processing_job(ProcessingJobName="direct")
    assert (job["ProcessingJobArn"], job["ProcessingJobStatus"]) == (arn, "InProgress")
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    wait_until(
        lambda: sagemaker.describe_processing_job(ProcessingJobName="direct")["ProcessingJobStatus"] == "Completed"
    )
    job = sagemaker.describe_processing_job(ProcessingJobName="direct")
    assert job["ProcessingEndTime"] > job["ProcessingStartTime"]


def test_a_training_job_leaves_its_model_where_its_description_says(sagemaker: Any, s3: Any) -> None:
    sagemaker.create_training_job(**training("trained", "echo weights > /opt/ml/model/weights"))
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="trained", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    job = sagemaker.describe_training_job(TrainingJobName="trained")
    assert job["SecondaryStatus"] == "Completed"
    assert [entry["Status"] for entry in job["SecondaryStatusTransitions"]][:3] == [
        "Starting",
        "Downloading",
        "Training",
    ]
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://test-bucket/")
    assert s3.head_object(Bucket="test-bucket", Key=key)["ContentLength"] > 0


def test_a_training_job_tells_its_last_metrics(sagemaker: Any) -> None:
    request = training("measured", "for loss in 0.5 0.25; do echo loss=$loss; done; exit 3")
    definitions = [{"Name": "loss", "Regex": "loss=([0-9.]+)"}, {"Name": "other", "Regex": "other=(.*)"}]
    request["AlgorithmSpecification"]["MetricDefinitions"] = definitions
    sagemaker.create_training_job(**request)
    with pytest.raises(WaiterError, match="terminal failure"):
        sagemaker.get_waiter("training_job_completed_or_stopped").wait(
            TrainingJobName="measured", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
        )
    job = sagemaker.describe_training_job(TrainingJobName="measured")
    [metric] = job["FinalMetricDataList"]
    assert (metric["MetricName"], metric["Value"]) == ("loss", 0.25)
    assert job["CreationTime"] <= metric["Timestamp"] <= job["TrainingEndTime"]
    definitions[0]["Regex"] = "loss=("
    with pytest.raises(ClientError, match="of the metric loss is not a regular expression"):
        sagemaker.create_training_job(**(request | {"TrainingJobName": "mismeasured"}))


def finish(sagemaker: Any, name: str) -> dict[str, Any]:
    """The description of a training job once it has ended."""
    deadline = time.monotonic() + 30
    while True:
        job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"):
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.02)


def test_the_phases_of_a_training_job_follow_each_other_and_add_up(sagemaker: Any) -> None:
    sagemaker.create_training_job(**training("phases", "sleep 1"))
    job = finish(sagemaker, "phases")
    phases = job["SecondaryStatusTransitions"]
    assert [each["Status"] for each in phases] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert [each["EndTime"] for each in phases[:-1]] == [each["StartTime"] for each in phases[1:]]
    assert all(each["StatusMessage"] for each in phases)
    assert phases[1]["StartTime"] == job["TrainingStartTime"]
    assert phases[-1]["EndTime"] == job["TrainingEndTime"]
    seconds = (job["TrainingEndTime"] - job["TrainingStartTime"]).total_seconds()
    assert job["TrainingTimeInSeconds"] == job["BillableTimeInSeconds"] == round(seconds)


def test_a_job_that_never_started_has_no_start_time(sagemaker: Any) -> None:
    request = training("never-started", "true")
    request["AlgorithmSpecification"]["TrainingImage"] = "mine:1"
    request["ResourceConfig"] = {**CLUSTER, "InstanceCount": 1}
    sagemaker.create_training_job(**request)
    job = finish(sagemaker, "never-started")
    assert job["FailureReason"].startswith("ClientError: There is no local runtime for the image 'mine:1'")
    assert job["SecondaryStatusTransitions"][-1]["Status"] == "Failed"


@pytest.mark.parametrize("spot", [False, True])
def test_a_training_job_that_runs_out_of_time_is_stopped_as_such(sagemaker: Any, spot: bool) -> None:
    limit = {"MaxRuntimeInSeconds": 1, **({"MaxWaitTimeInSeconds": 2} if spot else {})}
    name = f"too-long-{spot}"
    sagemaker.create_training_job(
        **training(name, "sleep 60") | {"StoppingCondition": limit, "EnableManagedSpotTraining": spot}
    )
    job = finish(sagemaker, name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert "FailureReason" not in job
    assert job["EnableManagedSpotTraining"] is spot
    assert job["SecondaryStatusTransitions"][-1]["StatusMessage"].endswith("exceeded MaxRuntimeInSeconds provided")


def test_a_stopped_training_job_passes_through_stopping(
    sagemaker: Any, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    sagemaker.create_training_job(**training("halted", "sleep 60"))
    wait_until(lambda: sagemaker.describe_training_job(TrainingJobName="halted")["SecondaryStatus"] == "Training")
    sagemaker.stop_training_job(TrainingJobName="halted")
    job = finish(sagemaker, "halted")
    assert [each["Status"] for each in job["SecondaryStatusTransitions"][-3:]] == ["Training", "Stopping", "Stopped"]


GROUP = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "InstanceGroupName": "g"}
FINE_TUNING = {
    "JobType": "FineTuning",
    "BaseModelArn": "arn:aws:sagemaker:us-east-1:aws:hub-content/Hub/Model/base/1.0.0",
}
SOURCE = {"S3DataSource": {"S3DataType": "AugmentedManifestFile", "S3Uri": "s3://test-bucket/x"}}
RECORDS = {"ChannelName": "records", "RecordWrapperType": "RecordIO", "InputMode": "Pipe", "DataSource": SOURCE}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"EnableManagedSpotTraining": True}, "Invalid MaxWaitTimeInSeconds. It must be present"),
        ({"ServerlessJobConfig": FINE_TUNING}, "ServerlessJobConfig"),
        ({"ResourceConfig": {"InstanceGroups": [GROUP], "VolumeSizeInGB": 1}}, "InstanceGroups: give InstanceType"),
        (
            {"AlgorithmSpecification": {"AlgorithmName": "a", "TrainingInputMode": "Pipe"}},
            "AlgorithmName: give .*; nor TrainingInputMode Pipe",
        ),
        (
            {"InputDataConfig": [RECORDS]},
            r"InputMode Pipe \(channel records\).*RecordWrapperType RecordIO \(channel.*S3DataType AugmentedManifest",
        ),
    ],
)
def test_what_cannot_be_done_here_is_refused_before_anything_starts(
    sagemaker: Any, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(ClientError, match=said):
        sagemaker.create_training_job(**training("refused", "true") | change)
    with pytest.raises(ClientError, match="not found: training job refused"):
        sagemaker.describe_training_job(TrainingJobName="refused")


def test_a_name_is_free_again_once_the_job_is_deleted(sagemaker: Any) -> None:
    arguments = training("deleted", "sleep 60")
    arn = sagemaker.create_training_job(**arguments, Tags=[{"Key": "a", "Value": "b"}])["TrainingJobArn"]
    with pytest.raises(ClientError, match=r"ResourceInUse.*has not ended"):
        sagemaker.delete_training_job(TrainingJobName="deleted")
    sagemaker.stop_training_job(TrainingJobName="deleted")
    finish(sagemaker, "deleted")
    sagemaker.delete_training_job(TrainingJobName="deleted")
    with pytest.raises(ClientError, match="Could not find the resource"):
        sagemaker.list_tags(ResourceArn=arn)
    sagemaker.create_training_job(**training("deleted", "true"))
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == []
    assert finish(sagemaker, "deleted")["TrainingJobStatus"] == "Completed"


def test_training_jobs_with_a_warm_pool_are_none(sagemaker: Any) -> None:
    sagemaker.create_training_job(**training("cold", "true"))
    assert sagemaker.list_training_jobs(WarmPoolStatusEquals="Available")["TrainingJobSummaries"] == []
    with pytest.raises(ClientError, match="does not support the operation UpdateTrainingJob"):
        sagemaker.update_training_job(TrainingJobName="cold", ResourceConfig={"KeepAlivePeriodInSeconds": 1})


def test_jobs_that_run_at_once_and_the_hosts_of_a_job_share_the_cores(
    new_server: Callable[[], Any], tmp_path: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    server, release = new_server(), tmp_path / "release"
    server.up()
    sagemaker = server.client("sagemaker")
    server.client("s3").create_bucket(Bucket="test-bucket")
    said = "echo threads=$OMP_NUM_THREADS"
    metric = {"MetricDefinitions": [{"Name": "threads", "Regex": r"threads=(\d+)"}]}

    def start(name: str, script: str, hosts: int = 1) -> None:
        job = training(name, script)
        job["AlgorithmSpecification"] |= metric
        sagemaker.create_training_job(**job | {"ResourceConfig": {**CLUSTER, "InstanceCount": hosts}})

    def threads(name: str) -> float:
        return float(finish(sagemaker, name)["FinalMetricDataList"][0]["Value"])

    cores = os.cpu_count() or 1
    start("alone", said)
    assert threads("alone") == cores
    start("long", f"while [ ! -e '{release}' ]; do sleep 0.05; done")
    start("second", said)
    assert threads("second") == max(1, cores // 2)
    release.touch()
    finish(sagemaker, "long")
    start("hosts", said, hosts=2)
    assert threads("hosts") == max(1, cores // 2)


def test_jobs_of_two_kinds_may_have_one_name_at_one_time(sagemaker: Any, tmp_path: Path) -> None:
    release = tmp_path / "release"
    wait = f"while [ ! -e '{release}' ]; do sleep 0.05; done"
    sagemaker.create_processing_job(ProcessingJobName="same", **processing(wait))
    sagemaker.create_training_job(**training("same", f"{wait}; echo weights > /opt/ml/model/weights"))
    release.touch()
    assert finish(sagemaker, "same")["TrainingJobStatus"] == "Completed"
    deadline = time.monotonic() + 30
    while (status := sagemaker.describe_processing_job(ProcessingJobName="same")["ProcessingJobStatus"]) != "Completed":
        assert time.monotonic() < deadline, status
        time.sleep(0.02)


def test_a_failed_training_job_says_what_it_wrote_as_its_failure(sagemaker: Any) -> None:
    sagemaker.create_training_job(**training("fails", "echo no such luck > /opt/ml/output/failure; exit 1"))
    with pytest.raises(Exception, match="terminal failure"):
        sagemaker.get_waiter("training_job_completed_or_stopped").wait(
            TrainingJobName="fails", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
        )
    assert "no such luck" in sagemaker.describe_training_job(TrainingJobName="fails")["FailureReason"]


def test_a_job_can_be_stopped_once(sagemaker: Any, wait_until: Callable[[Callable[[], bool]], None]) -> None:
    sagemaker.create_processing_job(ProcessingJobName="stopped", **processing("sleep 60"))
    sagemaker.stop_processing_job(ProcessingJobName="stopped")

    def status() -> str:
        return str(sagemaker.describe_processing_job(ProcessingJobName="stopped")["ProcessingJobStatus"])

    wait_until(lambda: status() == "Stopped")
    with pytest.raises(ClientError, match="has already ended"):
        sagemaker.stop_processing_job(ProcessingJobName="stopped")


def test_a_name_is_used_once_and_an_unknown_one_is_named(sagemaker: Any) -> None:
    sagemaker.create_processing_job(ProcessingJobName="twice", **processing("true"))
    with pytest.raises(ClientError, match="Job name must be unique"):
        sagemaker.create_processing_job(ProcessingJobName="twice", **processing("true"))
    with pytest.raises(ClientError, match="Could not find requested job with name: nobody"):
        sagemaker.describe_processing_job(ProcessingJobName="nobody")
    with pytest.raises(ClientError, match="not found: training job nobody"):
        sagemaker.describe_training_job(TrainingJobName="nobody")


def test_jobs_are_listed_by_status(sagemaker: Any, wait_until: Callable[[Callable[[], bool]], None]) -> None:
    sagemaker.create_processing_job(ProcessingJobName="listed-bad", **processing("exit 1"))

    def failed() -> list[str]:
        found = sagemaker.list_processing_jobs(NameContains="listed-", StatusEquals="Failed")
        return [job["ProcessingJobName"] for job in found["ProcessingJobSummaries"]]

    wait_until(lambda: failed() == ["listed-bad"])


def test_an_image_without_a_runtime_here_fails_the_job_by_name(
    sagemaker: Any, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    arguments = processing("true")
    arguments["AppSpecification"]["ImageUri"] = "111122223333.dkr.ecr.us-east-1.amazonaws.com/my-own:1"
    sagemaker.create_processing_job(ProcessingJobName="foreign-image", **arguments)
    wait_until(
        lambda: (
            "my-own:1" in sagemaker.describe_processing_job(ProcessingJobName="foreign-image").get("FailureReason", "")
        )
    )


def test_a_job_on_two_instances_runs_two_hosts_that_know_each_other(
    sagemaker: Any, s3: Any, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    script = "cp /opt/ml/config/resourceconfig.json /opt/ml/processing/output/hosts/$(hostname)-$$.json"
    arguments = processing(script, ProcessingOutputConfig=output("hosts", "s3://test-bucket/two-hosts"))
    arguments["ProcessingResources"] = {"ClusterConfig": {**CLUSTER, "InstanceCount": 2}}
    sagemaker.create_processing_job(ProcessingJobName="two-hosts", **arguments)
    wait_until(
        lambda: sagemaker.describe_processing_job(ProcessingJobName="two-hosts")["ProcessingJobStatus"] == "Completed"
    )
    found = s3.list_objects_v2(Bucket="test-bucket", Prefix="two-hosts/")["Contents"]
    configurations = [json.loads(s3.get_object(Bucket="test-bucket", Key=each["Key"])["Body"].read()) for each in found]
    assert sorted(each["current_host"] for each in configurations) == ["algo-1", "algo-2"]
    assert all(each["hosts"] == ["algo-1", "algo-2"] for each in configurations)
