"""Where logs are, and what they say."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import PipelineError
from pipelines.watching.executions import Job, describe
from pipelines.watching.logs import log_place, read_log, steps_with_logs
from tests.aws_stub import Refusal
from tests.pipelines.conftest import Executions, execution_arn, job, step

JOB = Job("TrainingJob", "train-1")


def test_on_aws_the_place_is_a_group_and_the_streams_of_the_job() -> None:
    assert log_place(JOB) == "CloudWatch log group /aws/sagemaker/TrainingJobs, streams train-1/"


def test_on_this_machine_the_place_is_a_file_named_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert log_place(JOB, tmp_path / "jobs") == "jobs/training/train-1/output.log"
    assert log_place(JOB, Path("/elsewhere")) == "/elsewhere/training/train-1/output.log"


def test_a_log_on_this_machine_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "training" / "train-1").mkdir(parents=True)
    (tmp_path / "training" / "train-1" / "output.log").write_bytes(b"one\ntwo \xff\n")
    assert list(read_log(None, JOB, tmp_path)) == ["one", "two \N{REPLACEMENT CHARACTER}"]


def test_a_log_that_is_not_there_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"no log at .*train-1/output\.log"):
        list(read_log(None, JOB, tmp_path))


def test_a_log_on_aws_is_read_page_by_page_from_the_streams_of_the_job(executions: Executions) -> None:
    def filter_events(request: dict[str, Any]) -> dict[str, Any]:
        assert request["logGroupName"] == "/aws/sagemaker/TrainingJobs"
        assert request["logStreamNamePrefix"] == "train-1/"
        if "nextToken" not in request:
            return {"events": [{"message": "one\n"}], "nextToken": "more"}
        return {"events": [{"message": "two"}]}

    executions.aws.answers["FilterLogEvents"] = filter_events
    assert list(read_log(executions.aws.client("logs"), JOB)) == ["one", "two"]


def test_a_job_without_a_log_on_aws_says_so(executions: Executions) -> None:
    def missing(request: dict[str, Any]) -> dict[str, Any]:
        raise Refusal("ResourceNotFoundException", "The specified log group does not exist.")

    def empty(request: dict[str, Any]) -> dict[str, Any]:
        return {"events": []}

    for answer in (missing, empty):
        executions.aws.answers["FilterLogEvents"] = answer
        with pytest.raises(PipelineError, match="no log yet in CloudWatch log group /aws/sagemaker/TrainingJobs"):
            list(read_log(executions.aws.client("logs"), JOB))


def test_the_steps_with_logs_are_those_that_ran_jobs(executions: Executions) -> None:
    steps = [step("Train", Metadata=job("TrainingJob", "train-1")), step("CheckQuality")]
    executions.script = [("Succeeded", steps)]
    execution = describe(executions.sagemaker, execution_arn("abc"))
    assert [entry.name for entry in steps_with_logs(execution)] == ["Train"]
    assert [entry.name for entry in steps_with_logs(execution, "Train")] == ["Train"]
    with pytest.raises(PipelineError, match=r"no step Trian: did you mean Train\? it has run Train, CheckQuality"):
        steps_with_logs(execution, "Trian")
    with pytest.raises(PipelineError, match="CheckQuality runs no job"):
        steps_with_logs(execution, "CheckQuality")
