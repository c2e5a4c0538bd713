"""Compiling is pure: no network, and the same bytes wherever, whenever and by whomever it is done."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.definition.check import check
from pipelines.settings.settings import ROOT

pytestmark = pytest.mark.e2e

# Audit events cannot be escaped by a library, and what it does with the exception does not matter: they are counted.
GUARD = """
import os, sys
home, seen = os.path.realpath(os.environ["HOME"]) + os.sep, []
def guard(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request"):
        seen.append((event, arguments))
        raise OSError(f"a network call: {arguments}")
    if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], (str, bytes)):
        if (os.path.realpath(os.fsdecode(arguments[0])) + os.sep).startswith(home):
            seen.append((event, arguments))
            raise PermissionError(f"the home directory: {arguments}")
sys.addaudithook(guard)
"""
# Another time: the clock that Python's libraries ask is two years ahead, and every call an hour later than the last.
LATER = """
import itertools, time
hours, real = itertools.count(20_000), time.time
time.time = lambda: real() + 3600 * next(hours)
"""
COMPILE = """
from run_pipeline import main
code = main(["definition"])
sys.exit(code or (f"not pure: {seen}" if seen else 0))
"""


def compiled(root: Path, prelude: str = "", **variables: str) -> bytes:
    """The definition as a process of its own prints it, which may reach neither the network nor the home directory."""
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **variables}
    command = [sys.executable, "-c", GUARD + prelude + COMPILE]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True)
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
    someone = {"USER": "someone", "LOGNAME": "someone", "AWS_PROFILE": "nowhere", "LANG": "C", "TZ": "Pacific/Auckland"}
    again = compiled(checkout(tmp_path), LATER, HOME=str(home), PYTHONHASHSEED="2", **someone)
    assert again == reference


def test_the_guard_of_these_tests_sees_what_it_should(tmp_path: Path) -> None:
    for wrong in ("open(os.environ['HOME'] + '/x')", "import socket; socket.create_connection(('127.0.0.1', 9))"):
        prelude = f"try:\n    {wrong}\nexcept OSError: sys.exit(f'not pure: {{seen}}' if seen else 0)\n"
        with pytest.raises(AssertionError, match="not pure"):
            compiled(ROOT, prelude, HOME=str(tmp_path))


def test_an_upsert_deploys_just_these_bytes(server: Any, warm: str, tmp_path: Path, reference: bytes) -> None:
    chosen = {name: server.environment[name] for name in ("SAGEMAKER_LOCAL_PORT", "SAGEMAKER_LOCAL_STATE")}
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **chosen}
    subprocess.run([warm, "run_pipeline.py", "--local", "upsert"], cwd=ROOT, env=environment, check=True)
    found = server.client("sagemaker").describe_pipeline(PipelineName="house-prices-training")
    assert found["PipelineDefinition"].encode() == reference.removesuffix(b"\n")


def test_nothing_configured_is_said_on_the_error_output(warm: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [warm, "run_pipeline.py", "definition", "--output", str(tmp_path / "definition.json")],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert done.stdout == ""
    assert "SAGEMAKER_ROLE_ARN, SAGEMAKER_BUCKET not set" in done.stderr
    assert len([line for line in done.stderr.splitlines() if not line.endswith(": working ...")]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["definition.json"]


def test_local_sagemaker_finds_no_fault_in_what_is_compiled(reference: bytes) -> None:
    assert check(reference.decode()) == []
