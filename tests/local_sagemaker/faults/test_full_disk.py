"""A disk that is really full: a small tmpfs under the state folder of a real server, in its own mount namespace."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker.client import lifecycle
from local_sagemaker.processes.isolation import mounts_work
from tests.conftest import LocalServer
from tests.local_sagemaker.conftest import Pipelines, output, processing, step

ROOT = Path(__file__).parents[3]
MEGABYTES = 32
MOUNT_AND_SERVE = 'mkdir -p "$1" && mount -t tmpfs -o size="$2"m tmpfs "$1" && shift 2 && exec "$@"'
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not mounts_work(), reason="needs a mount namespace, to have a disk that can be filled"),
]


class SmallDisk:
    """A server whose state lies on a small disk of its own, which only it and its children see."""

    def __init__(self, server: LocalServer) -> None:
        self.server = server
        namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
        serve = [sys.executable, "-m", "local_sagemaker", "serve"]
        self.process = subprocess.Popen(
            [*namespace, "sh", "-c", MOUNT_AND_SERVE, "sh", str(server.state), str(MEGABYTES), *serve],
            cwd=ROOT,
            env={**os.environ, **server.environment},
            stderr=subprocess.PIPE,
        )
        deadline = time.monotonic() + 60
        while lifecycle.find(server.port) is None:
            assert self.process.poll() is None, self.process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.folder = Path(f"/proc/{self.process.pid}/root") / server.state.relative_to("/")

    def fill(self) -> None:
        """Leave no byte free."""
        descriptor = os.open(self.folder / "filler", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    os.write(descriptor, b"x" * size)
        os.close(descriptor)

    def free(self) -> None:
        """Give the space back."""
        (self.folder / "filler").unlink()


@pytest.fixture(name="disk")
def disk_fixture(new_server: Callable[[], LocalServer]) -> Iterator[SmallDisk]:
    disk = SmallDisk(new_server())
    yield disk
    disk.process.terminate()
    disk.process.wait()


def refused(call: Callable[[], Any]) -> None:
    """The call fails at once with an error that says what to do."""
    with pytest.raises(ClientError, match=r"The disk of the state folder .* is full.* make room") as caught:
        call()
    assert caught.value.response["Error"]["Code"] in ("InternalError", "InternalFailure")


def test_a_full_disk_refuses_writes_by_name_keeps_what_is_there_and_works_again_once_there_is_room(
    disk: SmallDisk,
) -> None:
    s3, sagemaker, iam = (disk.server.client(name) for name in ("s3", "sagemaker", "iam"))
    pipelines = Pipelines(sagemaker)
    s3.create_bucket(Bucket="disk")
    s3.put_object(Bucket="disk", Key="old", Body=b"old")
    upload = s3.create_multipart_upload(Bucket="disk", Key="parts")["UploadId"]
    sagemaker.create_model_package_group(ModelPackageGroupName="g")
    sagemaker.create_model_package(ModelPackageGroupName="g")
    script = "echo done > /opt/ml/processing/output/data/file"
    name = pipelines.create(
        step("Write", "Processing", processing(script, ProcessingOutputConfig=output("data", "s3://disk/out")))
    )
    files = len(list((disk.folder / "objects").iterdir()))
    disk.fill()
    for number in range(3):  # the database may have had a little room of its own
        with contextlib.suppress(ClientError):
            sagemaker.add_tags(
                ResourceArn=f"arn:aws:sagemaker:us-east-1:0:x/{number}", Tags=[{"Key": "k", "Value": "v" * 256}] * 50
            )
    disk.fill()

    refused(lambda: s3.put_object(Bucket="disk", Key="new", Body=b"x" * 2_000_000))
    refused(lambda: s3.put_object(Bucket="disk", Key="old", Body=b"new"))
    refused(lambda: s3.upload_part(Bucket="disk", Key="parts", UploadId=upload, PartNumber=1, Body=b"part"))
    refused(lambda: s3.create_bucket(Bucket="another"))
    refused(lambda: s3.delete_object(Bucket="disk", Key="old"))
    refused(lambda: iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({"x": "y" * 8000})))
    refused(lambda: sagemaker.create_model_package(ModelPackageGroupName="g", ModelPackageDescription="d" * 1024))
    refused(lambda: sagemaker.start_pipeline_execution(PipelineName=name))
    refused(lambda: sagemaker.create_processing_job(ProcessingJobName="j", **processing("true")))

    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="disk")["Contents"]] == ["old"]
    assert s3.get_object(Bucket="disk", Key="old")["Body"].read() == b"old"
    assert "Parts" not in s3.list_parts(Bucket="disk", Key="parts", UploadId=upload)
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["disk"]
    assert iam.list_roles()["Roles"] == []
    assert len(sagemaker.list_model_packages(ModelPackageGroupName="g")["ModelPackageSummaryList"]) == 1
    assert sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"] == []
    assert sagemaker.list_processing_jobs()["ProcessingJobSummaries"] == []
    assert len(list((disk.folder / "objects").iterdir())) == files

    disk.free()
    s3.put_object(Bucket="disk", Key="old", Body=b"new")
    s3.upload_part(Bucket="disk", Key="parts", UploadId=upload, PartNumber=1, Body=b"part")
    second = sagemaker.create_model_package(ModelPackageGroupName="g")["ModelPackageArn"]
    assert second.endswith("/g/2")
    assert pipelines.run(name)["PipelineExecutionStatus"] == "Succeeded"
    assert s3.get_object(Bucket="disk", Key="out/file")["Body"].read() == b"done\n"
    iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")


def test_an_execution_whose_outputs_do_not_fit_has_failed_with_the_reason_and_the_next_one_runs(
    disk: SmallDisk,
) -> None:
    s3, sagemaker = disk.server.client("s3"), disk.server.client("sagemaker")
    pipelines = Pipelines(sagemaker)
    s3.create_bucket(Bucket="disk")

    def writing(megabytes: int) -> str:
        script = f"head -c {megabytes << 20} /dev/zero > /opt/ml/processing/output/data/large"
        where = output("data", "s3://disk/large")
        return pipelines.create(step("Write", "Processing", processing(script, ProcessingOutputConfig=where)))

    failed = pipelines.run(writing(MEGABYTES // 2 + 2))  # fits once, for the job, but not twice
    write = pipelines.steps(failed["PipelineExecutionArn"])["Write"]
    assert write["StepStatus"] == "Failed"
    assert "The disk of the state folder is full: make room, and run it again." in write["FailureReason"]
    assert "No space left on device" in write["FailureReason"]
    assert "Contents" not in s3.list_objects_v2(Bucket="disk")
    assert list((disk.folder / "objects").iterdir()) == []
    (kept,) = (disk.folder / "jobs").rglob("large")  # of a job that did not complete
    kept.unlink()
    assert pipelines.run(writing(2))["PipelineExecutionStatus"] == "Succeeded"
    assert s3.head_object(Bucket="disk", Key="large/large")["ContentLength"] == 2 << 20


def test_what_ends_while_the_disk_is_full_is_recorded_once_there_is_room(disk: SmallDisk) -> None:
    s3, sagemaker = disk.server.client("s3"), disk.server.client("sagemaker")
    pipelines = Pipelines(sagemaker)
    s3.create_bucket(Bucket="disk")
    arn = pipelines.start(pipelines.create(step("Wait", "Processing", processing("sleep 1.5"))))
    while pipelines.steps(arn).get("Wait", {}).get("StepStatus") != "Executing":
        time.sleep(0.02)
    server = lifecycle.find(disk.server.port)
    assert server
    assert lifecycle.what_keeps_it(server) is None
    disk.fill()
    time.sleep(3)
    kept = lifecycle.what_keeps_it(server)
    disk.free()
    assert "is full: jobs wait or are retried. Make room." in (kept or "")
    assert lifecycle.what_keeps_it(server) is None
    assert pipelines.finish(arn)["PipelineExecutionStatus"] in ("Succeeded", "Failed")
    assert pipelines.steps(arn)["Wait"]["StepStatus"] in ("Succeeded", "Failed")
