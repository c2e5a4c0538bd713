"""One supervised process, seen from the server."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_sagemaker.processes.isolation import PrivateFolder
from local_sagemaker.processes.process import Command, Ended, SupervisedProcess, SupervisionFailed


class Started(SupervisedProcess):
    """A shell command under a supervisor."""

    def __init__(self, folder: Path, script: str, grace_seconds: float = 5) -> None:
        self.record_path = folder / "process.json"
        self.log = folder / "log"
        private = PrivateFolder(folder / "private", "rewrite")
        command = Command(["/bin/sh", "-c", script], {"PATH": os.environ["PATH"]}, "/")
        super().__init__(command, private, self.log, self.record_path, grace_seconds)


@pytest.fixture(name="sleeper")
def sleeper_fixture(tmp_path: Path) -> Iterator[Started]:
    process = Started(tmp_path, f"echo ready; while sleep 1; do : {tmp_path}; done")
    while "ready" not in (process.log.read_text() if process.log.exists() else ""):
        time.sleep(0.01)
    yield process
    process.end()


def test_the_end_is_told_once_known_and_the_record_is_gone(tmp_path: Path) -> None:
    process = Started(tmp_path, "exit 3")
    assert process.wait() == process.wait() == Ended(3, False)
    assert not process.alive()
    assert not process.record_path.exists()
    process.stop()  # no fault
    process.end()


def test_a_running_process_is_alive_and_recorded(sleeper: Started) -> None:
    assert sleeper.wait(0.05) is None
    assert sleeper.alive()
    assert sleeper.record_path.exists()
    sleeper.stop()
    assert sleeper.wait(5) == Ended(128 + signal.SIGTERM, True)


def test_a_killed_supervisor_is_a_fault_and_leaves_nothing(sleeper: Started) -> None:
    os.kill(sleeper._supervisor.pid, signal.SIGKILL)
    with pytest.raises(SupervisionFailed, match="ended with code -9"):
        sleeper.wait(5)
    assert not sleeper.alive()
    assert not sleeper.record_path.exists()
    shown = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(sleeper.log.parent) not in shown
    sleeper.end()


def test_end_waits_for_what_ignores_the_request(tmp_path: Path) -> None:
    process = Started(tmp_path, "trap '' TERM; echo ready; while :; do sleep 0.05; done", grace_seconds=0.2)
    while "ready" not in (process.log.read_text() if process.log.exists() else ""):
        time.sleep(0.01)
    process.end()
    assert process.wait(0) == Ended(128 + signal.SIGKILL, True)
