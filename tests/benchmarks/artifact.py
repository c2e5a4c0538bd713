"""Speed of what comes before anything runs: compile, check and plan, against the bare import of the SDK."""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMPORT = [sys.executable, "-c", "import sagemaker.mlops.workflow"]
Line = tuple[str, float, float, float]  # name, seconds, the reference's seconds, the most that their ratio may be


def artifact_rows(folder: Path) -> list[Line]:
    """Rows for the table; `folder` takes the state of a local SageMaker, which runs only while this measures."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = {"SAGEMAKER_LOCAL_PORT": port, "SAGEMAKER_LOCAL_STATE": str(folder / "artifact")}
    _run("local", "up", **environment)
    try:
        return _rows(environment)
    finally:
        _run("local", "down", **environment)


def _rows(environment: dict[str, str]) -> list[Line]:
    bare = statistics.median(_seconds(IMPORT, AWS_DEFAULT_REGION="us-east-1") for _ in range(3))
    new, known = [], []
    for _ in range(3):
        shutil.rmtree(ROOT / "build" / "definitions", ignore_errors=True)
        new.append(_plan(environment))
        known.append(_plan(environment))
    checks = [json.loads(_run("check", "--json"))["seconds"] for _ in range(3)]
    return [
        ("plan of a definition that is new / the same import", statistics.median(new), bare, 2.0),
        ("plan of one that was compiled before / the same import", statistics.median(known), bare, 1.0),
        ("check, after the compile / the same import", statistics.median(checks), bare, 0.06),
    ]


def _plan(environment: dict[str, str]) -> float:
    return _seconds([sys.executable, "run_pipeline.py", "--local", "plan"], allowed=(0, 2), **environment)


def _seconds(command: list[str], allowed: tuple[int, ...] = (0,), **environment: str) -> float:
    start = time.perf_counter()
    _checked(command, allowed, environment)
    return time.perf_counter() - start


def _run(*arguments: str, **environment: str) -> str:
    return _checked([sys.executable, "run_pipeline.py", *arguments], (0,), environment)


def _checked(command: list[str], allowed: tuple[int, ...], environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode not in allowed:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
