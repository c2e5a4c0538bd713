"""A backup of a running server is its state of one moment, and makes a state folder of it again."""

import io
import sqlite3
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.state.backup import backup, restore
from tests.local_sagemaker.conftest import FORMAT_1
from tests.local_sagemaker.state.filled import require_all, seen


def test_a_backup_of_a_running_server_is_restored_with_everything_in_it(
    new_server: Callable[[], Any], tmp_path: Path
) -> None:
    server, other = new_server(), new_server()
    with tarfile.open(FORMAT_1) as tar:
        tar.extractall(server.state, filter="data")
    server.up()
    expected = seen(server.client)
    backup(server.state, tmp_path / "backup.tar")
    restore(tmp_path / "backup.tar", other.state)
    other.up()
    require_all(other.client, expected)


def test_a_backup_under_load_holds_whole_objects_only(
    new_server: Callable[[], Any], tmp_path: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    server = new_server()
    server.up()
    server.client("s3").create_bucket(Bucket="busy")
    over = threading.Event()

    def write(name: str) -> None:
        s3, number = server.client("s3"), 0
        while not over.is_set():
            number += 1
            s3.put_object(Bucket="busy", Key=f"{name}{number % 7}", Body=str(number).encode() * 100)

    threads = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: "Contents" in server.client("s3").list_objects_v2(Bucket="busy"))
        for number in range(5):
            backup(server.state, tmp_path / f"{number}.tar")
    finally:
        over.set()
        for thread in threads:
            thread.join()
    for number in range(5):
        state = tmp_path / f"restored-{number}"
        restore(tmp_path / f"{number}.tar", state)
        with sqlite3.connect(state / "state.db") as connection:
            rows = connection.execute("SELECT blob, size FROM objects").fetchall()
        there = {file.name: file.stat().st_size for file in (state / "objects").iterdir()}
        assert there == dict(rows)
        assert rows


def test_nothing_is_left_in_the_state_of_a_backup(state: Path, tmp_path: Path) -> None:
    before = {file.name for file in state.iterdir()}
    backup(state, tmp_path / "backup.tar")
    assert {file.name for file in state.iterdir()} - {"state.db-wal", "state.db-shm"} == before  # SQLite's own
    assert sorted(file.name for file in tmp_path.iterdir()) == ["backup.tar", "state"]


def test_a_file_that_is_there_is_not_overwritten(state: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.tar").write_text("mine")
    with pytest.raises(LocalSageMakerError, match=r"mine.tar exists: choose another file"):
        backup(state, tmp_path / "mine.tar")
    assert (tmp_path / "mine.tar").read_text() == "mine"


def test_a_folder_without_a_state_is_not_backed_up(tmp_path: Path) -> None:
    with pytest.raises(LocalSageMakerError, match="no state of this version"):
        backup(tmp_path, tmp_path / "backup.tar")


def test_a_file_that_cannot_be_written_is_named(state: Path, tmp_path: Path) -> None:
    with pytest.raises(LocalSageMakerError, match=r"backup.tar could not be written \(No such file or directory\)"):
        backup(state, tmp_path / "missing/backup.tar")


def test_a_state_that_is_there_is_not_replaced(state: Path, tmp_path: Path) -> None:
    backup(state, tmp_path / "backup.tar")
    before = (state / "state.db").read_bytes()
    with pytest.raises(LocalSageMakerError, match="has a state already"):
        restore(tmp_path / "backup.tar", state)
    assert (state / "state.db").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"not a tar", None])
def test_what_is_no_backup_is_refused_and_leaves_nothing(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "file.tar"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(LocalSageMakerError, match=r"file\.tar"):
        restore(file, tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["lock"]


def test_a_backup_that_is_cut_off_is_refused_and_leaves_nothing(state: Path, tmp_path: Path) -> None:
    backup(state, tmp_path / "backup.tar")
    content = (tmp_path / "backup.tar").read_bytes()
    (tmp_path / "backup.tar").write_bytes(content[: len(content) // 2])
    with pytest.raises(LocalSageMakerError, match="nothing is restored"):
        restore(tmp_path / "backup.tar", tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["lock"]


def test_a_member_that_would_leave_the_folder_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        member = tarfile.TarInfo("../outside")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(LocalSageMakerError, match="nothing is restored"):
        restore(tmp_path / "evil.tar", tmp_path / "new")
    assert not (tmp_path / "outside").exists()


def test_a_state_that_lacks_bytes_is_not_backed_up_in_silence(state: Path, tmp_path: Path) -> None:
    blob = next(iter(sorted((state / "objects").iterdir())))
    blob.unlink()
    with pytest.raises(
        LocalSageMakerError, match=r"no bytes on the disk, or wrong ones: `local doctor` names them all"
    ):
        backup(state, tmp_path / "backup.tar")
    assert not (tmp_path / "backup.tar").exists()


def test_a_backup_that_was_cut_off_between_two_files_is_not_restored(state: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.tar", tmp_path / "cut.tar"
    backup(state, whole)
    with tarfile.open(whole) as tar, tarfile.open(cut, "w") as other:
        for member in tar.getmembers()[:6]:
            other.addfile(member, tar.extractfile(member) if member.isfile() else None)
    with pytest.raises(LocalSageMakerError, match=r"is incomplete: .* no bytes in it\. Nothing is restored"):
        restore(cut, tmp_path / "other")
    assert not (tmp_path / "other/state.db").exists()


def test_a_backup_with_an_empty_database_is_not_restored(tmp_path: Path) -> None:
    empty = tmp_path / "empty.tar"
    (tmp_path / "state.db").touch()
    (tmp_path / "objects").mkdir()
    with tarfile.open(empty, "w") as tar:
        for name in ("state.db", "objects"):
            tar.add(tmp_path / name, name)
    with pytest.raises(LocalSageMakerError, match=r"its state\.db is empty"):
        restore(empty, tmp_path / "other")
