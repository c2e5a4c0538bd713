"""Executions as the service drives them: order, branches, failures, the cache, and stopping."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_sagemaker.conftest import output, processing, step

REPORT = {"PropertyFiles": [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}]}
R2 = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Score.PropertyFiles.Report"}, "Path": "r2.value"}}


def said(s3: Any, uri: str) -> str:
    """The text of an object."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return str(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())


def test_a_step_gets_what_the_step_before_it_made(pipelines: Any, s3: Any) -> None:
    first = processing(
        "echo one > /opt/ml/processing/output/text/a.txt",
        ProcessingOutputConfig=output("text", "s3://test-bucket/chain/first"),
    )
    uri = {"Get": "Steps.First.ProcessingOutputConfig.Outputs['text'].S3Output.S3Uri"}
    location = {
        "S3Uri": uri,
        "LocalPath": "/opt/ml/processing/input/text",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    second = processing(
        "cat /opt/ml/processing/input/text/a.txt > /opt/ml/processing/output/text/b.txt; "
        "echo two >> /opt/ml/processing/output/text/b.txt",
        ProcessingInputs=[{"InputName": "text", "S3Input": location}],
        ProcessingOutputConfig=output("text", "s3://test-bucket/chain/second"),
    )
    name = pipelines.create(step("Second", "Processing", second), step("First", "Processing", first))
    execution = pipelines.run(name)
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert said(s3, "s3://test-bucket/chain/second/b.txt") == "one\ntwo\n"
    steps = pipelines.steps(execution["PipelineExecutionArn"])
    assert steps["First"]["EndTime"] <= steps["Second"]["StartTime"]
    assert steps["First"]["Metadata"]["ProcessingJob"]["Arn"].startswith("arn:aws:sagemaker:")


def scored(gate: float) -> list[dict[str, Any]]:
    """A scoring step, a gate on what it wrote, and a branch for each outcome."""
    score = processing(
        'echo \'{"r2": {"value": 0.9}}\' > /opt/ml/processing/output/report/report.json',
        ProcessingOutputConfig=output("report", "s3://test-bucket/scored"),
    )
    condition = {"Type": "GreaterThanOrEqualTo", "LeftValue": R2, "RightValue": gate}
    message = {"Std:Join": {"On": " ", "Values": ["R2 is", R2, "and must be", gate]}}
    branches = {
        "Conditions": [condition],
        "IfSteps": [step("Good", "Processing", processing("true"))],
        "ElseSteps": [step("Bad", "Fail", {"ErrorMessage": message})],
    }
    return [step("Score", "Processing", score, **REPORT), step("Gate", "Condition", branches)]


def test_a_condition_takes_one_branch_and_leaves_the_other(pipelines: Any) -> None:
    execution = pipelines.run(pipelines.create(*scored(0.8)))
    steps = pipelines.steps(execution["PipelineExecutionArn"])
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert set(steps) == {"Score", "Gate", "Good"}
    assert steps["Gate"]["Metadata"] == {"Condition": {"Outcome": "True"}}


def test_a_fail_step_fails_the_execution_in_the_services_words_with_its_own_message(pipelines: Any) -> None:
    execution = pipelines.run(pipelines.create(*scored(0.95)))
    steps = pipelines.steps(execution["PipelineExecutionArn"])
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "Step failure: One or multiple steps failed."
    assert set(steps) == {"Score", "Gate", "Bad"}
    assert steps["Bad"]["Metadata"] == {"Fail": {"ErrorMessage": "R2 is 0.9 and must be 0.95"}}
    assert steps["Bad"]["FailureReason"] == "R2 is 0.9 and must be 0.95"


def test_a_condition_that_cannot_be_decided_is_a_failed_step_that_says_why(pipelines: Any) -> None:
    score = processing("true", ProcessingOutputConfig=output("report", "s3://test-bucket/not-written"))
    gate = {"Conditions": [{"Type": "Equals", "LeftValue": R2, "RightValue": 1}], "IfSteps": [], "ElseSteps": []}
    name = pipelines.create(step("Score", "Processing", score, **REPORT), step("Gate", "Condition", gate))
    failed = pipelines.steps(pipelines.run(name)["PipelineExecutionArn"])["Gate"]
    assert failed["StepStatus"] == "Failed"
    assert failed["FailureReason"].startswith("ClientError: ")
    assert "not-written/report.json" in failed["FailureReason"]


def test_a_job_knows_its_name_from_the_arguments_of_its_step(pipelines: Any) -> None:
    name = {"Get": "Execution.ProcessingJobName"}
    known = processing('test -n "$NAME" && grep -q "\\"$NAME\\"" /opt/ml/config/processingjobconfig.json')
    known["Environment"] = {"NAME": name}
    execution = pipelines.run(pipelines.create(step("Know", "Processing", known)))
    assert execution["PipelineExecutionStatus"] == "Succeeded", pipelines.steps(execution["PipelineExecutionArn"])


def test_after_a_failure_nothing_more_is_started(pipelines: Any) -> None:
    name = pipelines.create(
        step("Breaks", "Processing", processing("exit 3")),
        step("After", "Processing", processing("true"), DependsOn=["Breaks"]),
    )
    execution = pipelines.run(name)
    steps = pipelines.steps(execution["PipelineExecutionArn"])
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert set(steps) == {"Breaks"}
    assert "exit code: 3" in steps["Breaks"]["FailureReason"].lower()


def test_a_reference_to_what_the_job_does_not_have_fails_the_step_with_its_path(pipelines: Any) -> None:
    reason = {"Get": "Steps.First.FailureReason"}  # a property of processing jobs, but not of one that succeeded
    name = pipelines.create(
        step("First", "Processing", processing("true")),
        step("Second", "Processing", processing("true", Environment={"REASON": reason})),
    )
    steps = pipelines.steps(pipelines.run(name)["PipelineExecutionArn"])
    assert "Steps.First.FailureReason" in steps["Second"]["FailureReason"]


def test_after_a_failure_what_runs_goes_on_to_its_end(pipelines: Any, tmp_path: Path) -> None:
    name = pipelines.create(
        step("Works", "Processing", processing(f"touch {tmp_path}/up; sleep 1")),
        step("Breaks", "Processing", processing(f"while ! test -e {tmp_path}/up; do sleep 0.05; done; exit 1")),
        step("After", "Processing", processing("true"), DependsOn=["Works"]),
    )
    execution = pipelines.run(name)
    steps = pipelines.steps(execution["PipelineExecutionArn"])
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert {name: entry["StepStatus"] for name, entry in steps.items()} == {"Works": "Succeeded", "Breaks": "Failed"}


def test_a_step_that_is_triggered_by_a_failure_sees_it_and_completes_the_execution(pipelines: Any) -> None:
    reason = {"Get": "Steps.Breaks.FailureReason"}
    check = processing('echo "$WHY" | grep -q "exit code: 7"', Environment={"WHY": reason})
    name = pipelines.create(
        step("Breaks", "Processing", processing("exit 7")),
        step("Never", "Processing", processing("true"), DependsOn=["Breaks"]),
        step("CleanUp", "Processing", check, DependsOn=[{"Step": "Breaks", "Trigger": "Failed"}]),
        step("Last", "Processing", processing("true"), DependsOn=["CleanUp"]),
    )
    execution = pipelines.run(name)
    steps = pipelines.steps(execution["PipelineExecutionArn"])
    assert execution["PipelineExecutionStatus"] == "CompletedWithFailures"
    assert {name: entry["StepStatus"] for name, entry in steps.items()} == {
        "Breaks": "Failed",
        "CleanUp": "Succeeded",
        "Last": "Succeeded",
    }


def test_steps_that_do_not_wait_for_each_other_run_at_once(pipelines: Any) -> None:
    sleeping = [step(f"Sleep{number}", "Processing", processing("sleep 1")) for number in range(2)]
    execution = pipelines.run(pipelines.create(*sleeping))
    first, second = pipelines.steps(execution["PipelineExecutionArn"]).values()
    assert max(first["StartTime"], second["StartTime"]) < min(first["EndTime"], second["EndTime"])


def test_a_parallelism_of_one_runs_them_one_after_another(pipelines: Any) -> None:
    sleeping = [step(f"Sleep{number}", "Processing", processing("sleep 0.3")) for number in range(2)]
    execution = pipelines.run(pipelines.create(*sleeping), ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    steps = sorted(pipelines.steps(execution["PipelineExecutionArn"]).values(), key=lambda entry: entry["StartTime"])
    assert steps[0]["EndTime"] <= steps[1]["StartTime"]


def cached(word: Any) -> dict[str, Any]:
    return step(
        "Say",
        "Processing",
        processing(
            "echo $WORD > /opt/ml/processing/output/text/word.txt",
            Environment={"WORD": word},
            ProcessingOutputConfig=output(
                "text",
                {
                    "Std:Join": {
                        "On": "/",
                        "Values": ["s3://test-bucket/said", {"Get": "Execution.PipelineExecutionId"}],
                    }
                },
            ),
        ),
        CacheConfig={"Enabled": True, "ExpireAfter": "P1D"},
    )


def test_an_identical_step_is_taken_from_the_cache_and_says_from_where(pipelines: Any) -> None:
    parameters = [{"Name": "Word", "Type": "String", "DefaultValue": "hello"}]
    name = pipelines.create(cached({"Get": "Parameters.Word"}), parameters=parameters)
    first, again, once_more = (pipelines.run(name) for _ in range(3))
    other = pipelines.run(name, PipelineParameters=[{"Name": "Word", "Value": "bye"}])
    original = pipelines.steps(first["PipelineExecutionArn"])["Say"]
    reused = pipelines.steps(again["PipelineExecutionArn"])["Say"]
    assert reused["CacheHitResult"] == {"SourcePipelineExecutionArn": first["PipelineExecutionArn"]}
    assert reused["Metadata"] == original["Metadata"]
    assert pipelines.steps(once_more["PipelineExecutionArn"])["Say"]["CacheHitResult"] == reused["CacheHitResult"]
    assert "CacheHitResult" not in pipelines.steps(other["PipelineExecutionArn"])["Say"]


def test_a_failed_step_is_never_taken_from_the_cache(pipelines: Any) -> None:
    name = pipelines.create(
        step("Breaks", "Processing", processing("exit 1"), CacheConfig={"Enabled": True, "ExpireAfter": "P1D"})
    )
    for _ in range(2):
        execution = pipelines.run(name)
        assert execution["PipelineExecutionStatus"] == "Failed"
        assert "CacheHitResult" not in pipelines.steps(execution["PipelineExecutionArn"])["Breaks"]


def test_stopping_ends_the_job_that_runs_and_the_execution(
    pipelines: Any, sagemaker: Any, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    name = pipelines.create(
        step("Sleep", "Processing", processing("sleep 60")),
        step("After", "Processing", processing("true"), DependsOn=["Sleep"]),
    )
    arn = pipelines.start(name)
    wait_until(lambda: "ProcessingJob" in pipelines.steps(arn).get("Sleep", {}).get("Metadata", {}))
    started = time.monotonic()
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="1" * 32)
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Stopped"
    assert time.monotonic() - started < 10
    steps = pipelines.steps(arn)
    assert {entry["StepName"]: entry["StepStatus"] for entry in steps.values()} == {"Sleep": "Stopped"}
    assert "FailureReason" not in steps["Sleep"]
    again = sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="1" * 32)
    assert again["PipelineExecutionArn"] == arn
    with pytest.raises(ClientError, match="has already ended"):
        sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="2" * 32)


def test_a_step_whose_job_was_stopped_by_hand_is_stopped_and_the_execution_has_failed(
    pipelines: Any, sagemaker: Any, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    arn = pipelines.start(pipelines.create(step("Sleep", "Processing", processing("sleep 60"))))
    wait_until(lambda: "ProcessingJob" in pipelines.steps(arn).get("Sleep", {}).get("Metadata", {}))
    job = pipelines.steps(arn)["Sleep"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    sagemaker.stop_processing_job(ProcessingJobName=job)
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Failed"
    stopped = pipelines.steps(arn)["Sleep"]
    assert (stopped["StepStatus"], stopped["FailureReason"]) == ("Stopped", "The processing job ended as Stopped.")


def test_the_definition_of_an_execution_stays_what_it_was(pipelines: Any, sagemaker: Any) -> None:
    name = pipelines.create(step("Say", "Processing", processing("true")))
    arn = pipelines.run(name)["PipelineExecutionArn"]
    other = json.dumps({"Version": "2020-12-01", "Steps": [step("Stop", "Fail", {})]})
    sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=other)
    kept = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)["PipelineDefinition"]
    assert [entry["Name"] for entry in json.loads(kept)["Steps"]] == ["Say"]
