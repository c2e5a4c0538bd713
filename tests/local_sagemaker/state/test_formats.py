"""The format of state.db: what is known is opened, what is older is renewed, anything else is left alone."""

import base64
import json
import pickle
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.state.formats import FORMAT, TABLES, prepare
from tests.local_sagemaker.conftest import FORMAT_1


class Calls:
    """Pickled, it calls a function when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)


@pytest.fixture(name="path")
def path_fixture(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture(name="old")
def old_fixture(tmp_path: Path) -> Path:
    """The database of a state folder of format 1."""
    with tarfile.open(FORMAT_1) as tar:
        tar.extractall(tmp_path, filter="data")
    return tmp_path / "state.db"


def select(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def execute(path: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def refused(path: Path, match: str) -> None:
    before = path.read_bytes()
    with pytest.raises(LocalSageMakerError, match=match):
        prepare(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("empty", [False, True])
def test_a_new_state_has_the_number_and_the_tables(path: Path, empty: bool) -> None:
    if empty:
        path.touch()
    prepare(path)
    assert select(path, "PRAGMA user_version") == [(FORMAT,)]
    tables = {name for (name,) in select(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables - {"sqlite_sequence"} == set(TABLES)


def test_a_newer_format_is_refused_untouched(path: Path) -> None:
    prepare(path)
    execute(path, f"PRAGMA user_version={FORMAT + 1}")
    refused(path, rf"has format {FORMAT + 1}.* up to {FORMAT}.*Nothing was changed")


def test_a_database_of_something_else_is_refused_untouched(path: Path) -> None:
    execute(path, "CREATE TABLE songs (title TEXT)")
    refused(path, "not a state of local SageMaker: the table records lacks document, kind, name, number")


@pytest.mark.parametrize(("table", "column"), [("records", "document"), ("objects", "blob"), ("snapshots", "moto")])
def test_a_table_that_lacks_a_column_is_refused_untouched(path: Path, table: str, column: str) -> None:
    prepare(path)
    execute(path, f"ALTER TABLE {table} RENAME COLUMN {column} TO other")
    refused(path, f"the table {table} lacks {column}")


def test_what_is_no_database_is_refused_untouched(path: Path) -> None:
    path.write_bytes(b"garbage" * 1000)
    refused(path, "cannot be read .*file is not a database")


def test_an_older_format_is_kept_as_it_was_beside_the_renewed_one(old: Path) -> None:
    before = select(old, "SELECT name, data FROM snapshots ORDER BY name")
    prepare(old)
    kept = old.with_name("state.format-1.db")
    assert select(kept, "SELECT name, data FROM snapshots ORDER BY name") == before
    assert select(kept, "PRAGMA user_version") == [(0,)]
    assert select(old, "SELECT count(*) FROM snapshots WHERE name LIKE 's3/%'") == [(0,)]
    assert select(old, "SELECT count(*) FROM damaged") == [(0,)]
    assert select(old, "SELECT count(DISTINCT bucket || '/' || key) FROM objects") == [
        (sum(name.startswith("s3/object/") for name, _ in before),)
    ]
    shutil.rmtree(old.parent / "objects")
    prepare(old)  # again: nothing to do


def test_the_copy_of_a_renewal_that_was_cut_off_is_made_anew(old: Path) -> None:
    old.with_name("state.format-1.db").write_bytes(b"half")
    prepare(old)
    assert select(old.with_name("state.format-1.db"), "SELECT count(*) FROM records")[0][0] > 0


@pytest.mark.parametrize("data", [b"", b"hello world", pickle.dumps("text"), pickle.dumps([1, 2, 3])])
def test_one_damaged_row_of_an_older_format_is_put_aside_and_the_rest_goes_on(old: Path, data: bytes) -> None:
    execute(old, "UPDATE snapshots SET data = ? WHERE name = 's3/object/versioned/two'", data)
    prepare(old)
    [(name, document)] = select(old, "SELECT name, document FROM damaged")
    assert name == "s3/object/versioned/two"
    assert base64.b64decode(json.loads(document)["data"]["base64"]) == data
    assert select(old, "SELECT count(*) FROM objects WHERE key = 'two'") == [(0,)]
    assert select(old, "SELECT count(*) FROM objects WHERE key = 'deleted'") == [(3,)]


def test_code_in_an_old_row_is_not_run(old: Path, tmp_path: Path) -> None:
    marker = tmp_path / "called"
    execute(
        old, "UPDATE snapshots SET data = ? WHERE name = 's3/object/versioned/two'", pickle.dumps(([Calls(marker)], {}))
    )
    prepare(old)
    assert not marker.exists()
    [(name, reason)] = select(old, "SELECT name, reason FROM damaged")
    assert name == "s3/object/versioned/two"
    assert "does not belong in a state of format 1" in reason


def test_a_renewal_that_fails_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = select(old, "SELECT name FROM snapshots ORDER BY name")

    def fails(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM snapshots")
        raise OSError("the machine is on fire")

    monkeypatch.setattr("local_sagemaker.state.format_1.migrate", fails)
    with pytest.raises(OSError, match="on fire"):
        prepare(old)
    assert select(old, "SELECT name FROM snapshots ORDER BY name") == before
    assert select(old, "PRAGMA user_version") == [(0,)]


def numbered(path: Path, number: int) -> bytes:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version={number}")
    return path.read_bytes()


@pytest.mark.parametrize(
    ("number", "words"), [(-1, "has format -1"), (1, "tables of a later format"), (0, "tables of a later")]
)
def test_a_number_that_the_tables_do_not_have_is_refused_untouched(tmp_path: Path, number: int, words: str) -> None:
    path = tmp_path / "state.db"
    prepare(path)
    before = numbered(path, number)
    with pytest.raises(LocalSageMakerError, match=words):
        prepare(path)
    assert path.read_bytes() == before
