"""What a look at the state finds: each kind of damage to a row, and nothing in a state that is whole."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.state.checks import (
    files_on_disk,
    unfit_columns,
    unfit_records,
    unfit_rows,
    unfit_snapshots,
    unnamed_files,
    without_bytes,
)
from local_sagemaker.state.damage import Damage
from local_sagemaker.state.database import Database
from local_sagemaker.state.record_kinds import REQUIRED
from tests.local_sagemaker.state.test_formats import execute
from tests.local_sagemaker.state.test_formats import old_fixture as _old_fixture

old_fixture = _old_fixture
TABLES = ("buckets", "objects", "uploads", "parts")


@pytest.fixture(name="database")
def database_fixture(old: Path) -> Iterator[Database]:
    """Something of everything, renewed to this format."""
    database = Database(old)
    yield database
    database.close()


def files(path: Path) -> Iterator[tuple[str, int]]:
    return ((entry.name, entry.stat().st_size) for entry in (path / "objects").iterdir())


def look(database: Database, folder: Path) -> list[tuple[str, str]]:
    found = [*unfit_records(database, REQUIRED), *unfit_snapshots(database)]
    for table in TABLES:
        found += unfit_rows(database, table)
    with files_on_disk(database, files(folder)):
        for table in ("objects", "parts"):
            found += without_bytes(database, table)
    return [(piece.name, piece.reason) for piece in found]


@pytest.mark.parametrize("column", ["version", "etag", "storage_class", "checksum_algorithm"])
@pytest.mark.parametrize(
    ("value", "fits"),
    [("x" * 1024, True), ("x" * 1025, False), ("two\nlines", False), ("\N{PILE OF POO}", False), (b"bytes", False)],
)
def test_a_column_that_is_sent_in_a_header_is_one_that_clients_take(
    database: Database, column: str, value: Any, fits: bool
) -> None:
    assert database.execute(f"UPDATE objects SET {column} = ? WHERE key = 'copy'", (value,)) == 1
    found = [piece.name for piece in unfit_columns(database, "objects")]
    assert found == ([] if fits else ["the object s3://plain/copy"])


def test_nothing_is_found_in_a_state_that_is_whole(database: Database, tmp_path: Path) -> None:
    assert look(database, tmp_path) == []
    with files_on_disk(database, files(tmp_path)):
        assert unnamed_files(database) == []


NOT_IN_THE_FIXTURE = (
    "async-request",
    "callback",
    "function",
    "function-code",
    "lineage-association",
    "lineage-entity",
    "metric-filter",
    "model-card",
    "model-package-group-policy",
    "scalable-target",
    "scaling-policy",
    "schedule",
    "schedule-group",
    "target-run",
)


@pytest.mark.e2e
@pytest.mark.parametrize("kind", [kind for kind in REQUIRED if "-job" not in kind])
def test_a_record_of_any_kind_that_lacks_its_fields_is_found(database: Database, tmp_path: Path, kind: str) -> None:
    if kind in NOT_IN_THE_FIXTURE:
        database.execute("INSERT INTO records (kind, name, document) VALUES (?, 'x', '{\"whole\": false}')", (kind,))
    assert database.execute("UPDATE records SET document = '{}' WHERE kind = ?", (kind,)) > 0
    found = look(database, tmp_path)
    assert found
    assert all(
        name.startswith(f"the {kind} ") and "is missing or has the wrong type" in reason for name, reason in found
    )


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("statement", "values", "name", "reason"),
    [
        ("UPDATE records SET document = '{bad' WHERE kind = 'Model'", (), "the Model ", "it is not a JSON object"),
        ("UPDATE records SET document = '[]' WHERE kind = 'Model'", (), "the Model ", "it is not a JSON object"),
        ("UPDATE records SET document = x'00ff' WHERE kind = 'Model'", (), "the Model ", "it is not a JSON object"),
        (
            "UPDATE records SET document = json_set(document, '$.CreationTime', 'noon') WHERE kind = 'Model'",
            (),
            "the Model ",
            "its field CreationTime is missing or has the wrong type",
        ),
        ("UPDATE snapshots SET data = substr(data, 1, 20) WHERE name LIKE 'iam/0%'", (), "the state of the", "pickle"),
        ("UPDATE snapshots SET data = ? WHERE name LIKE 'iam/0%'", (b"hello world",), "the state of the", "pickle"),
        ("UPDATE snapshots SET data = ? WHERE name LIKE 'sqs/0%'", (b"",), "the state of the service", "pickle"),
        (
            "UPDATE buckets SET document = 'x' WHERE name = 'plain'",
            (),
            "the settings of the bucket plain",
            "not a JSON",
        ),
        ("UPDATE objects SET document = '{}' WHERE key = 'copy'", (), "the object s3://plain/copy", "account_id"),
        ("UPDATE uploads SET document = '{}'", (), "the upload ", "account_id"),
        ("UPDATE parts SET document = '' WHERE number = 3", (), "the upload ", "not a JSON"),
        ("UPDATE objects SET size = size + 1 WHERE key = 'copy'", (), "the object s3://plain/copy", "bytes of"),
        ("UPDATE objects SET blob = 'gone' WHERE key = 'copy'", (), "the object s3://plain/copy", "bytes are missing"),
        ("UPDATE parts SET blob = 'gone' WHERE number = 3", (), "the upload ", "its bytes are missing"),
    ],
)
def test_a_damaged_row_is_found_and_named(
    database: Database, tmp_path: Path, statement: str, values: Any, name: str, reason: str
) -> None:
    assert database.execute(statement, values) == 1
    [(found, why)] = look(database, tmp_path)
    assert found.startswith(name)
    assert reason in why


def test_a_file_that_no_row_names_is_found(database: Database, tmp_path: Path) -> None:
    (tmp_path / "objects/left-by-a-kill").write_bytes(b"half")
    with files_on_disk(database, files(tmp_path)):
        assert unnamed_files(database) == ["left-by-a-kill"]


def test_the_file_of_an_object_that_was_put_aside_is_no_file_that_nothing_names(
    database: Database, tmp_path: Path
) -> None:
    damage = Damage(database)
    damage.put_aside("objects", {"bucket": "plain", "key": "made/file", "number": 1}, "the object", "why")
    with files_on_disk(database, files(tmp_path)):
        assert unnamed_files(database) == []
    damage.forget()
    with files_on_disk(database, files(tmp_path)):
        assert len(unnamed_files(database)) == 1


def test_the_file_of_a_row_of_the_older_format_that_cannot_be_read_is_kept_too(old: Path, tmp_path: Path) -> None:
    execute(old, "UPDATE snapshots SET data = 'x' || data WHERE name = 's3/object/plain/made/file'")
    database = Database(old)
    assert database.select("SELECT name FROM damaged") == [("s3/object/plain/made/file",)]
    with files_on_disk(database, files(tmp_path)):
        assert unnamed_files(database) == []
    database.close()
