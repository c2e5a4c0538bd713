"""What ends a run before its model: a job that is killed, Ctrl-C, a rehearsal that fails."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.end_to_end.conftest import NO_CHAMPION

pytestmark = pytest.mark.e2e

DATA = Path(__file__).parents[2] / "data" / "house_prices.parquet"
PATIENCE = 60  # seconds


class Running:
    """A `run` that goes on, and its output so far."""

    def __init__(self, cli: Any, *arguments: str) -> None:
        self._process = subprocess.Popen(
            cli.command("run_pipeline.py", "run", *NO_CHAMPION, *arguments),
            cwd=cli.folder,
            env=cli.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._jobs = Path(cli.server.state) / "jobs"
        self.execution = ""

    def follow(self, step: str) -> None:
        """Read on until a step runs."""
        assert self._process.stdout is not None
        told = []
        for line in self._process.stdout:
            told.append(line)
            if re.match(r"Execution +arn:", line):
                self.execution = line.strip().rpartition("/")[2]
            if re.match(rf"{step} +Executing", line):
                return
        raise AssertionError("".join(told))

    def logs(self, step: str) -> list[Path]:
        """The logs of a step's job, one of each host."""
        return list(self._jobs.glob(f"*/pipelines-{self.execution}-{step}-*/output*.log"))

    def pid(self, step: str) -> int:
        """The process of a step's job on its first host, once it runs."""

        def found() -> int:
            for path in self._jobs.glob(f"*/pipelines-{self.execution}-{step}-*/algo-1/process.json"):
                pid = json.loads(path.read_text())["pid"]
                return int(pid or 0)
            return 0

        return waited(found)

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def rest(self) -> tuple[int, str]:
        """The exit code, and what else was printed."""
        assert self._process.stdout is not None
        text = self._process.stdout.read()
        return self._process.wait(PATIENCE), text


def waited(condition: Callable[[], Any]) -> Any:
    """The first thing that a condition says and that is true."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def sample(folder: Path, rows: int = 6000) -> tuple[str, ...]:
    """Rows that no other test runs on."""
    path = folder / "sample.parquet"
    pd.read_parquet(DATA).sample(rows, random_state=3).to_parquet(path, index=False)
    return ("--data", str(path))


@pytest.mark.parametrize(
    ("step", "arguments"),
    [
        ("ValidateData", None),
        pytest.param("Preprocess", None, marks=pytest.mark.journey),
        ("Train", ("-p", "Rounds=3998")),
        ("Evaluate", ("-p", "MinR2=0.123")),
    ],
)
def test_a_job_that_is_killed_fails_its_step_by_name_with_the_exit_code_and_what_it_means(
    cli: Any, first_run: Any, tmp_path: Path, step: str, arguments: tuple[str, ...] | None
) -> None:
    """What comes before the step is in the cache, or does its work."""
    running = Running(cli, *(sample(tmp_path) if arguments is None else arguments))
    running.follow(step)
    os.killpg(running.pid(step), signal.SIGKILL)
    code, text = running.rest()
    assert code == 3
    assert re.search(rf"^Step {step} failed: AlgorithmError: .*, exit code: 137$", text, re.MULTILINE), text
    assert re.search(r"^Exit code 137: its process was killed, most often since its machine had no memory", text, re.M)
    assert re.search(rf"^Its log: \S+pipelines-{running.execution}-{step}-\S+/output\.log$", text, re.MULTILINE)
    assert "Traceback" not in text


def processes_of(job: str) -> list[str]:
    """Command lines of the processes in whose environment a job is named."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                named = job.encode() in (entry / "environ").read_bytes()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue  # it has ended meanwhile
            if named:
                found.append(command)
    return found


@pytest.mark.parametrize(
    ("step", "hosts"), [("Train", 1), ("Train", 4), pytest.param("Preprocess", 4, marks=pytest.mark.journey)]
)
def test_ctrl_c_ends_every_host_of_a_step_and_the_execution(
    cli: Any, first_run: Any, tmp_path: Path, step: str, hosts: int
) -> None:
    """Preprocess gets rows of its own: hosts of any number leave the same, so the cache does not ask for theirs."""
    if step == "Train":
        arguments: tuple[str, ...] = ("-p", f"TrainingInstanceCount={hosts}", "-p", "Rounds=3999")
    else:
        arguments = ("-p", f"ProcessingInstanceCount={hosts}", *sample(tmp_path, 21_000))
    running = Running(cli, *arguments)
    running.follow(step)
    if hosts > 1:
        waited(lambda: sum("got rank" in log.read_text() for log in running.logs(step)) == hosts)
    job = f"/pipelines-{running.execution}-{step}-"  # in the paths of its folders
    waited(lambda: len(processes_of(job)) >= hosts)
    running.interrupt()
    code, text = running.rest()
    assert code == 130
    assert "The execution is Stopped." in text
    described = cli.json("describe", running.execution)
    assert (described["status"], described["steps"][-1]["status"]) == ("Stopped", "Stopped")
    assert processes_of(job) == []


def executions(cli: Any) -> list[str]:
    """The ids, the newest first."""
    return [each["id"] for each in cli.json("executions")]


@pytest.mark.journey
def test_a_rehearsal_runs_all_steps_on_a_few_rows_and_then_the_run_begins(cli: Any, first_run: Any) -> None:
    before = executions(cli)
    out = cli.pipeline("run", *NO_CHAMPION, "--data", str(DATA), "--rehearse", "1%").stdout
    assert re.search(r"^Rehearsal +5,0\d\d of 21,613 rows, s3://", out, re.MULTILINE)
    assert re.search(r"^RejectModel +Failed", out, re.MULTILINE)
    assert "Rehearsal  every step before the registration did its work" in out
    assert re.search(r"^RegisterModel +Succeeded", out.partition("Rehearsal  every step")[2], re.MULTILINE)
    whole, rehearsed = executions(cli)[: len(executions(cli)) - len(before)]
    assert cli.json("describe", rehearsed)["status"] == "Failed"
    assert cli.json("describe", whole)["status"] == "Succeeded"


@pytest.mark.journey
def test_a_rehearsal_that_fails_starts_nothing_else(cli: Any, first_run: Any) -> None:
    before = executions(cli)
    done = cli.pipeline("run", "--data", str(DATA), "--rehearse", "1%", "-p", "LearningRate=-1", expect=1)
    assert re.search(
        r"error: The rehearsal failed in Train, so nothing else was started: .*learning_rate.*\n"
        r"Its log: \S+-Train-\S+/output\.log$",
        done.stderr.strip(),
    ), done.stderr
    assert len(executions(cli)) == len(before) + 1
