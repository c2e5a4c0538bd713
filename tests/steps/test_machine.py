"""A job may have what its machine or container has, and says in one sentence when that is used up."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from steps import machine
from steps.machine import used_up

ROOT = Path(__file__).parents[2]
HUNGRY = """
from pathlib import Path
from steps import machine
from steps.failure import run_job
machine.CONTAINER_LIMITS = (Path("{path}"),)
def main(arguments):
    kept = [b"1" * (1 << 20) for _ in range({megabytes})]
    print(len(kept))
run_job(main)
"""


def test_the_smaller_of_machine_and_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [tmp_path / "none", tmp_path / "unlimited", tmp_path / "limited"]
    limits[1].write_text("max\n")
    limits[2].write_text("1000000\n")
    monkeypatch.setattr(machine, "CONTAINER_LIMITS", limits[:2])
    assert machine.memory() > 10**8
    monkeypatch.setattr(machine, "CONTAINER_LIMITS", limits)
    assert machine.memory() == 10**6


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")
@pytest.mark.parametrize(("megabytes", "code"), [(20, 0), (400, 1)])
def test_the_job_says_it_before_the_kernel_kills(tmp_path: Path, megabytes: int, code: int) -> None:
    path = tmp_path / "memory.max"
    path.write_text(str(300 * 10**6))
    script = HUNGRY.format(path=path, megabytes=megabytes)
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == code, found.stderr
    assert ("error: The job needs more memory than this machine has, 0.3 GB" in found.stderr) == bool(code)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")
def test_a_thread_for_which_there_is_no_memory_is_said_too() -> None:
    script = """
import threading
from resource import RLIMIT_DATA, setrlimit
from steps.failure import run_job
from steps.machine import _status
def main(arguments):
    limit = _status("VmData") + (1 << 20)  # less than a thread's stack
    setrlimit(RLIMIT_DATA, (limit, limit))
    threading.Thread(target=print).start()
run_job(main)
"""
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert "error: The job needs more memory than this machine has" in found.stderr


def test_other_errors_have_no_such_sentence() -> None:
    assert used_up(OSError(2, "no such file")) is None
    assert used_up(ValueError("wrong")) is None
    assert "more memory" in str(used_up(RuntimeError("std::bad_alloc")))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/out/rows.parquet"), "The disk is full (/out/rows.parquet)"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "The disk is full: raise volume_gb"),
        (RuntimeError("write error 28: No space left on device"), "The disk is full: raise volume_gb"),
    ],
)
def test_a_full_disk_is_known_however_a_library_tells_of_it(error: Exception, words: str) -> None:
    assert str(used_up(error)).startswith(words)
