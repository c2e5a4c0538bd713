"""A database with damaged pages: all that lies on the others goes on, and the old one is kept."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.state.database import Database
from local_sagemaker.state.salvage import clear_the_way, repaired, sqlite_fault

PAGE = 4096
RECORDS, OBJECTS = 300, 300


@pytest.fixture(name="path")
def path_fixture(tmp_path: Path) -> Path:
    """A database of many pages, and a file for each of its objects."""
    database = Database(tmp_path / "state.db")
    (tmp_path / "objects").mkdir()
    with database.lock:
        for number in range(RECORDS):
            document = '{"text": "' + "x" * 500 + '"}'
            database.execute(
                "INSERT INTO records (kind, name, document) VALUES ('k', ?, ?)", (f"n{number:04d}", document)
            )
        for number in range(OBJECTS):
            blob = f"blob{number:04d}"
            (tmp_path / "objects" / blob).write_bytes(b"x")
            database.execute(
                "INSERT INTO objects (bucket, key, latest, number, marker, version, modified, size, blob, document) "
                "VALUES ('b', ?, 1, 1, 0, 'null', '2026-11-27T00:00:00', 1, ?, ?)",
                (f"k{number:04d}", blob, "{}" + " " * 300),
            )
    database.close()
    return tmp_path / "state.db"


def overwrite(path: Path, page: int) -> None:
    with path.open("r+b") as stream:
        stream.seek(page * PAGE)
        stream.write(Random(page).randbytes(PAGE))


def pages_of(path: Path, table: str) -> list[int]:
    """The pages, counted from 0, that hold rows of a table, found by what the rows say."""
    content, word = path.read_bytes(), {"records": b"x" * 500, "objects": b"blob"}[table]
    return [page for page in range(1, len(content) // PAGE) if content[page * PAGE : (page + 1) * PAGE].count(word) > 3]


def select(path: Path, statement: str) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute(statement)}


def test_a_whole_database_is_left_alone(path: Path) -> None:
    before = path.stat()
    assert repaired(path) == path
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_size) == (before.st_ino, before.st_mtime_ns, before.st_size)
    assert not (path.parent / "damaged").exists()


@pytest.mark.parametrize("where", [0, 0.5, 0.99])
def test_a_damaged_page_of_records_costs_its_rows_alone_and_they_are_named(path: Path, where: float) -> None:
    pages = pages_of(path, "records")
    before = select(path, "SELECT name FROM records")
    overwrite(path, pages[int(len(pages) * where)])
    repaired(path)
    assert sqlite_fault(path) is None
    left = select(path, "SELECT name FROM records")
    assert 0 < len(before - left) < 20
    named = select(path, "SELECT name FROM damaged")
    assert {f"the k {name}" for name in before - left} <= named
    assert "state.db" in named
    assert len(select(path, "SELECT key FROM objects")) == OBJECTS


def test_two_damaged_pages_cost_no_row_between_them(path: Path) -> None:
    pages = pages_of(path, "records")
    before = select(path, "SELECT name FROM records")
    for page in (pages[len(pages) // 3], pages[2 * len(pages) // 3]):
        overwrite(path, page)
    repaired(path)
    assert len(before - select(path, "SELECT name FROM records")) < 40


def test_the_bytes_of_objects_whose_rows_are_lost_are_kept_with_the_old_database(path: Path) -> None:
    pages = pages_of(path, "objects")
    overwrite(path, pages[len(pages) // 2])
    repaired(path)
    left = select(path, "SELECT blob FROM objects")
    assert 0 < OBJECTS - len(left) < 40
    [kept] = (path.parent / "damaged").iterdir()
    assert (kept / "state.db").exists()
    assert {file.name for file in (kept / "objects").iterdir()} == {
        f"blob{number:04d}" for number in range(OBJECTS)
    } - left
    assert {file.name for file in (path.parent / "objects").iterdir()} == left


def test_a_database_that_was_cut_off_gives_what_lies_before_the_cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)
    repaired(path)
    assert len(select(path, "SELECT name FROM records")) > RECORDS // 3
    assert sorted(file.name for file in path.parent.iterdir()) == ["damaged", "objects", "state.db"]


@pytest.mark.parametrize("size", [PAGE, 100])
def test_a_database_of_which_nothing_can_be_read_is_refused_untouched(path: Path, size: int) -> None:
    os.truncate(path, size)
    before = path.read_bytes()
    with pytest.raises(LocalSageMakerError, match=r"is damaged .*nothing in it can be read: put it back from a copy"):
        repaired(path)
    assert path.read_bytes() == before
    there = {file.name for file in path.parent.iterdir()}
    assert there - {"state.db-wal", "state.db-shm"} == {"objects", "state.db"}  # SQLite's own, and empty


def test_a_file_where_a_folder_must_be_is_moved_away(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("x")
    (tmp_path / "objects").mkdir()
    clear_the_way(tmp_path, ("jobs", "objects", "endpoints"))
    [kept] = (tmp_path / "damaged").iterdir()
    assert (kept / "jobs").read_text() == "x"
    assert (tmp_path / "objects").is_dir()
