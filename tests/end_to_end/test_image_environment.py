"""What is said where the image's environment cannot be had."""

import sys
from pathlib import Path

import pytest

from tests.end_to_end.image.environment import NoEnvironment, environment, find_python

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_an_unknown_image_is_named_with_those_that_there_are() -> None:
    with pytest.raises(NoEnvironment, match=r"The image 3\.0-9 is not known: choose IMAGE=3\.0-5 or IMAGE=3\.2-0"):
        environment("3.0-9")


def test_an_interpreter_of_another_version_or_none_is_named() -> None:
    assert find_python(HERE, sys.executable) == sys.executable
    with pytest.raises(NoEnvironment, match=rf"{HERE}, and the image has Python 2\.6: give IMAGE_PYTHON another"):
        find_python("2.6", sys.executable)
    with pytest.raises(NoEnvironment, match="/nowhere is not a Python that runs"):
        find_python("2.6", "/nowhere")


def test_where_there_is_no_python_of_the_image_it_is_said_and_pyenv_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    with pytest.raises(NoEnvironment, match=rf"There is no Python {HERE}, .*IMAGE_PYTHON=/path/to/python{HERE}"):
        find_python(HERE)
    shim = tmp_path / f"python{HERE}"  # as pyenv has it for a version that is not chosen
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    binaries = tmp_path / "versions" / f"{HERE}.1" / "bin"
    binaries.mkdir(parents=True)
    (binaries / f"python{HERE}").symlink_to(sys.executable)
    assert find_python(HERE) == str(binaries / f"python{HERE}")
