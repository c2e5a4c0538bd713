"""Start, find, describe, list and stop executions."""

import pytest

from pipelines.document.walk import step_names
from pipelines.errors import PipelineError
from pipelines.watching.executions import Job, describe, list_executions, person, resolve, start, stop
from tests.pipelines.conftest import DEFINITION, PIPELINE, Executions, execution_arn, job, step

DATA = {"InputDataUri": "s3://bucket/data.csv"}


def test_an_execution_starts_with_the_parameters_given(executions: Executions) -> None:
    arn = start(executions.sagemaker, PIPELINE, {**DATA, "MaxMape": "0.2"})
    assert arn == execution_arn("started00001")
    assert executions.aws.asked("StartPipelineExecution")[0]["PipelineParameters"] == [
        {"Name": "InputDataUri", "Value": "s3://bucket/data.csv"},
        {"Name": "MaxMape", "Value": "0.2"},
    ]


def test_a_wrong_parameter_starts_nothing(executions: Executions) -> None:
    with pytest.raises(PipelineError, match="MaxMape is a Float"):
        start(executions.sagemaker, PIPELINE, {**DATA, "MaxMape": "x"})
    assert executions.aws.asked("StartPipelineExecution") == []


def test_a_pipeline_that_is_not_deployed_is_to_be_upserted(executions: Executions) -> None:
    for call in (
        lambda: start(executions.sagemaker, "other", {}),
        lambda: list_executions(executions.sagemaker, "other"),
    ):
        with pytest.raises(PipelineError, match="Pipeline other is not deployed: run `upsert` first"):
            call()


def test_the_same_token_makes_the_same_request_token_of_a_length_that_sagemaker_takes(executions: Executions) -> None:
    for token in ("build-1", "build-1", "build-2"):
        start(executions.sagemaker, PIPELINE, DATA, token=token)
    first, again, other = (request["ClientRequestToken"] for request in executions.aws.asked("StartPipelineExecution"))
    assert first == again != other
    assert 32 <= len(first) <= 128


def test_step_names_include_those_of_both_branches() -> None:
    assert step_names(DEFINITION) == ["Train", "CheckQuality", "RegisterModel", "RejectModel"]


def test_an_execution_is_described_with_jobs_cache_hits_and_reasons(executions: Executions) -> None:
    steps = [
        step("Train", Metadata=job("TrainingJob", "train-1")),
        step("Preprocess", CacheHitResult={"SourcePipelineExecutionArn": execution_arn("earlier")}),
        step("CheckQuality", Metadata={"Condition": {"Outcome": "False"}}),
        step(
            "RejectModel", "Failed", FailureReason="R2 0.5 < 0.9", Metadata={"Fail": {"ErrorMessage": "R2 0.5 < 0.9"}}
        ),
        step("Retried", "Executing", AttemptCount=2),
    ]
    executions.script = [("Failed", steps)]
    execution = describe(executions.sagemaker, execution_arn("abc"))
    assert (execution.id, execution.status, execution.who, execution.exit_code) == ("abc", "Failed", "ada", 3)
    assert [entry.note for entry in execution.steps] == [
        "",
        "cached, from earlier",
        "condition is False",
        "",  # the summary tells it, once
        "attempt 2",
    ]
    assert execution.steps[0].job == Job("TrainingJob", "train-1")
    assert execution.steps[0].seconds() == pytest.approx(3.1, abs=0.01)
    assert execution.steps[4].seconds() == pytest.approx(10, abs=2)
    assert execution.document()["steps"][3]["failure_reason"] == "R2 0.5 < 0.9"


@pytest.mark.parametrize(("status", "code"), [("Succeeded", 0), ("Failed", 3), ("Stopped", 1)])
def test_the_exit_code_says_how_it_ended(executions: Executions, status: str, code: int) -> None:
    executions.script = [(status, [])]
    assert describe(executions.sagemaker, execution_arn("abc")).exit_code == code


def test_executions_are_listed_newest_first_with_who_started_them(executions: Executions) -> None:
    for identity in ("first", "second"):
        executions.add(identity)
    listed = list_executions(executions.sagemaker, PIPELINE)
    assert [(entry.id, entry.who) for entry in listed] == [("second", "ada"), ("first", "ada")]
    assert [entry.id for entry in list_executions(executions.sagemaker, PIPELINE, limit=1)] == ["second"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("abc1", "abc1"),
        ("abc12", "abc12"),
        ("x", "xyz"),
        ("nightly", "xyz"),
        ("latest", "xyz"),
        (execution_arn("anything"), "anything"),
    ],
)
def test_an_execution_is_found_by_arn_id_beginning_name_or_latest(
    executions: Executions, text: str, found: str
) -> None:
    executions.add("abc12")
    executions.add("abc1")
    executions.add("xyz", "nightly")
    assert resolve(executions.sagemaker, PIPELINE, text) == execution_arn(found)


def test_an_execution_that_could_be_several_or_none_is_refused(executions: Executions) -> None:
    executions.add("abc1")
    executions.add("abc2")
    with pytest.raises(PipelineError, match=r"could be any of 2 executions \(abc2, abc1\)"):
        resolve(executions.sagemaker, PIPELINE, "abc")
    for text in ("zzz", "", "Abc1"):
        with pytest.raises(PipelineError, match="has no execution"):
            resolve(executions.sagemaker, PIPELINE, text)


def test_stopping_gives_the_status_and_leaves_an_execution_that_is_over(executions: Executions) -> None:
    executions.script = [("Executing", [])]
    assert stop(executions.sagemaker, execution_arn("abc")) == "Stopping"
    executions.script = [("Succeeded", [])]
    assert stop(executions.sagemaker, execution_arn("abc")) == "Succeeded"


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ({"UserProfileName": "ada"}, "ada"),
        ({"IamIdentity": {"Arn": "arn:aws:iam::123456789012:user/team/ada"}}, "ada"),
        ({"IamIdentity": {"Arn": "arn:aws:iam::123456789012:root"}}, "root"),
        ({}, None),
    ],
)
def test_a_person_is_named_shortly(user: dict[str, object], name: str | None) -> None:
    assert person(user) == name
