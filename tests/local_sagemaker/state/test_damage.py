"""What is put aside is kept whole, and goes back where its place is still free."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_sagemaker.state.damage import NAMED, Damage
from local_sagemaker.state.database import Database

OBJECT = (
    "INSERT INTO objects (bucket, key, latest, number, marker, version, modified, size, blob, document) "
    "VALUES ('b', 'k', ?, ?, 0, ?, '2026-11-27T00:00:00', 1, 'blob', '{}')"
)


@pytest.fixture(name="database")
def database_fixture(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "state.db")
    yield database
    database.close()


def test_a_row_that_is_put_aside_is_gone_from_its_table_and_kept_whole(database: Database) -> None:
    damage = Damage(database)
    data = bytes(range(256))
    database.execute("INSERT INTO snapshots (name, data, moto) VALUES ('iam/0/aws', ?, '5')", (data,))
    damage.put_aside("snapshots", {"name": "iam/0/aws"}, "the state of IAM", "it is not a pickle")
    assert database.select("SELECT * FROM snapshots") == []
    [piece] = damage.pieces()
    assert (piece.source, piece.name, piece.reason) == ("snapshots", "the state of IAM", "it is not a pickle")
    assert piece.row == {"name": "iam/0/aws", "data": data, "moto": "5"}
    assert len(damage) == len(Damage(database)) == 1


def test_it_goes_back_as_it_was(database: Database) -> None:
    damage = Damage(database)
    row = ("iam/0/aws", b"\x80data", "5")
    database.execute("INSERT INTO snapshots (name, data, moto) VALUES (?, ?, ?)", row)
    damage.put_aside("snapshots", {"name": "iam/0/aws"}, "the state of IAM", "why")
    assert damage.put_all_back() == ["the state of IAM"]
    assert database.select("SELECT name, data, moto FROM snapshots") == [row]
    assert list(damage.pieces()) == []


def test_it_stays_aside_where_its_place_is_taken(database: Database) -> None:
    damage = Damage(database)
    database.execute("INSERT INTO records (kind, name, document) VALUES ('k', 'n', 'old')")
    damage.put_aside("records", {"kind": "k", "name": "n"}, "the k n", "why")
    database.execute("INSERT INTO records (kind, name, document) VALUES ('k', 'n', 'new')")
    assert damage.put_all_back() == []
    assert database.select("SELECT document FROM records") == [("new",)]
    assert len(list(damage.pieces())) == 1


def test_an_object_that_was_written_anew_stays_the_new_one(database: Database) -> None:
    damage = Damage(database)
    database.execute(OBJECT, (1, 1, "null"))
    damage.put_aside("objects", {"bucket": "b", "key": "k", "number": 1}, "the object", "why")
    database.execute(OBJECT, (1, 2, "null"))
    assert damage.put_all_back() == []
    assert database.select("SELECT number FROM objects") == [(2,)]


def test_a_version_that_goes_back_is_the_latest_only_if_it_is_the_newest(database: Database) -> None:
    damage = Damage(database)
    for number in (1, 2, 3):
        database.execute(OBJECT, (int(number == 3), number, f"v{number}"))
    for number in (1, 3):
        damage.put_aside("objects", {"bucket": "b", "key": "k", "number": number}, f"version {number}", "why")
    damage.put_all_back()
    assert database.select("SELECT number, latest FROM objects ORDER BY number") == [(1, 0), (2, 0), (3, 1)]


def test_the_log_names_so_many_and_says_where_the_others_are(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    damage = Damage(database)
    for number in range(NAMED + 5):
        database.execute("INSERT INTO records (kind, name, document) VALUES ('k', ?, '')", (str(number),))
        damage.put_aside("records", {"kind": "k", "name": str(number)}, f"the k {number}", "why")
    assert len(caplog.messages) == NAMED + 1
    assert caplog.messages[0] == "the k 0 is put aside: why; see `local doctor`"
    assert len(damage) == NAMED + 5


def test_what_is_forgotten_is_gone(database: Database) -> None:
    damage = Damage(database)
    database.execute("INSERT INTO records (kind, name, document) VALUES ('k', 'n', '')")
    damage.put_aside("records", {"kind": "k", "name": "n"}, "the k n", "why")
    assert damage.forget() == 1
    assert list(damage.pieces()) == []
