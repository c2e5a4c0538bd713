"""`python -m local_sagemaker run`: progress, the end, Ctrl-C, and exit codes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import LocalServer
from tests.local_sagemaker.conftest import processing, step

ROOT = Path(__file__).parents[3]


class Runs:
    """Starts the command on definitions, against one server."""

    def __init__(self, server: LocalServer, folder: Path) -> None:
        self._environment = {**os.environ, **server.environment}
        self._folder = folder

    def start(self, *steps: dict[str, Any], options: tuple[str, ...] = (), **fields: Any) -> subprocess.Popen[str]:
        """The running command."""
        file = self._folder / "some steps.json"
        file.write_text(json.dumps({"Version": "2020-12-01", "Steps": list(steps), **fields}))
        command = [sys.executable, "-m", "local_sagemaker", "run", str(file), *options]
        return subprocess.Popen(
            command, cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def __call__(self, *steps: dict[str, Any], options: tuple[str, ...] = (), **fields: Any) -> tuple[int, str, str]:
        """Exit code, output and errors of the command."""
        process = self.start(*steps, options=options, **fields)
        out, errors = process.communicate(timeout=60)
        return process.returncode, out, errors


@pytest.fixture
def run(server: LocalServer, tmp_path: Path) -> Runs:
    return Runs(server, tmp_path)


def test_an_execution_that_succeeds_prints_each_step_and_exits_with_0(run: Runs) -> None:
    says = step("Say", "Processing", processing("true", Environment={"WORD": {"Get": "Parameters.Word"}}))
    parameters = [{"Name": "Word", "Type": "String"}]
    code, out, errors = run(says, options=("-p", "Word=a=b"), Parameters=parameters)
    assert (code, errors) == (0, "")
    assert " Say Succeeded (" in out
    assert out.splitlines()[-1].startswith("Succeeded: arn:aws:sagemaker:us-east-1:000000000000:pipeline/some-steps/")


def test_an_execution_that_fails_ends_with_step_reason_and_log_and_exits_with_1(run: Runs) -> None:
    code, out, _ = run(step("Breaks", "Processing", processing("echo what went wrong; exit 3")))
    assert code == 1
    assert "Breaks failed: AlgorithmError: See job logs for more information, exit code: 3" in out
    log = Path(out.strip().splitlines()[-1].removeprefix("its log: "))
    assert "what went wrong" in log.read_text()


def test_what_cannot_be_started_exits_with_2_and_says_why(run: Runs) -> None:
    code, _, errors = run(step("A", "Processing", {}, DependsOn=["B"]))
    assert code == 2
    assert "some steps.json: Steps[0].DependsOn[0]: B is not a step" in errors
    says = step("Say", "Processing", processing("true"))
    parameters = [{"Name": "Count", "Type": "Integer"}]
    assert run(says, Parameters=parameters)[::2] == (2, "error: The parameter Count has no default: give it a value\n")
    assert run(says, options=("-p", "Count"))[::2] == (2, "error: -p Count: write it as NAME=VALUE.\n")


def test_ctrl_c_stops_the_execution_and_exits_with_3(
    run: Runs, sagemaker: Any, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    process = run.start(step("Sleep", "Processing", processing("sleep 60")))
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    assert any(" Sleep Executing" in line for line in lines)
    process.send_signal(signal.SIGINT)
    rest = list(lines)
    assert process.wait(30) == 3
    assert "Stopping the execution ...\n" in rest
    assert rest[-1].startswith("Stopped: arn:")


def test_a_second_ctrl_c_no_longer_waits_for_what_does_not_stop(run: Runs, server: LocalServer, sagemaker: Any) -> None:
    queue = server.client("sqs").create_queue(QueueName="never-read")["QueueUrl"]
    process = run.start(step("Wait", "Callback", {}, SqsQueueUrl=queue))
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    token = next(line for line in lines if "waits for an answer to the token" in line).split()[-1].rstrip(")")
    process.send_signal(signal.SIGINT)
    assert any(" Wait Stopping" in line for line in lines)
    process.send_signal(signal.SIGINT)
    assert list(lines)[-1].startswith("No longer waiting: arn:")
    assert process.wait(30) == 3
    sagemaker.send_pipeline_execution_step_failure(CallbackToken=token)


def test_a_server_that_goes_away_is_said_to_be_gone(new_server: Callable[[], LocalServer], tmp_path: Path) -> None:
    server = new_server()
    pid = server.up().pid
    process = Runs(server, tmp_path).start(step("Sleep", "Processing", processing("sleep 60")))
    assert process.stdout is not None
    assert any(" Sleep Executing" in line for line in iter(process.stdout.readline, ""))
    os.kill(pid, signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors.startswith(f"error: the server on {server.url} is gone")) == (1, True)
