"""The last runs tell how long a job worked, and on how many rows; what is not known any more is left out."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.checks.capacity import LastRun
from pipelines.publishing.cost_forecast import Measured
from pipelines.versions.last_runs import last_runs
from pipelines.watching.executions import Job
from tests.aws_stub import Refusal, now
from tests.pipelines.conftest import Executions, execution_arn, job, step


@pytest.fixture
def ran(executions: Executions) -> Executions:
    """An execution that has validated 1,200 rows; its jobs were on their instances for 40 and 50 s."""
    executions.add("e1")
    executions.script = [("Succeeded", [step("ValidateData", Metadata=job("ProcessingJob", "v"))])]
    output = {"OutputName": "report", "S3Output": {"S3Uri": "s3://bucket/report"}}
    began = now() - 1000
    executions.aws.answers["DescribeProcessingJob"] = lambda request: {
        "ProcessingJobName": request["ProcessingJobName"],
        "ProcessingOutputConfig": {"Outputs": [output]},
        "ProcessingStartTime": began,
        "ProcessingEndTime": began + 40,
    }
    executions.aws.answers["DescribeTrainingJob"] = lambda request: {
        "TrainingJobName": request["TrainingJobName"],
        "TrainingStartTime": began,
        "TrainingEndTime": began + 50,
    }
    report = {"file": "sales.csv", "rows": {"read": 1200, "rejected": 3}}
    executions.aws.objects["bucket", "report/validation.json"] = json.dumps(report).encode()
    return executions


def measured(**kinds: str) -> dict[str, Measured]:
    return {
        name: Measured(300.0, "e1 there", execution_arn("e1"), Job(kind, name.lower())) for name, kind in kinds.items()
    }


def test_the_time_is_that_on_the_instances(ran: Executions) -> None:
    found = last_runs(ran.sagemaker, ran.s3, measured(ValidateData="ProcessingJob", Train="TrainingJob"))
    assert found == {"ValidateData": LastRun("e1 there", 1200, 40.0), "Train": LastRun("e1 there", 1200, 50.0)}
    assert len(ran.aws.asked("DescribePipelineExecution")) == 1


def test_a_tuning_job_and_a_job_that_never_began_tell_nothing(ran: Executions) -> None:
    ran.aws.answers["DescribeProcessingJob"] = _without(ran.aws.answers["DescribeProcessingJob"], "ProcessingStartTime")
    assert last_runs(ran.sagemaker, ran.s3, measured(Evaluate="ProcessingJob", Train="TuningJob")) == {}


def test_without_its_validation_nothing_is_known_of_an_execution(ran: Executions) -> None:
    ran.aws.objects.clear()
    assert last_runs(ran.sagemaker, ran.s3, measured(Train="TrainingJob")) == {}


@pytest.mark.parametrize("report", [b"[]", b'{"file": "x"', b'{"file": "x", "rows": {"read": null, "rejected": 0}}'])
def test_a_damaged_validation_tells_nothing(ran: Executions, report: bytes) -> None:
    ran.aws.objects["bucket", "report/validation.json"] = report
    assert last_runs(ran.sagemaker, ran.s3, measured(Train="TrainingJob")) == {}


def test_what_the_caller_may_not_ask_is_not_known_and_other_faults_are_told(ran: Executions) -> None:
    ran.aws.answers["DescribeTrainingJob"] = _refuse("AccessDeniedException")
    asked = measured(ValidateData="ProcessingJob", Train="TrainingJob")
    assert set(last_runs(ran.sagemaker, ran.s3, asked)) == {"ValidateData"}
    ran.aws.answers["DescribeTrainingJob"] = _refuse("ThrottlingException")
    with pytest.raises(ClientError, match="ThrottlingException"):
        last_runs(ran.sagemaker, ran.s3, asked)


def _refuse(code: str) -> Any:
    def answer(_request: dict[str, Any]) -> dict[str, Any]:
        raise Refusal(code, "no")

    return answer


def _without(answer: Any, key: str) -> Any:
    return lambda request: {name: value for name, value in answer(request).items() if name != key}
