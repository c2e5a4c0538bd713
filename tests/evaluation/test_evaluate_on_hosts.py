"""Evaluate on several hosts: the others predict for the first, which writes what one host writes."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path

import pytest

from evaluation.champion import ARCHIVE, MARKER
from evaluation.evaluate import Inputs
from tests.evaluation.test_evaluate import arguments
from tests.steps.hosts import Job, addresses

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has more loopback addresses than one"),
]
# Batches of 30 rows, of which the test rows are four; the host whose number is given dies when it is to predict.
JOB = """
import os, signal, sys
from evaluation import evaluate, figures
from steps import row_source
from steps.failure import run_job

row_source.HELD = 30
figures.of_the_errors = lambda subject: [figures.predicted_against_actual(subject)]  # all take longer than the rest
figures.of_the_reasons = lambda _subject: []

def killed(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)

if os.environ.get("KILLED") == sys.argv[-1].split("/")[-2]:
    evaluate.Predicted.share = killed
run_job(evaluate.main)
"""


def start(inputs: Inputs, archive_folder: Path, folder: Path, count: int, killed: int = 0) -> Job:
    job = Job(folder, addresses(count))
    for number, name in enumerate(job.names):
        (folder / name).mkdir(parents=True)
        words = arguments(inputs, archive_folder, folder / name / "files", min_improvement=-1.0, max_rmse_ratio=9.0)
        job.begin(name, ["-c", JOB, *words], KILLED=name if killed and number == killed else "")
    return job


@pytest.fixture
def champion(inputs: Inputs, archive_folder: Path) -> None:
    """The model itself is the champion."""
    (inputs.champion / MARKER).unlink()
    shutil.copy(archive_folder / ARCHIVE, inputs.champion / ARCHIVE)


@pytest.mark.journey
@pytest.mark.usefixtures("champion")
def test_the_first_of_several_hosts_writes_what_one_host_writes(
    inputs: Inputs, archive_folder: Path, tmp_path: Path
) -> None:
    written = []
    for count in (1, 3):
        job = start(inputs, archive_folder, tmp_path / str(count), count)
        first, *others = job.processes
        assert job.ended() == [0] * count, [job.log(name) for name in job.processes]
        folder = tmp_path / str(count) / first / "files"
        written.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()})
        assert "champion: scored" in job.log(first)
        for other in others:
            assert not (tmp_path / str(count) / other / "files").exists()
    assert len(written[0]) > 10
    assert written[0] == written[1]


def test_a_host_that_is_killed_ends_the_first_by_its_name(inputs: Inputs, archive_folder: Path, tmp_path: Path) -> None:
    job = start(inputs, archive_folder, tmp_path / "job", 2, killed=1)
    first, second = job.processes
    assert job.ended() == [1, -signal.SIGKILL]
    assert f"The host {second} ended" in (tmp_path / "job" / first / "output" / "message").read_text()
    assert not (tmp_path / "job" / first / "files").exists()
