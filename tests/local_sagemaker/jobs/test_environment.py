"""A job's variables and its interpreter."""

import subprocess
import sys
from pathlib import Path

import pytest

from local_sagemaker.jobs.environment import clean_environment, python_folder, with_interpreter
from local_sagemaker.jobs.images import Runtime
from local_sagemaker.jobs.isolation import PrivateFolder

CURRENT = Runtime((sys.executable,))


def test_later_layers_win_and_threads_are_limited(tmp_path: Path) -> None:
    private = PrivateFolder(tmp_path, "mount")
    made = clean_environment(private, CURRENT, 3, [{"A": "1", "B": "1"}, {"B": "2", "MKL_NUM_THREADS": "9"}])
    assert (made["A"], made["B"]) == ("1", "2")
    assert (made["OMP_NUM_THREADS"], made["OPENBLAS_NUM_THREADS"], made["MKL_NUM_THREADS"]) == ("3", "3", "9")


def test_a_runtime_without_python_in_its_folder_gets_both_names(tmp_path: Path) -> None:
    private = PrivateFolder(tmp_path / "it's here", "mount")
    folder = python_folder(private, Runtime(("/usr/bin/env", sys.executable)))
    for name in ("python", "python3"):
        shown = subprocess.run([folder / name, "-c", "print('a b')"], capture_output=True, text=True, check=True)
        assert shown.stdout == "a b\n"


@pytest.mark.parametrize("name", ["python", "python3", "python3.10", "/usr/bin/python3", "/miniconda3/bin/python"])
def test_python_in_a_command_is_the_runtime_s(name: str) -> None:
    assert with_interpreter([name, "-m", "x"], CURRENT) == [sys.executable, "-m", "x"]


@pytest.mark.parametrize("name", ["bash", "/bin/sh", "pythonic", "/opt/python/run"])
def test_other_commands_stay(name: str) -> None:
    assert with_interpreter([name, "x"], CURRENT) == [name, "x"]
