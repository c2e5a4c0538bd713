"""The job on Parquet files is the version's own evaluation with sharded rows; its hosts' summaries are one."""

import io
import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters

from deployment import parquet_batch
from deployment.endpoint import Waiting
from deployment.errors import DeploymentError
from deployment.evaluation_job import OUTPUT
from deployment.parquet_batch import ParquetBatch, ParquetBatchRun, Summary, download, keys_below, place_of, remove
from pipelines.definition.job_code import CARRIED, EVALUATE, SCORE
from steps import score
from tests.deployment.test_reserve import EVALUATION
from tests.deployment.test_specification import PACKAGE

BATCH = ParquetBatch(
    "houses-batch-v3-1", PACKAGE, EVALUATION, "s3://b/rows/", "s3://b/out/", "s3://b/summary/", 4, "ml.c5.xlarge"
)
HOST = {"parts": 2, "rows": 10, "unpredicted": 1, "warned": 2, "coverage": 0.9, "absent": {"rooms": 1}}


class Service:
    """SageMaker and S3 as a job needs them; the job ends as `status` says after it was seen twice."""

    def __init__(self, status: str = "Completed", interrupt: bool = False, said: str | None = "x lacks area.") -> None:
        self.status, self.interrupt, self.said, self.code = status, interrupt, said, 1
        self.calls: list[str] = []
        self.objects = {
            "summary/algo-1.json": json.dumps({**HOST, "first_fault": "b, row 1"}).encode(),
            "summary/algo-2.json": json.dumps({**HOST, "first_fault": "a, row 9"}).encode(),
            "summary/algo-3.json": json.dumps({**HOST, "first_fault": None, "absent": {}}).encode(),
            "summary/": b"",
        }

    def __getattr__(self, name: str) -> Any:
        return lambda **request: self.calls.append(name)

    def describe_processing_job(self, ProcessingJobName: str) -> dict[str, Any]:
        self.calls.append("describe")
        if self.interrupt:
            self.interrupt = False
            raise KeyboardInterrupt
        status = self.status if self.calls.count("describe") > 1 else "InProgress"
        reason = {"FailureReason": f"AlgorithmError: See job logs for more information, exit code: {self.code}"}
        return {"ProcessingJobStatus": status, **reason, **({"ExitMessage": self.said} if self.said else {})}

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        return [{}, {"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)]}]

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.objects[Key])}

    def download_file(self, bucket: str, key: str, path: str) -> None:
        Path(path).write_bytes(self.objects[key])

    def delete_object(self, Bucket: str, Key: str) -> None:
        del self.objects[Key]


def run(service: Service, said: list[str] | None = None) -> Summary:
    announce = said.append if said is not None else lambda _: None
    return ParquetBatchRun(service, service, Waiting(0.0), announce, "jobs/{}/output.log").run(BATCH)


def test_the_request_is_one_that_the_service_takes_and_runs_as_the_evaluation_did() -> None:
    request = BATCH.request()
    shape = botocore.session.get_session().get_service_model("sagemaker").operation_model("CreateProcessingJob")
    validate_parameters(request, shape.input_shape)
    for key in ("RoleArn", "NetworkConfig", "StoppingCondition"):
        assert request[key] == EVALUATION[key]
    application = {**EVALUATION["AppSpecification"]}
    del application["ContainerArguments"]
    application["ContainerEntrypoint"] = ["sh", "-c", "unpack", "code/sourcedir.tar.gz", "steps.score"]
    assert request["AppSpecification"] == application


def test_each_host_gets_its_files_and_the_whole_model() -> None:
    inputs = {each["InputName"]: each["S3Input"] for each in BATCH.request()["ProcessingInputs"]}
    assert {name: each["S3Uri"] for name, each in inputs.items()} == {
        "code": "s3://bucket/code",
        "model": "s3://bucket/model",
        "rows": "s3://b/rows/",
    }
    assert inputs["rows"]["S3DataDistributionType"] == "ShardedByS3Key"
    cluster = {"InstanceCount": 4, "InstanceType": "ml.c5.xlarge", "VolumeSizeInGB": 30}
    assert BATCH.request()["ProcessingResources"] == {"ClusterConfig": cluster}
    alone = ParquetBatch(BATCH.name, PACKAGE, EVALUATION, "s3://b/rows/", "s3://b/out/", "s3://b/summary/")
    assert alone.request()["ProcessingResources"] == EVALUATION["ProcessingResources"]


def test_the_job_and_its_request_mean_the_same_by_their_names() -> None:
    assert parquet_batch.MODULE == SCORE == score.__name__
    assert SCORE in CARRIED[EVALUATE]
    inputs = {each["InputName"]: each["S3Input"]["LocalPath"] for each in BATCH.request()["ProcessingInputs"][-1:]}
    assert inputs == {"rows": str(score.INPUT / "rows")}
    assert str(score.OUTPUT) == OUTPUT
    told = vars(score.Scored())
    assert list(vars(Summary())) == list(told)


def test_the_summary_is_that_of_all_hosts() -> None:
    said: list[str] = []
    found = run(Service(), said)
    assert (found.parts, found.rows, found.unpredicted, found.warned, found.coverage) == (6, 30, 3, 6, 0.9)
    assert found.first_fault == "a, row 9"
    assert found.absent == {"rooms": 2}
    assert said[0] == "Version 3 scores them on 4 hosts: processing job houses-batch-v3-1"
    assert said[1] == "Its log tells its progress: jobs/houses-batch-v3-1/output.log"


def test_a_job_that_fails_is_told_with_what_it_said_itself() -> None:
    with pytest.raises(
        DeploymentError, match=r"is Failed: x lacks area\. Its log: jobs/houses-batch-v3-1/output\.log\.$"
    ):
        run(Service("Failed"))
    service = Service("Failed", said=None)
    with pytest.raises(DeploymentError, match=r"exit code: 1\. Its log: .+\. \(A version that was evaluated before"):
        run(service)
    service.calls, service.code = [], 137  # killed: of that the version is no cause
    with pytest.raises(DeploymentError, match=r"exit code: 137\. Its log: jobs/houses-batch-v3-1/output\.log\.$"):
        run(service)


def test_ctrl_c_stops_the_job_and_waits_for_its_end() -> None:
    service = Service("Stopped", interrupt=True)
    with pytest.raises(KeyboardInterrupt):
        run(service)
    assert service.calls == ["create_processing_job", "describe", "stop_processing_job", "describe"]


def test_files_are_brought_under_their_names_and_removed(tmp_path: Path) -> None:
    service = Service()
    service.objects = {"out/a.parquet": b"a", "out/x/c.parquet": b"c", "outside": b""}
    download(service, "b", "out/", tmp_path / "new")
    assert (tmp_path / "new" / "x" / "c.parquet").read_bytes() == b"c"
    assert sorted(path.name for path in (tmp_path / "new").rglob("*.*")) == ["a.parquet", "c.parquet"]
    remove(service, "b", "out/")
    assert keys_below(service, "b", "") == ["outside"]


def test_only_a_folder_of_s3_is_one() -> None:
    assert place_of("s3://b/x/y/") == ("b", "x/y/")
    for uri in ("s3://b/x", "s3:///x/", "b/x/"):
        with pytest.raises(DeploymentError, match="does not name a folder of S3"):
            place_of(uri)
