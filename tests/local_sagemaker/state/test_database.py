"""One writer, readers that wait for nobody, and what is committed is on the disk."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_sagemaker.state.database import IDLE_READERS, Database

COUNT = "SELECT count(*) FROM records"
INSERT = "INSERT INTO records (kind, name, document) VALUES ('k', 'n', '{}')"


@pytest.fixture(name="database")
def database_fixture(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "state.db")
    yield database
    database.close()


def test_what_is_committed_is_synced_to_the_disk(database: Database) -> None:
    full = 2  # https://sqlite.org/pragma.html#pragma_synchronous
    assert database.select("PRAGMA synchronous") == [(full,)]


def test_a_reader_sees_what_is_committed_and_does_not_wait_for_the_rest(database: Database) -> None:
    with database.reader() as reader:
        with database.lock:
            assert database.execute(INSERT) == 1
            assert database.select(COUNT) == [(1,)]
            assert reader.execute(COUNT).fetchone() == (0,)
        assert reader.execute(COUNT).fetchone() == (1,)


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def write_and_fail() -> None:
        with database.lock:
            assert database.held
            with database.lock:
                database.execute(INSERT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert not database.held
    assert database.select(COUNT) == [(0,)]


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"), database.reader() as reader:
        reader.execute(INSERT)


def test_no_more_readers_are_kept_than_are_of_use(database: Database) -> None:
    readers = [database.reader() for _ in range(IDLE_READERS + 3)]
    for reader in readers:
        reader.__enter__().execute(COUNT)
    for reader in readers:
        reader.__exit__(None, None, None)
    assert len(database._idle) == IDLE_READERS


def test_a_byte_that_a_disk_has_changed_makes_no_other_row_unreadable(database: Database) -> None:
    database.execute("INSERT INTO records (kind, name, document) VALUES ('k', 'whole', '{}')")
    database.execute("INSERT INTO records (kind, name, document) VALUES ('k', 'odd', CAST(x'7b22ff227d' AS TEXT))")
    found = database.select("SELECT document FROM records ORDER BY number")
    assert found == [("{}",), ('{"\udcff"}',)]
