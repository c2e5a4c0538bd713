"""A state folder that has lost its database keeps the bytes of its objects."""

import sqlite3
from pathlib import Path

import pytest

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.state.database import Database
from local_sagemaker.state.lost_database import refuse_lost_database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state folder with a database and the bytes of an object."""
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects/0a1b").write_bytes(b"years of work")
    Database(tmp_path / "state.db").close()
    return tmp_path


def test_a_folder_with_its_database_passes_and_so_does_one_without_objects(folder: Path) -> None:
    refuse_lost_database(folder)
    (folder / "state.db").unlink()
    (folder / "objects/0a1b").unlink()
    refuse_lost_database(folder)


def test_a_missing_database_is_refused(folder: Path) -> None:
    (folder / "state.db").unlink()
    (folder / "state.db-wal").write_bytes(b"what was answered last")
    with pytest.raises(LocalSageMakerError, match=r"is missing.* keeps the bytes of objects \(1\): put state\.db back"):
        refuse_lost_database(folder)
    assert sorted(path.name for path in folder.rglob("*")) == ["0a1b", "objects", "state.db-wal"]


def test_an_empty_database_is_refused(folder: Path) -> None:
    (folder / "state.db").write_bytes(b"")
    with pytest.raises(LocalSageMakerError, match=r"state\.db is empty"):
        refuse_lost_database(folder)


def test_a_database_without_tables_is_refused(folder: Path) -> None:
    (folder / "state.db").unlink()
    with sqlite3.connect(folder / "state.db") as connection:
        connection.execute("CREATE TABLE other (name TEXT)")
    connection.close()
    with pytest.raises(LocalSageMakerError, match="has no tables"):
        refuse_lost_database(folder)


def test_what_is_not_a_database_is_refused_and_not_overwritten(folder: Path) -> None:
    (folder / "state.db").write_bytes(b"garbage" * 1000)
    with pytest.raises(LocalSageMakerError, match="cannot be read"):
        refuse_lost_database(folder)
    assert (folder / "state.db").read_bytes() == b"garbage" * 1000
