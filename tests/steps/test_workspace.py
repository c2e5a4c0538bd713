"""Linear algebra has its memory from the beginning: a job whose memory is used up ends with a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MULTIPLIES = """
from pathlib import Path
from steps import machine
from steps.failure import run_job
machine.CONTAINER_LIMITS = (Path("{path}"),)
def main(arguments):
    kept = []
    try:
        while True:
            kept.append(b"1" * (1 << 20))
    except MemoryError:
        del kept[-8:]
    import numpy as np
    from scipy.linalg import lu_factor
    lu_factor(np.ones((400, 400)) @ np.ones((400, 400)))
    print("multiplied", flush=True)
    kept.append(b"1" * (1 << 28))
run_job(main)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")
def test_a_job_whose_memory_is_used_up_still_multiplies_and_then_ends(tmp_path: Path) -> None:
    path = tmp_path / "memory.max"
    path.write_text(str(300 * 10**6))
    script = MULTIPLIES.format(path=path)
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stdout) == (1, "multiplied\n"), found.stderr
    assert "error: The job needs more memory than this machine has, 0.3 GB" in found.stderr
