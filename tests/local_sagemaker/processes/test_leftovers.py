"""What is recorded is killed, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

from local_sagemaker.processes.leftovers import MARKER, Record, kill_recorded, start_time

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def start(token: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(SLEEP, env={**os.environ, MARKER: token}, start_new_session=True)


def test_a_recorded_process_is_killed_and_its_like_is_not(tmp_path: Path) -> None:
    mine, other = start("a" * 32), start("b" * 32)
    try:
        Record(tmp_path / "process.json", "a" * 32).write(mine.pid, start_time(mine.pid))
        kill_recorded(tmp_path / "process.json")
        assert mine.wait(5) == -9
        assert other.poll() is None
        assert not (tmp_path / "process.json").exists()
    finally:
        other.kill()
        other.wait()


def test_a_start_time_tells_two_processes_apart_and_none_from_none() -> None:
    process = start("c" * 32)
    process_started = start_time(process.pid)
    process.kill()
    process.wait()
    assert process_started is not None
    assert start_time(os.getpid()) == start_time(os.getpid()) != process_started
    assert start_time(process.pid) is None


def test_a_record_names_what_runs_until_its_end(tmp_path: Path) -> None:
    record = Record(tmp_path / "process.json", "d" * 32)
    record.write(7, "then")
    assert json.loads((tmp_path / "process.json").read_text()) == {"token": "d" * 32, "pid": 7, "started": "then"}
    record.end()
    record.end()
    record.kill()
    assert list(tmp_path.iterdir()) == []
