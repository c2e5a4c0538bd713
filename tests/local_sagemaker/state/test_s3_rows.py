"""Pages of keys by the index are those that a look at every key would give."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_sagemaker.state import s3_rows
from local_sagemaker.state.formats import prepare
from local_sagemaker.state.s3_rows import Listed, Row
from tests.conftest import examples

ALPHABET = "a/-\x00é\ud7ff\ue000\uffff\U0001f3e0\U0010ffff"
TEXT = st.text(ALPHABET, max_size=5)
KEYS = st.dictionaries(st.text(ALPHABET, min_size=1, max_size=5), st.lists(st.booleans(), min_size=1, max_size=3))
ROW = Row(0, 0, "v", "2026-11-27T00:00:00", 1, "e", "STANDARD", None, "b", "{}")


@pytest.fixture(name="connection", scope="module")
def connection_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path: Path = tmp_path_factory.mktemp("rows") / "state.db"
    prepare(path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")  # what is kept here need not outlive the test
    yield connection
    connection.close()


def keep(connection: sqlite3.Connection, keys: dict[str, list[bool]]) -> None:
    """Keys with a version for each entry, which says whether it is a delete marker; and a neighbour's bucket."""
    connection.execute("BEGIN")
    connection.execute("DELETE FROM objects")
    for bucket, held in (("b", keys), ("a", {"x": [False]}), ("c", {"": [False]})):
        for key, markers in held.items():
            made = [ROW._replace(number=number, marker=int(marker)) for number, marker in enumerate(markers, 1)]
            for statement, values in s3_rows.changes(bucket, key, [], made):
                connection.execute(statement, values)
    connection.execute("COMMIT")


def rolled_up(keys: list[str], prefix: str, delimiter: str, after: str) -> list[str]:
    """The definition: the names of keys, or of their common prefixes, that come after a name."""
    names = {s3_rows.common_prefix(key, prefix, delimiter) or key for key in keys if key.startswith(prefix)}
    return sorted(name for name in names if name > after)


@pytest.mark.e2e
@settings(max_examples=examples(300), deadline=None)
@given(keys=KEYS, prefix=TEXT, delimiter=st.text(ALPHABET, max_size=2), after=TEXT)
def test_a_page_of_current_objects_is_what_the_definition_says(
    connection: sqlite3.Connection, keys: dict[str, list[bool]], prefix: str, delimiter: str, after: str
) -> None:
    keep(connection, keys)
    found = list(s3_rows.current(connection, "b", prefix, delimiter, after))
    names = [entry.key if isinstance(entry, Listed) else entry for entry in found]
    assert names == rolled_up([key for key, markers in keys.items() if not markers[-1]], prefix, delimiter, after)


@settings(max_examples=examples(300), deadline=None)
@given(keys=KEYS, prefix=TEXT, delimiter=st.text(ALPHABET, max_size=2), after=TEXT)
def test_a_page_of_versions_is_what_the_definition_says(
    connection: sqlite3.Connection, keys: dict[str, list[bool]], prefix: str, delimiter: str, after: str
) -> None:
    keep(connection, keys)
    found = list(s3_rows.every_version(connection, "b", prefix, delimiter, after, None))
    expected: list[tuple[str, int | None]] = []
    for name in rolled_up(list(keys), prefix, delimiter, after):
        is_key = name in keys and s3_rows.common_prefix(name, prefix, delimiter) is None
        expected += [(name, number) for number in range(len(keys[name]), 0, -1)] if is_key else [(name, None)]
    assert [(entry.key, entry.number) if isinstance(entry, Listed) else (entry, None) for entry in found] == expected


@settings(max_examples=examples(100), deadline=None)
@given(keys=KEYS, delimiter=st.text(ALPHABET, max_size=1))
def test_pages_of_versions_that_begin_after_each_version_are_the_whole(
    connection: sqlite3.Connection, keys: dict[str, list[bool]], delimiter: str
) -> None:
    keep(connection, keys)
    whole = list(s3_rows.every_version(connection, "b", "", delimiter, "", None))
    for position, entry in enumerate(whole):
        after = (entry.key, entry.number) if isinstance(entry, Listed) else (entry, None)
        assert list(s3_rows.every_version(connection, "b", "", delimiter, *after)) == whole[position + 1 :]


def test_only_the_newest_version_is_the_latest_whatever_is_deleted(connection: sqlite3.Connection) -> None:
    keep(connection, {"k": [False, True, False]})
    before = s3_rows.versions(connection, "b", "k")
    assert [row.number for row in before] == [1, 2, 3]
    for statement, values in s3_rows.changes("b", "k", before, before[:2]):
        connection.execute(statement, values)
    [newest, oldest] = s3_rows.every_version(connection, "b", "", "", "", None)
    assert isinstance(newest, Listed)
    assert isinstance(oldest, Listed)
    assert (newest.number, newest.latest, oldest.number, oldest.latest) == (2, 1, 1, 0)


def test_what_is_as_it_was_is_not_written_again(connection: sqlite3.Connection) -> None:
    keep(connection, {"k": [False, False]})
    before = s3_rows.versions(connection, "b", "k")
    assert list(s3_rows.changes("b", "k", before, list(before))) == []


def test_a_key_that_is_no_text_has_no_versions(connection: sqlite3.Connection) -> None:
    assert s3_rows.versions(connection, "b", "bad\udcff") == []


def test_a_page_costs_as_many_steps_as_it_has_names_however_many_keys_they_hold(
    connection: sqlite3.Connection,
) -> None:
    """Counted in instructions of SQLite's machine, which do not depend on the machine."""
    keep(connection, {f"{folder}/{number:04d}": [False] for folder in "abc" for number in range(1000)})
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.set_progress_handler(count, 1)
    try:
        assert list(s3_rows.current(connection, "b", "", "/", "")) == ["a/", "b/", "c/"]
    finally:
        connection.set_progress_handler(None, 1)
    assert steps < 300
