"""Where logs are, and what they say."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import PipelineError
from pipelines.watching.executions import Job, describe
from pipelines.watching.logs import last_words, log_place, read_log, steps_with_logs
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


def test_the_log_of_a_tuning_job_is_that_of_its_training_jobs(tmp_path: Path) -> None:
    tuning = Job("TuningJob", "tune")
    assert log_place(tuning, Path("/elsewhere")) == "/elsewhere/training/tune-*/output.log"
    with pytest.raises(PipelineError, match=r"no log at .*training/tune-\*/output\.log"):
        list(read_log(None, tuning, tmp_path))
    for name in ("tune-001-a", "tune-002-b", "tuner"):
        (tmp_path / "training" / name).mkdir(parents=True)
        (tmp_path / "training" / name / "output.log").write_text(f"{name}\n")
    assert list(read_log(None, tuning, tmp_path)) == ["tune-001-a", "tune-002-b"]


def test_the_last_words_are_the_last_line_that_says_error(tmp_path: Path) -> None:
    assert last_words(None, JOB, tmp_path) is None
    (tmp_path / "training" / "train-1").mkdir(parents=True)
    log = tmp_path / "training" / "train-1" / "output.log"
    log.write_text("some error: in between\nfine\n")
    assert last_words(None, JOB, tmp_path) is None
    log.write_text("error: one\nerror: The target has no variance.\nERROR ExecuteUserScriptError\n")
    assert last_words(None, JOB, tmp_path) == "The target has no variance."


def test_the_last_words_on_aws_are_searched_for_and_none_where_nobody_may_read(executions: Executions) -> None:
    def found(request: dict[str, Any]) -> dict[str, Any]:
        assert request["filterPattern"] == '"error: "'
        return {"events": [{"message": "error: no variance"}]}

    def denied(request: dict[str, Any]) -> dict[str, Any]:
        raise Refusal("AccessDeniedException", "not authorized to perform logs:FilterLogEvents")

    executions.aws.answers["FilterLogEvents"] = found
    assert last_words(executions.aws.client("logs"), JOB) == "no variance"
    executions.aws.answers["FilterLogEvents"] = denied
    assert last_words(executions.aws.client("logs"), JOB) is None


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
