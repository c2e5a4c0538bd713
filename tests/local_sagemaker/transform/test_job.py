"""The transform runtime and what a killed server has left of its jobs."""

import json
import os
import subprocess
import sys
from pathlib import Path

from local_sagemaker.processes.images import ImageMap
from local_sagemaker.processes.leftovers import MARKER, RECORD, start_time
from local_sagemaker.transform.job import TransformRuntime


class NoStore:
    """Nothing is read or written."""

    def list(self, bucket: str, prefix: str) -> list[str]:
        raise AssertionError

    def download(self, bucket: str, key: str, path: Path) -> None:
        raise AssertionError

    def content_type(self, bucket: str, key: str) -> str | None:
        return None

    def upload(self, path: Path, bucket: str, key: str, content_type: str | None = None) -> None:
        raise AssertionError


def test_what_a_killed_server_left_is_ended_and_deleted_but_the_log(tmp_path: Path) -> None:
    job, token = tmp_path / "jobs" / "one", "f" * 32
    (job / "transfer" / "input").mkdir(parents=True)
    (job / "algo-1" / "opt").mkdir(parents=True)
    (job / "output.log").write_text("said")
    code = "import time; print('runs', flush=True); time.sleep(60)"
    environment = {**os.environ, MARKER: token}
    sleeper = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
    assert sleeper.stdout is not None
    assert sleeper.stdout.readline() == b"runs\n"
    record = {"token": token, "pid": sleeper.pid, "started": start_time(sleeper.pid)}
    (job / "algo-1" / RECORD).write_text(json.dumps(record))
    TransformRuntime(tmp_path / "jobs", NoStore(), ImageMap(), {}, "rewrite").reap()
    assert sleeper.wait(30) != 0
    assert [path.name for path in job.iterdir()] == ["output.log"]
