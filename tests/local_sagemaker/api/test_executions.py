"""Executions as records: parameters, idempotence, and what a kill of the server leaves."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker.wire.identity import ADMINISTRATOR
from tests.local_sagemaker.conftest import ROLE, Pipelines, processing, step

PARAMETERS = [
    {"Name": "Count", "Type": "Integer", "DefaultValue": 2},
    {"Name": "Word", "Type": "String", "DefaultValue": "hello"},
]


def values(sagemaker: Any, arn: str) -> dict[str, str]:
    found = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    return {entry["Name"]: entry["Value"] for entry in found}


def test_an_execution_has_its_parameters_and_the_defaults_of_the_rest(pipelines: Any, sagemaker: Any) -> None:
    name = pipelines.create(step("Say", "Processing", processing("true")), parameters=PARAMETERS)
    arn = pipelines.start(name, PipelineParameters=[{"Name": "Count", "Value": "5"}])
    assert values(sagemaker, arn) == {"Count": "5", "Word": "hello"}
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Succeeded"


def test_an_execution_without_parameters_lists_none(pipelines: Any, sagemaker: Any) -> None:
    arn = pipelines.start(pipelines.create(step("Say", "Processing", processing("true"))))
    assert values(sagemaker, arn) == {}


@pytest.mark.parametrize(
    ("parameter", "words"),
    [({"Name": "Cound", "Value": "1"}, "did you mean Count?"), ({"Name": "Count", "Value": "x"}, "type Integer")],
)
def test_a_wrong_parameter_starts_nothing(
    pipelines: Any, sagemaker: Any, parameter: dict[str, str], words: str
) -> None:
    name = pipelines.create(step("Say", "Processing", processing("true")), parameters=PARAMETERS)
    with pytest.raises(ClientError, match=words):
        pipelines.start(name, PipelineParameters=[parameter])
    assert sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"] == []


def test_the_same_token_starts_one_execution(pipelines: Any, sagemaker: Any) -> None:
    name = pipelines.create(step("Say", "Processing", processing("true")))
    with ThreadPoolExecutor() as clients:  # at once, and once more
        starts = [clients.submit(pipelines.start, name, ClientRequestToken="token-" + "0" * 32) for _ in range(8)]
    arns = {start.result() for start in starts} | {pipelines.start(name, ClientRequestToken="token-" + "0" * 32)}
    assert len(arns) == 1
    assert len(sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]) == 1


def test_executions_are_listed_newest_first_with_their_status(pipelines: Any, sagemaker: Any) -> None:
    name = pipelines.create(step("Say", "Processing", processing("true")))
    arns = [pipelines.run(name)["PipelineExecutionArn"] for _ in range(2)]
    found = sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    assert [entry["PipelineExecutionArn"] for entry in found] == arns[::-1]
    assert {entry["PipelineExecutionStatus"] for entry in found} == {"Succeeded"}


def test_an_execution_is_described_with_all_that_the_service_tells(pipelines: Any, sagemaker: Any) -> None:
    names = {"ExperimentName": {"Get": "Execution.PipelineName"}, "TrialName": {"Get": "Execution.PipelineExecutionId"}}
    definition = {"Version": "2020-12-01", "Steps": [step("Stop", "Fail", {"ErrorMessage": "enough"})]}
    text = json.dumps({**definition, "PipelineExperimentConfig": names})
    created = sagemaker.create_pipeline(PipelineName="described", PipelineDefinition=text, RoleArn=ROLE)
    arn = pipelines.start("described", PipelineExecutionDisplayName="shown", PipelineExecutionDescription="why")
    found = pipelines.finish(arn)
    who = ADMINISTRATOR.user_context("000000000000")
    trial = {"ExperimentName": "described", "TrialName": arn.rpartition("/")[2]}
    assert {name: found[name] for name in found if "Time" not in name and name != "ResponseMetadata"} == {
        "PipelineArn": created["PipelineArn"],
        "PipelineExecutionArn": arn,
        "PipelineExecutionDisplayName": "shown",
        "PipelineExecutionDescription": "why",
        "PipelineExecutionStatus": "Failed",
        "PipelineExperimentConfig": trial,
        "FailureReason": "Step failure: One or multiple steps failed.",
        "CreatedBy": who,
        "LastModifiedBy": who,
        "PipelineVersionId": 1,
        "PipelineVersionAliases": [],
    }
    (summary,) = sagemaker.list_pipeline_executions(PipelineName="described")["PipelineExecutionSummaries"]
    assert summary["PipelineExecutionFailureReason"] == found["FailureReason"]
    (listed,) = sagemaker.list_pipelines(PipelineNamePrefix="described")["PipelineSummaries"]
    described = sagemaker.describe_pipeline(PipelineName="described")
    assert listed["LastExecutionTime"] == described["LastRunTime"] == summary["StartTime"]
    run = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    assert (run["PipelineDefinition"], run["CreationTime"]) == (text, described["CreationTime"])


def test_what_is_not_supported_at_the_start_is_refused_by_name(pipelines: Any) -> None:
    name = pipelines.create(step("Say", "Processing", processing("true")))
    with pytest.raises(ClientError, match="does not support MlflowExperimentName"):
        pipelines.start(name, MlflowExperimentName="tracked")
    with pytest.raises(ClientError, match="RoleArn is for pipelines that AWS manages"):
        pipelines.start(name, RoleArn="arn:aws:iam::000000000000:role/other")


def sleepers(word: str) -> list[str]:
    """Processes whose command line holds a word."""
    return subprocess.run(["pgrep", "-f", word], capture_output=True, text=True).stdout.split()


def test_after_a_kill_of_the_server_the_execution_has_failed_and_its_job_is_gone(
    new_server: Callable[[], Any], wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    server = new_server()
    pid = server.up().pid
    pipelines = Pipelines(server.client("sagemaker"))
    word = f"sleep 6{server.port}"
    done = pipelines.run(pipelines.create(step("Done", "Processing", processing("true"))))
    arn = pipelines.start(pipelines.create(step("Sleep", "Processing", processing(f"exec {word}"))))
    wait_until(lambda: bool(sleepers(f"^{word}")))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not sleepers(f"^{word}"))
    server.up()
    execution = pipelines.finish(arn)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "stopped while the execution was running" in execution["FailureReason"]
    assert pipelines.steps(arn)["Sleep"]["StepStatus"] == "Failed"
    job = pipelines.steps(arn)["Sleep"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    described = server.client("sagemaker").describe_processing_job(ProcessingJobName=job)
    assert described["ProcessingJobStatus"] == "Failed"
    assert pipelines.finish(done["PipelineExecutionArn"])["PipelineExecutionStatus"] == "Succeeded"


def test_stopping_the_server_stops_the_execution_first(
    new_server: Callable[[], Any], wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    server = new_server()
    server.up()
    pipelines = Pipelines(server.client("sagemaker"))
    arn = pipelines.start(pipelines.create(step("Sleep", "Processing", processing("sleep 60"))))
    wait_until(lambda: "ProcessingJob" in pipelines.steps(arn).get("Sleep", {}).get("Metadata", {}))
    server.down()
    server.up()
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Stopped"
