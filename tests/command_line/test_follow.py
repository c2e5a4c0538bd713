"""An execution is followed to its end, and Ctrl-C stops it."""

import _thread
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from command_line.follow import follow
from tests.pipelines.conftest import Executions, Output, execution_arn, step

ARN = execution_arn("abc")
STEPS = ["Train", "RegisterModel"]


def test_each_change_is_one_line_when_piped(executions: Executions, output: Output) -> None:
    running, cached = step("Train", "Executing"), {"SourcePipelineExecutionArn": execution_arn("earlier")}
    done = step("Train", EndTime=running["StartTime"] + 3.1, StartTime=running["StartTime"])
    executions.script = [
        ("Executing", [running]),
        ("Executing", [running]),
        ("Executing", [done]),
        ("Succeeded", [done, step("RegisterModel", CacheHitResult=cached)]),
    ]
    execution = follow(executions.sagemaker, ARN, output, 0.001, STEPS)
    assert output.text.splitlines() == [
        "Train          Executing",
        "Train          Succeeded  3.1 s",
        "RegisterModel  Succeeded  3.1 s  cached, from earlier",
    ]
    assert (execution.status, execution.exit_code, execution.interrupted) == ("Succeeded", 0, False)


def test_what_keeps_the_server_from_going_on_is_said_once(
    executions: Executions, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("command_line.follow.NOTICE_SECONDS", 0)
    running = ("Executing", [step("Train", "Executing")])
    executions.script = [running] * 6 + [("Succeeded", [step("Train")])]
    said = iter([None, "the disk is full", "the disk is full", None, "the disk is full", None])
    follow(executions.sagemaker, ARN, output, 0.001, STEPS, lambda: next(said))
    assert output.text.splitlines().count("the disk is full") == 2  # it was full, had room, and was full again


def interrupting(executions: Executions, at: set[int]) -> None:
    """Press Ctrl-C at some of the looks at the steps, counted from 1."""
    answer, looks = executions.aws.answers["ListPipelineExecutionSteps"], 0

    def answer_and_interrupt(request: dict[str, Any]) -> dict[str, Any]:
        nonlocal looks
        looks += 1
        if looks in at:
            _thread.interrupt_main()
        return answer(request)

    executions.aws.answers["ListPipelineExecutionSteps"] = answer_and_interrupt


def test_ctrl_c_stops_the_execution_and_waits_until_it_is_stopped(executions: Executions, output: Output) -> None:
    executions.script = [("Executing", [step("Train", "Executing")])]
    interrupting(executions, {3})
    execution = follow(executions.sagemaker, ARN, output, 0.01, STEPS)
    assert len(executions.aws.asked("StopPipelineExecution")) == 1
    assert (execution.status, execution.exit_code) == ("Stopped", 130)
    assert output.text.splitlines()[-2:] == [
        "Ctrl-C: stopping the execution. Press it again to leave immediately.",
        "The execution is Stopped.",
    ]


def test_a_second_ctrl_c_leaves_at_once(executions: Executions, output: Output) -> None:
    executions.script = [("Executing", [])]
    executions.aws.answers["StopPipelineExecution"] = lambda request: {}
    interrupting(executions, {2, 5})
    with pytest.raises(KeyboardInterrupt):
        follow(executions.sagemaker, ARN, output, 0.01, STEPS)
    assert f"Left while the execution was stopping: {ARN}" in output.text


def test_ctrl_c_as_the_execution_ends_tells_how_it_ended(executions: Executions, output: Output) -> None:
    executions.script = [("Executing", []), ("Succeeded", [])]
    interrupting(executions, {1})
    execution = follow(executions.sagemaker, ARN, output, 0.01, STEPS)
    assert (execution.status, execution.exit_code) == ("Succeeded", 130)


@pytest.mark.e2e
def test_on_a_terminal_a_table_shows_the_steps_that_wait_too(executions: Executions) -> None:
    executions.script = [("Executing", [step("Train", "Executing")])] * 3 + [("Succeeded", [step("Train")])]
    program = (
        "import sys, boto3\n"
        "from command_line.console import Console\n"
        "from command_line.follow import follow\n"
        "client = boto3.client('sagemaker', endpoint_url=sys.argv[1], region_name='eu-west-1',"
        " aws_access_key_id='a', aws_secret_access_key='b')\n"
        "follow(client, sys.argv[2], Console(), 0.3, ['Train', 'RegisterModel'])\n"
    )
    project = Path(__file__).resolve().parents[2]
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    with subprocess.Popen(
        [sys.executable, "-c", program, executions.aws.url, ARN], cwd=project, stdout=slave, env=environment
    ) as process:
        os.close(slave)
        shown = b""
        try:
            while chunk := os.read(master, 4096):
                shown += chunk
        except OSError:
            assert process.wait() == 0  # Linux tells the end of a terminal as an error
    os.close(master)
    text = shown.decode()
    assert "waiting" in text
    assert "RegisterModel" not in text.rpartition("STEP")[2], "a step that never ran is not in the last table"
    assert "Succeeded" in text.rpartition("STEP")[2]
