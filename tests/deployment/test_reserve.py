"""The job on the reserve is the version's own evaluation with other inputs, and its score is kept with the version."""

import io
import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters

from deployment.endpoint import Waiting
from deployment.errors import DeploymentError
from deployment.reserve import LIMITS, MODULE, PROPERTY, SUMMARY, ReserveJob, ReserveRun, Score
from evaluation.gates import OF_RESERVE
from evaluation.reserve import FILE
from pipelines.definition.evaluation_files import RESERVE_OUTPUT, RESERVE_SUMMARY
from pipelines.definition.job_code import RESERVE
from studio.pages import report_facts as studio_facts
from tests.deployment.test_specification import PACKAGE

ROWS = "s3://bucket/houses/executions/abc/Preprocess/reserve"
EXECUTION = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/houses-training/execution/abc"
JOB = "arn:aws:sagemaker:us-east-1:123456789012:processing-job/pipelines-abc-Evaluate-1"
EVALUATION: dict[str, Any] = {
    "ProcessingJobName": "pipelines-abc-Evaluate-1",
    "ProcessingJobArn": JOB,
    "ProcessingJobStatus": "Completed",
    "RoleArn": "arn:aws:iam::123456789012:role/jobs",
    "AppSpecification": {
        "ImageUri": "xgboost:3.2-0",
        "ContainerEntrypoint": ["sh", "-c", "unpack", "code/sourcedir.tar.gz", "evaluation.evaluate"],
        "ContainerArguments": [
            *("--min_r2", "0.85", "--max_mape", "0.15", "--max_coverage_gap", "0.02"),
            *("--earlier_looks", "3", "--test_part", "abc"),
        ],
    },
    "ProcessingInputs": [
        {"InputName": name, "S3Input": {"S3Uri": f"s3://bucket/{name}", "S3DataType": "S3Prefix"}}
        for name in ("code", "model", "test", "train", "rows", "champion")
    ],
    "ProcessingOutputConfig": {"Outputs": [], "KmsKeyId": "key"},
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30}
    },
    "NetworkConfig": {"VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "ExperimentConfig": {"TrialName": "abc"},
}
DOCUMENT: dict[str, Any] = {
    "regression_metrics": {name: {"value": value} for name, value in {"rmse": 100.5, "mape": 0.1, "r2": 0.9}.items()},
    "interval": {"measured": {"value": 0.88}},
    "data": {"test_rows": 300},
    "gates": {"missed": ["max_mape"]},
}
SCORE = Score(300, 100.5, 0.1, 0.9, 0.88, ("max_mape",))


def job() -> dict[str, Any]:
    return ReserveJob(PACKAGE, ROWS, EVALUATION, "houses-reserve-v3-1").request()


def test_the_request_is_one_that_the_service_takes() -> None:
    shape = botocore.session.get_session().get_service_model("sagemaker").operation_model("CreateProcessingJob")
    validate_parameters(job(), shape.input_shape)


def test_the_job_runs_as_the_evaluation_did_and_reads_the_model_and_the_reserve_only() -> None:
    request = job()
    for key in ("RoleArn", "ProcessingResources", "NetworkConfig", "StoppingCondition"):
        assert request[key] == EVALUATION[key]
    assert request["AppSpecification"] == {
        "ImageUri": "xgboost:3.2-0",
        "ContainerEntrypoint": ["sh", "-c", "unpack", "code/sourcedir.tar.gz", "evaluation.reserve"],
        "ContainerArguments": ["--min_r2", "0.85", "--max_mape", "0.15", "--max_coverage_gap", "0.02"],
    }
    assert {each["InputName"]: each["S3Input"]["S3Uri"] for each in request["ProcessingInputs"]} == {
        "code": "s3://bucket/code",
        "model": "s3://bucket/model",
        "reserve": ROWS,
    }
    (output,) = request["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == f"s3://bucket/{PACKAGE.group}/reserve/houses-reserve-v3-1"
    assert request["ProcessingOutputConfig"]["KmsKeyId"] == "key"


def test_the_job_has_one_host_however_many_shared_the_evaluation() -> None:
    four = {"ClusterConfig": {**EVALUATION["ProcessingResources"]["ClusterConfig"], "InstanceCount": 4}}
    request = ReserveJob(PACKAGE, ROWS, {**EVALUATION, "ProcessingResources": four}, "houses-reserve-v3-1").request()
    assert request["ProcessingResources"] == EVALUATION["ProcessingResources"]


def test_both_sides_mean_the_same_by_their_names() -> None:
    assert MODULE == RESERVE
    assert PROPERTY == RESERVE_OUTPUT == studio_facts.RESERVE
    assert SUMMARY == RESERVE_SUMMARY == studio_facts.SAID
    assert LIMITS == OF_RESERVE
    assert FILE == "reserve.json"


def test_a_score_comes_back_from_the_properties_of_a_version() -> None:
    assert Score.of_job(json.dumps(DOCUMENT)) == SCORE
    for score in (SCORE, Score(300, 100.5, 0.1, 0.9, 0.88)):
        assert Score.of_version({"git_commit": "x", **score.properties}) == score
    assert Score.of_version({"reserve": ROWS, "reserve_rows": "300"}) is None
    assert all(value and len(value) <= 256 for value in SCORE.properties.values())
    assert SCORE.properties["reserve_summary"].startswith("300 rows that nobody had looked at: RMSE ")


class Service:
    """SageMaker and S3 as a score needs them; the job ends as `status` says after it was seen twice."""

    def __init__(self, status: str = "Completed", step: str = "Evaluate", interrupt: bool = False) -> None:
        self.status, self.step, self.interrupt = status, step, interrupt
        self.calls: list[str] = []
        self.document = json.dumps(DOCUMENT).encode()

    def __getattr__(self, name: str) -> Any:
        return lambda **request: self.calls.append(name)

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, PipelineExecutionArn: str) -> list[dict[str, Any]]:
        assert PipelineExecutionArn == EXECUTION
        return [{"PipelineExecutionSteps": [{"StepName": self.step, "Metadata": {"ProcessingJob": {"Arn": JOB}}}]}]

    def describe_processing_job(self, ProcessingJobName: str) -> dict[str, Any]:
        if ProcessingJobName == EVALUATION["ProcessingJobName"]:
            return EVALUATION
        if self.interrupt:
            raise KeyboardInterrupt
        self.calls.append("describe")
        status = self.status if self.calls.count("describe") > 1 else "InProgress"
        return {"ProcessingJobStatus": status, "FailureReason": "AlgorithmError", "ExitMessage": "No rows."}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        assert Bucket == "bucket"
        assert Key.startswith(f"{PACKAGE.group}/reserve/{PACKAGE.group}-reserve-v")
        return {"Body": io.BytesIO(self.document)}


def scored(service: Service) -> Score:
    run = ReserveRun(service, service, Waiting(0.0), lambda _: None, "jobs/{}/output.log")
    return run.score(PACKAGE, ROWS, EXECUTION)


def test_the_score_is_what_the_job_wrote() -> None:
    assert scored(Service()) == SCORE


def test_a_job_that_fails_promotes_nothing_and_says_what_it_said_itself() -> None:
    with pytest.raises(DeploymentError, match=r"is Failed: No rows\. Nothing is promoted\. Its log: jobs/.+-reserve-v"):
        scored(Service("Failed"))


def test_ctrl_c_stops_the_job() -> None:
    service = Service(interrupt=True)
    with pytest.raises(KeyboardInterrupt):
        scored(service)
    assert service.calls == ["create_processing_job", "stop_processing_job"]


def test_a_version_whose_evaluation_is_gone_cannot_be_scored() -> None:
    with pytest.raises(DeploymentError, match="the evaluation that says how to score it is gone from arn:"):
        scored(Service(step="Train"))


def test_a_file_of_another_layout_is_no_score() -> None:
    service = Service()
    service.document = b"[]"
    with pytest.raises(DeploymentError, match=r"reserve\.json is not the score of a reserve"):
        scored(service)
