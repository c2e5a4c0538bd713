"""Whose a state folder is."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from local_sagemaker.configuration import LOCK
from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.state.lock import DATABASE, folder_check, lock_folder


@pytest.mark.e2e
def test_a_state_folder_has_one_server_at_a_time(tmp_path: Path) -> None:
    held = lock_folder(tmp_path, 5599)
    with pytest.raises(
        LocalSageMakerError,
        match=r"by another local SageMaker \(process \d+, SAGEMAKER_LOCAL_PORT=5599\): stop it with `local down`",
    ):
        lock_folder(tmp_path, 5599)
    assert json.loads(os.pread(held, 100, 0)) == {"pid": os.getpid(), "port": 5599}


def replace(file: Path) -> None:
    copy = file.with_suffix(".copy")
    copy.write_bytes(file.read_bytes())
    copy.replace(file)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda folder: (folder / "another").touch(), True),
        (lambda folder: (folder / DATABASE).write_bytes(b"more"), True),
        (lambda folder: folder.rename(folder.with_name("away")), False),
        (lambda folder: (folder / LOCK).unlink(), False),
        (lambda folder: (folder / DATABASE).unlink(), False),
        (lambda folder: replace(folder / LOCK), False),
        (lambda folder: replace(folder / DATABASE), False),
    ],
)
def test_a_folder_is_the_same_as_long_as_its_lock_and_its_database_are(
    tmp_path: Path, change: Callable[[Path], object], same: bool
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / DATABASE).touch()
    is_the_same = folder_check(folder, lock_folder(folder, 5599))
    assert is_the_same()
    change(folder)
    assert is_the_same() == same


def test_a_folder_that_was_swapped_while_it_was_being_opened_is_not_taken_for_the_locked_one(tmp_path: Path) -> None:
    (tmp_path / DATABASE).touch()
    held = lock_folder(tmp_path, 5599)
    replace(tmp_path / LOCK)
    assert not folder_check(tmp_path, held)()


def test_a_folder_whose_objects_were_removed_is_another_one(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    (tmp_path / DATABASE).touch()
    is_the_same = folder_check(tmp_path, lock_folder(tmp_path, 5599))
    assert is_the_same()
    (tmp_path / "objects").rmdir()
    assert not is_the_same()
    (tmp_path / "other").mkdir()
    (tmp_path / "objects").mkdir()
    assert not is_the_same()
