"""Preprocess on several hosts: the files of one host, each written once, and one reason where one of them fails."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steps.preprocess import main
from tests.steps.hosts import Job, addresses

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has more loopback addresses than one"),
]
JOB = ("-m", "steps.preprocess")
# The second host is killed when it begins to write.
KILLED = """
import os, signal, sys
from steps import preprocess
from steps.failure import run_job
from steps.hosts import hosts_of

def write_parts(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)

if hosts_of(preprocess.Path(sys.argv[-1])).number == 1:
    preprocess.write_parts = write_parts
run_job(preprocess.main)
"""


@pytest.fixture
def validated(rents: pd.DataFrame, tmp_path: Path) -> Path:
    """12,000 rows, whose training rows are three parts."""
    many = pd.concat([rents] * 20, ignore_index=True)
    random = np.random.default_rng(5)
    many["flat"] = [f"{number:05d}" for number in random.permutation(len(many))]
    many["area"] *= random.uniform(0.9, 1.1, len(many))
    (tmp_path / "validated").mkdir()
    many.to_parquet(tmp_path / "validated" / "data.parquet", index=False)
    return tmp_path / "validated"


def start(validated: Path, settings: Path, folder: Path, count: int, program: Sequence[str] = JOB) -> Job:
    job = Job(folder, addresses(count))
    for name in job.names:
        places = {"input": validated, "output": folder / name / "files", "settings": settings}
        job.begin(name, [*program, *(text for key, value in places.items() for text in (f"--{key}", str(value)))])
    return job


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("count", [2, pytest.param(6, marks=pytest.mark.journey)])
def test_the_files_of_all_hosts_are_those_of_one(
    validated: Path, settings_file: Path, tmp_path: Path, count: int
) -> None:
    """Of six, one has no part and no other file to write."""
    main(["--input", str(validated), "--output", str(tmp_path / "one"), "--settings", str(settings_file)])
    job = start(validated, settings_file, tmp_path / "job", count)
    assert job.ended() == [0] * count, [job.log(name) for name in job.processes]
    found = [files(tmp_path / "job" / name / "files") for name in job.processes]
    assert sum(map(len, found)) == len({path for each in found for path in each}), "two hosts wrote the same file"
    together = {path: content for each in found for path, content in each.items()}
    assert together == files(tmp_path / "one")
    assert sum("train: " in job.log(name) for name in job.processes) == 1
    assert found.count({}) == (count == 6)


def test_a_host_that_is_killed_ends_the_others_by_its_name(
    validated: Path, settings_file: Path, tmp_path: Path
) -> None:
    job = start(validated, settings_file, tmp_path / "job", 3, ("-c", KILLED))
    first, second, third = job.processes
    assert job.ended() == [1, -signal.SIGKILL, 1]
    reason = (tmp_path / "job" / first / "output" / "message").read_text()
    assert reason.startswith(f"The host {second} ended, or was silent for 60 s, before the step was done: see its log.")
    assert (tmp_path / "job" / third / "output" / "message").read_text() == reason


def test_what_every_host_finds_is_one_reason(settings_file: Path, rents_folder: Path, tmp_path: Path) -> None:
    (rents_folder / "rents.csv").rename(rents_folder / "data.parquet")
    job = start(rents_folder, settings_file, tmp_path / "job", 3)
    assert job.ended() == [1, 1, 1]
    (reason,) = set(job.reasons())
    assert "is not Parquet: run steps.validate first." in reason


def test_what_the_host_that_checks_refuses_is_one_reason(validated: Path, settings_file: Path, tmp_path: Path) -> None:
    """A column is the target."""
    rows = pd.read_parquet(validated / "data.parquet")
    rows.assign(area=rows["rent"]).to_parquet(validated / "data.parquet", index=False)
    job = start(validated, settings_file, tmp_path / "job", 2)
    assert job.ended() == [1, 1]
    (reason,) = set(job.reasons())
    assert reason.startswith(f"{list(job.processes)[1]}: ")
    assert "area" in reason
