"""A failing job says one sentence where SageMaker reads it, and ends with 1."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from steps.failure import MAXIMUM_LENGTH, did_you_mean, listed

SCRIPT = """
from steps.failure import JobArgumentParser, JobError, run_job
def main(arguments):
    parser = JobArgumentParser(prog="job")
    parser.add_argument("--rows", type=int, default=0)
    rows = parser.parse_args(arguments).rows
    if rows == 1: raise JobError("One row is too few: give two.")
    if rows == 2: raise ZeroDivisionError("unforeseen")
    if rows == 3: raise JobError("x" * 5000)
    if rows == 4: bytearray(1 << 46)
    if rows == 5: open("/dev/full", "w").write("x" * 100_000)
    if rows == 6:
        try: open("/dev/full", "w").write("x" * 100_000)
        except OSError as error: raise JobError("The model cannot be unpacked.") from error
run_job(main)
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "ml").mkdir(exist_ok=True)
    environment = {**os.environ, "SM_OUTPUT_DIR": str(folder / "ml" / "output")}
    command = [sys.executable, "-c", SCRIPT, *arguments]
    root = Path(__file__).parents[2]
    return subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)


def test_success_leaves_no_message(tmp_path: Path) -> None:
    assert run(tmp_path).returncode == 0
    assert not (tmp_path / "ml" / "output").exists()


@pytest.mark.parametrize("name", ["message", "failure"])
def test_expected_failure_is_one_sentence_without_a_traceback(tmp_path: Path, name: str) -> None:
    result = run(tmp_path, "--rows", "1")
    assert result.returncode == 1
    assert result.stderr == "error: One row is too few: give two.\n"
    assert (tmp_path / "ml" / "output" / name).read_text() == "One row is too few: give two."


def test_unexpected_failure_names_its_type_and_keeps_the_traceback(tmp_path: Path) -> None:
    result = run(tmp_path, "--rows", "2")
    assert result.returncode == 1
    assert "Traceback" in result.stderr
    assert (tmp_path / "ml" / "output" / "failure").read_text() == "ZeroDivisionError: unforeseen"


def test_wrong_argument_is_a_failure_like_any_other(tmp_path: Path) -> None:
    assert run(tmp_path, "--rows", "many").returncode == 1
    assert "--rows" in (tmp_path / "ml" / "output" / "message").read_text()


def test_message_keeps_to_the_length_that_sagemaker_keeps(tmp_path: Path) -> None:
    run(tmp_path, "--rows", "3")
    assert len((tmp_path / "ml" / "output" / "message").read_text()) == MAXIMUM_LENGTH


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /dev/full, and limits of memory that hold")
@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("4", "The job needs more memory than this machine has"),
        ("5", "The disk is full: raise volume_gb"),
        ("6", "The disk is full: raise volume_gb"),
    ],
)
def test_memory_or_disk_that_is_used_up_is_said(tmp_path: Path, rows: str, words: str) -> None:
    result = run(tmp_path, "--rows", rows)
    assert result.returncode == 1
    assert (tmp_path / "ml" / "output" / "failure").read_text().startswith(words)


def test_hints() -> None:
    assert did_you_mean("bedroms", ["bedrooms", "floors"]) == "; did you mean bedrooms?"
    assert did_you_mean("xyz", ["bedrooms"]) == ""
    assert listed(["a", "b", "c"]) == "a, b and c"
