"""What holds in every process of a job as soon as its package is imported."""

import subprocess
import sys

import pytest

THREADS_OF_BLAS = """
import {module}
from threadpoolctl import threadpool_info
print({{each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}})
"""


@pytest.mark.parametrize("module", ["steps.preprocess", "evaluation.evaluate", "monitoring.observe"])
def test_blas_has_one_thread_on_any_number_of_cores(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    command = [sys.executable, "-c", THREADS_OF_BLAS.format(module=module)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "{1}\n", done.stderr
