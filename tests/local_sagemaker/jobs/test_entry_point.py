"""Which command runs a program, for each family and kind of program."""

from pathlib import Path

import pytest

from local_sagemaker.jobs.entry_point import command_of, is_command, module_of
from local_sagemaker.processes.image_families import family_of
from local_sagemaker.processes.outcome import ClientFault

XGBOOST, SCIKIT_LEARN = family_of("sagemaker-xgboost"), family_of("sagemaker-scikit-learn")
assert XGBOOST is not None
assert SCIKIT_LEARN is not None


def test_the_program_is_run_as_a_module() -> None:
    assert module_of("train.py") == module_of("train") == "train"
    assert module_of("steps.train") == "steps.train"


@pytest.mark.parametrize("program", ["train.py", "steps.train", "train.sh", "src/train.py"])
def test_sagemaker_containers_knows_modules_only(tmp_path: Path, program: str) -> None:
    command = command_of(XGBOOST, program, tmp_path, ["python"], ["--a", "1"])
    assert command == ["python", "-m", module_of(program), "--a", "1"]
    assert not is_command(XGBOOST, program, tmp_path)


@pytest.mark.parametrize(
    ("program", "has_package", "command"),
    [
        ("train.py", False, ["python", "train.py", "--a", "b c"]),
        ("src/train.py", False, ["python", "src/train.py", "--a", "b c"]),
        ("train.py", True, ["python", "-m", "train", "--a", "b c"]),
        ("steps.train", True, ["python", "-m", "steps.train", "--a", "b c"]),
        ("train.sh", False, ["/bin/sh", "-c", "./train.sh --a 'b c'"]),
        ("bin/train.sh", True, ["/bin/sh", "-c", "./bin/train.sh --a 'b c'"]),
        ("run", False, ["/bin/sh", "-c", "./run --a 'b c'"]),
    ],
)
def test_sagemaker_training_runs_scripts_packages_and_commands(
    tmp_path: Path, program: str, has_package: bool, command: list[str]
) -> None:
    if has_package:
        (tmp_path / "setup.py").touch()
    assert command_of(SCIKIT_LEARN, program, tmp_path, ["python"], ["--a", "b c"]) == command
    assert is_command(SCIKIT_LEARN, program, tmp_path) == (command[0] == "/bin/sh")


def test_a_command_is_made_executable(tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text("#!/bin/bash\n")
    command_of(SCIKIT_LEARN, "train.sh", tmp_path, ["python"], [])
    assert (tmp_path / "train.sh").stat().st_mode & 0o111


@pytest.mark.parametrize("program", ["../train.py", "/etc/train.sh", "-c", "a/./b.py", "a b.sh", "x;y.sh", ""])
def test_a_path_out_of_the_code_is_refused(tmp_path: Path, program: str) -> None:
    with pytest.raises(ClientFault, match="give sagemaker_program as a path inside the code"):
        command_of(SCIKIT_LEARN, program, tmp_path, ["python"], [])
