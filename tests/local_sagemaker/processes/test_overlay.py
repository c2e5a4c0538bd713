"""A job's own Python environment: it sees the runtime's packages and cannot change them."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from local_sagemaker.processes.images import Runtime
from local_sagemaker.processes.overlay import Overlay, inspect, make_overlay
from tests.local_sagemaker.jobs.wheels import make_wheel

CURRENT = Runtime((sys.executable,))


def run(overlay: Overlay, *command: str, **variables: str) -> str:
    """What a command prints that runs with an overlay."""
    environment = {"PATH": ":".join([*overlay.path, "/usr/bin:/bin"]), **overlay.variables, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def files(folder: Path) -> dict[str, int]:
    """Every file below a folder and when it was changed."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {str(path): path.stat().st_mtime_ns for path in found}


@pytest.mark.e2e
@pytest.mark.parametrize("name", ["python", "python3", f"python3.{sys.version_info.minor}"])
def test_every_name_of_python_is_the_job_s_and_sees_the_runtime_s_packages(tmp_path: Path, name: str) -> None:
    overlay = make_overlay(tmp_path / "it's here", CURRENT)
    shown = run(overlay, name, "-c", "import pytest, sys; print(sys.prefix, pytest.__file__)")
    assert shown == f"{tmp_path / 'it'}'s here {pytest.__file__}\n"


@pytest.mark.e2e
def test_what_pip_installs_and_uninstalls_never_touches_the_runtime(tmp_path: Path) -> None:
    """The runtime is a virtual environment with tiny-thing 1.0; the job upgrades, then removes it."""
    venv.create(tmp_path / "runtime", with_pip=True)
    python = tmp_path / "runtime" / "bin" / "python"
    old, new = make_wheel(tmp_path, "1.0"), make_wheel(tmp_path, "2.0")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-index", old], check=True)
    before = files(tmp_path / "runtime")
    overlay = make_overlay(tmp_path / "job", Runtime((str(python),)))
    quiet = {"PIP_NO_INDEX": "1", "HOME": str(tmp_path)}
    assert run(overlay, "python3", "-c", "import tiny_thing") == "1.0\n"
    run(overlay, "pip", "install", str(new), **quiet)
    assert run(overlay, "python3", "-c", "import tiny_thing") == "2.0\n"
    run(overlay, "pip3", "uninstall", "--yes", "tiny-thing", **quiet)
    run(overlay, "python", "-m", "pip", "uninstall", "--yes", "tiny-thing", "typing", **quiet)
    assert run(overlay, "python3", "-c", "import tiny_thing") == "1.0\n"
    assert files(tmp_path / "runtime") == before


@pytest.mark.e2e
def test_a_runtime_without_pip_gets_the_one_of_its_standard_library(tmp_path: Path) -> None:
    venv.create(tmp_path / "runtime")  # as uv makes them
    overlay = make_overlay(tmp_path / "job", Runtime((str(tmp_path / "runtime" / "bin" / "python"),)))
    run(overlay, "pip", "install", str(make_wheel(tmp_path, "1.0")), PIP_NO_INDEX="1", HOME=str(tmp_path))
    assert run(overlay, "python", "-c", "import tiny_thing") == "1.0\n"


def test_a_script_that_starts_a_python_stays_what_starts_it(tmp_path: Path) -> None:
    script = tmp_path / "python of mine"
    script.write_text(f'#!/bin/sh\nMARK=mine exec {sys.executable} "$@"\n')
    script.chmod(0o755)
    assert inspect((str(script),)) is None
    overlay = make_overlay(tmp_path / "job", Runtime((str(script),)))
    assert run(overlay, "python3", "-c", "import os; print(os.environ['MARK'])") == "mine\n"


def test_a_command_of_several_words_has_both_names(tmp_path: Path) -> None:
    overlay = make_overlay(tmp_path / "it's here", Runtime(("/usr/bin/env", sys.executable)))
    for name in ("python", "python3"):
        assert run(overlay, name, "-c", "print('a b')") == "a b\n"
    assert os.path.basename(overlay.path[0]) == "it's here"
