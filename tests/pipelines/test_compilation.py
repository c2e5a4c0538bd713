"""Compiling is pure: no network, and the same bytes wherever, whenever and by whomever it is done."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.settings import ROOT

pytestmark = pytest.mark.e2e

NO_NETWORK = """
import socket
def refuse(*arguments, **options):
    raise AssertionError(f"a network call: {arguments}")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""
COMPILE = """
import sys
from run_pipeline import main
sys.exit(main(["definition"]))
"""


def compiled(root: Path, *prefix: str, **variables: str) -> bytes:
    """The definition as a process of its own prints it."""
    environment = {"PATH": os.environ["PATH"], **variables}
    done = subprocess.run(
        [*prefix, sys.executable, "-c", NO_NETWORK + COMPILE], cwd=root, env=environment, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture(scope="module")
def reference() -> bytes:
    return compiled(ROOT, HOME="/nonexistent", PYTHONHASHSEED="1")


def checkout(tmp_path: Path) -> Path:
    """The working tree in another place, with its history."""
    copy = tmp_path / "another" / "place"
    ignored = shutil.ignore_patterns(".venv", ".sagemaker", "data", "reports", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, copy, ignore=ignored)
    return copy


def test_the_bytes_do_not_depend_on_the_place_the_user_the_time_or_the_hash_seed(
    tmp_path: Path, reference: bytes
) -> None:
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "config").write_text("[default]\nregion = eu-central-1\n")
    (home / ".config" / "sagemaker").mkdir(parents=True)
    (home / ".config" / "sagemaker" / "config.yaml").write_text("this: [is not valid")
    again = compiled(
        checkout(tmp_path), HOME=str(home), PYTHONHASHSEED="2", TZ="Pacific/Auckland", USER="someone", LANG="C"
    )
    assert again == reference


def test_a_profile_of_the_user_changes_nothing(reference: bytes) -> None:
    assert compiled(ROOT, AWS_PROFILE="nowhere", HOME="/nonexistent") == reference


def test_nothing_configured_is_said_on_the_error_output(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "run_pipeline.py", "definition", "--output", str(tmp_path / "definition.json")],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert done.stdout == ""
    assert "SAGEMAKER_ROLE_ARN, SAGEMAKER_BUCKET not set" in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["definition.json"]
