"""Attempts at a step: what fails for a passing reason is tried again, as its retry policies say."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.local_sagemaker.conftest import Pipelines, processing, step

# The supervisor of a job is its parent: without it the server cannot know how the job ended, an internal error.
CRASH = "kill -9 $PPID; sleep 60"
INTERNAL_ERROR = "SageMaker.JOB_INTERNAL_ERROR"


def policy(kind: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"ExceptionType": [kind], "IntervalSeconds": 1, "BackoffRate": 1.0, **fields}]


def test_a_job_that_failed_by_an_internal_error_is_tried_again(pipelines: Any, tmp_path: Path) -> None:
    script = f"mkdir {tmp_path}/second || exit 0; {CRASH}"
    retries = policy(INTERNAL_ERROR, MaxAttempts=2)
    execution = pipelines.run(pipelines.create(step("Flaky", "Processing", processing(script), RetryPolicies=retries)))
    flaky = pipelines.steps(execution["PipelineExecutionArn"])["Flaky"]
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert (flaky["StepStatus"], flaky["AttemptCount"]) == ("Succeeded", 2)
    assert flaky["EndTime"].timestamp() - flaky["StartTime"].timestamp() >= 1


def test_without_a_policy_it_fails_in_the_services_words(pipelines: Any) -> None:
    execution = pipelines.run(pipelines.create(step("Crash", "Processing", processing(CRASH))))
    failed = pipelines.steps(execution["PipelineExecutionArn"])["Crash"]
    assert (failed["StepStatus"], failed["AttemptCount"]) == ("Failed", 1)
    assert failed["FailureReason"].startswith("InternalServerError: ")
    assert failed["FailureReason"].endswith(
        f"Retry not appropriate on execution of step with PipelineExecutionArn {execution['PipelineExecutionArn']} "
        "and StepId Crash. No retry policy configured for the exception type SAGEMAKER_JOB_INTERNAL_ERROR."
    )


def test_a_script_that_fails_is_not_tried_again(pipelines: Any) -> None:
    retries = policy(INTERNAL_ERROR, MaxAttempts=2)
    name = pipelines.create(step("Wrong", "Processing", processing("exit 1"), RetryPolicies=retries))
    failed = pipelines.steps(pipelines.run(name)["PipelineExecutionArn"])["Wrong"]
    assert (failed["StepStatus"], failed["AttemptCount"]) == ("Failed", 1)
    assert "Retry" not in failed["FailureReason"]


def test_steps_that_wait_for_their_next_attempt_hold_no_core_and_can_be_stopped(
    pipelines: Any, sagemaker: Any, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    retries = policy(INTERNAL_ERROR, IntervalSeconds=600)
    waiting = [
        step(f"Wait{number}", "Processing", processing(CRASH), RetryPolicies=retries)
        for number in range(os.cpu_count() or 1)
    ]
    arn = pipelines.start(pipelines.create(*waiting, step("Other", "Processing", processing("true"))))
    wait_until(lambda: pipelines.steps(arn).get("Other", {}).get("StepStatus") == "Succeeded")
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Stopped"
    assert {entry["StepStatus"] for entry in pipelines.steps(arn).values()} == {"Succeeded", "Stopped"}


def test_a_job_beyond_the_quota_is_refused_and_started_when_there_is_room(
    new_server: Callable[[], Any], wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    server = new_server()
    server.environment["SAGEMAKER_LOCAL_JOB_QUOTA"] = "1"
    server.up()
    pipelines = Pipelines(server.client("sagemaker"))
    pipelines.sagemaker.create_processing_job(ProcessingJobName="first", **processing("sleep 60"))
    say = processing("true")
    refused = pipelines.run(pipelines.create(step("Say", "Processing", say)))
    reason = pipelines.steps(refused["PipelineExecutionArn"])["Say"]["FailureReason"]
    assert reason.startswith("ClientError: Failed to invoke sagemaker:CreateProcessingJob. Error Details: The account")
    assert reason.endswith("No retry policy configured for the exception type SAGEMAKER_RESOURCE_LIMIT.")
    retries = policy("SageMaker.RESOURCE_LIMIT", ExpireAfterMin=5)
    arn = pipelines.start(pipelines.create(step("Say", "Processing", say, RetryPolicies=retries)))
    wait_until(lambda: pipelines.steps(arn).get("Say", {}).get("AttemptCount", 1) > 1)
    pipelines.sagemaker.stop_processing_job(ProcessingJobName="first")
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Succeeded"
