"""A job's variables and its interpreter."""

import logging
import sys
from pathlib import Path

import pytest

from local_sagemaker.processes.environment import clean_environment, network_environment, with_interpreter
from local_sagemaker.processes.isolation import PrivateFolder
from local_sagemaker.processes.overlay import Overlay

CURRENT = Overlay((sys.executable,), True, ("/first",), {"VIRTUAL_ENV": "/its"})


def test_later_layers_win_and_threads_are_limited(tmp_path: Path) -> None:
    private = PrivateFolder(tmp_path, "mount")
    made = clean_environment(private, CURRENT, 3, [{"A": "1", "B": "1"}, {"B": "2", "MKL_NUM_THREADS": "9"}])
    assert (made["A"], made["B"]) == ("1", "2")
    assert (made["OMP_NUM_THREADS"], made["OPENBLAS_NUM_THREADS"], made["MKL_NUM_THREADS"]) == ("3", "3", "9")
    assert int(made["GOMP_SPINCOUNT"]) < 10_000
    assert made["PATH"].startswith("/first:")
    assert made["VIRTUAL_ENV"] == "/its"


def test_jobs_are_told_of_the_package_index_and_not_of_where_the_caller_installs() -> None:
    caller = {"PIP_INDEX_URL": "https://index", "PIP_TARGET": "/mine", "AWS_SECRET_ACCESS_KEY": "s", "HOME": "h"}
    assert network_environment(caller) == {"PIP_INDEX_URL": "https://index"}


def test_with_a_proxy_this_machine_is_reached_directly() -> None:
    made = network_environment({"https_proxy": "http://proxy:3128", "no_proxy": "intern"})
    assert made["NO_PROXY"] == made["no_proxy"] == "intern,127.0.0.1,localhost"


@pytest.mark.parametrize("value", ["https://me:token@index/simple", "https://token@index", "me:secret@proxy:3128"])
def test_an_address_with_credentials_stays_with_the_caller(value: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert network_environment({"PIP_EXTRA_INDEX_URL": value}) == {}
    assert "PIP_EXTRA_INDEX_URL is not passed to jobs" in caplog.text
    assert value not in caplog.text


@pytest.mark.parametrize("name", ["python", "python3", "python3.10", "/usr/bin/python3", "/miniconda3/bin/python"])
def test_python_in_a_command_is_the_runtime_s(name: str) -> None:
    assert with_interpreter([name, "-m", "x"], CURRENT) == [sys.executable, "-m", "x"]


@pytest.mark.parametrize("name", ["bash", "/bin/sh", "pythonic", "/opt/python/run"])
def test_other_commands_stay(name: str) -> None:
    assert with_interpreter([name, "x"], CURRENT) == [name, "x"]
