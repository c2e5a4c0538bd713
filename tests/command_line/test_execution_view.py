"""How executions look in a list and on their own."""

import json
from pathlib import Path

import pytest

from command_line.execution_view import executions_table, show_execution
from pipelines.watching.executions import describe, list_executions
from tests.pipelines.conftest import PIPELINE, Executions, Output, execution_arn, job, step

FAILED = [
    step("Train", "Failed", FailureReason="AlgorithmError: no rows", Metadata=job("TrainingJob", "train-1")),
]


def test_a_list_has_id_status_start_duration_and_who(executions: Executions, output: Output) -> None:
    executions.add("abc", "nightly")
    output.show(executions_table(list_executions(executions.sagemaker, PIPELINE), PIPELINE))
    header, row = output.text.splitlines()
    assert header.split() == ["EXECUTION", "STATUS", "STARTED", "DURATION", "WHO", "NAME"]
    assert row.startswith("abc        Succeeded")
    assert row.endswith("ada  nightly")


def test_an_empty_list_says_how_to_start(output: Output) -> None:
    output.show(executions_table([], PIPELINE))
    assert output.text == f"Pipeline {PIPELINE} has not been executed yet: start it with `run` or `start`.\n"


def test_a_failed_execution_ends_with_what_failed_why_and_where_its_log_is(
    executions: Executions, output: Output
) -> None:
    executions.script = [("Failed", FAILED)]
    show_execution(output, describe(executions.sagemaker, execution_arn("abc")), Path("/state/jobs"))
    assert output.text.splitlines()[-2:] == [
        "Step Train failed: AlgorithmError: no rows",
        "Its log: /state/jobs/training/train-1/output.log",
    ]
    assert output.text.count("no rows") == 1  # told once


def test_what_the_job_said_is_shown_where_the_reason_does_not_hold_it(executions: Executions, output: Output) -> None:
    executions.script = [("Failed", FAILED)]
    execution = describe(executions.sagemaker, execution_arn("abc"))
    show_execution(output, execution, None, lambda job: f"{job.name} has no variance")
    assert output.text.splitlines()[-2] == "Its job said: train-1 has no variance"
    show_execution(output, execution, None, lambda job: "no rows")  # as the reason says already
    assert output.text.splitlines()[-2] == "Step Train failed: AlgorithmError: no rows"


@pytest.mark.parametrize(("code", "lines"), [(137, 1), (1, 0)])
def test_what_the_exit_code_of_a_killed_process_means_is_said(
    executions: Executions, output: Output, code: int, lines: int
) -> None:
    reason = f"AlgorithmError: See job logs for more information, exit code: {code}"
    executions.script = [("Failed", [step("Train", "Failed", FailureReason=reason, Metadata=job("TrainingJob", "t"))])]
    show_execution(output, describe(executions.sagemaker, execution_arn("abc")))
    assert output.text.count("Exit code 137: its process was killed") == lines


def test_an_execution_that_failed_without_a_step_gives_its_own_reason(executions: Executions, output: Output) -> None:
    executions.script, executions.failure_reason = [("Failed", [])], "The role cannot be assumed."
    show_execution(output, describe(executions.sagemaker, execution_arn("abc")))
    assert output.text.splitlines()[-1] == "The execution failed: The role cannot be assumed."


def test_json_is_one_document(executions: Executions) -> None:
    executions.script = [("Failed", FAILED)]
    output = Output(json_output=True)
    show_execution(output, describe(executions.sagemaker, execution_arn("abc")))
    document = json.loads(output.text)
    assert (document["id"], document["steps"][0]["name"]) == ("abc", "Train")
