"""The format of state.db: its number, its tables, and the way from each older format to this one.

The number is SQLite's user_version. Format 1 had none (0): documents in `records`, everything else as pickles.
"""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.state import format_1

FORMAT = 2
VERSION = (
    "number INTEGER NOT NULL, marker INTEGER NOT NULL, version TEXT NOT NULL, modified TEXT NOT NULL, size INTEGER, "
    "etag TEXT, storage_class TEXT, checksum_algorithm TEXT, blob TEXT, document TEXT NOT NULL"
)
TABLES = {
    # the two fields of a document that lists are ordered by and filtered by are columns, too
    "records": "number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, "
    "document TEXT NOT NULL, created REAL, status TEXT, UNIQUE (kind, name)",
    # moto's state of each small service, a pickle, and the version of moto that wrote it
    "snapshots": "name TEXT PRIMARY KEY, data BLOB NOT NULL, moto TEXT NOT NULL DEFAULT ''",
    "buckets": "name TEXT PRIMARY KEY, document TEXT NOT NULL",
    # a version of an object for each row, numbered from the oldest on; what is listed and looked for are columns
    "objects": "bucket TEXT NOT NULL, key TEXT NOT NULL, latest INTEGER NOT NULL, "
    f"{VERSION}, PRIMARY KEY (bucket, key, number)",
    "uploads": "bucket TEXT NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (bucket, id)",
    "parts": f"bucket TEXT NOT NULL, upload TEXT NOT NULL, {VERSION}, PRIMARY KEY (bucket, upload, number)",
    # rows that cannot be used, put aside: the table, what it is of, its columns as a document, why, and when (UTC)
    "damaged": "number INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, name TEXT NOT NULL, "
    "document TEXT NOT NULL, reason TEXT NOT NULL, found TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP",
}
WITHOUT_ROWID = {"objects", "parts"}
INDEXES = (
    "CREATE INDEX IF NOT EXISTS current_objects ON objects (bucket, key) WHERE latest AND NOT marker",
    "CREATE INDEX IF NOT EXISTS records_by_time ON records (kind, created, status, name)",
)
FORMAT_1_TABLES = {"records": {"number", "kind", "name", "document"}, "snapshots": {"name", "data"}}


def prepare(path: Path) -> None:
    """Bring a state.db to this format, a new one too.

    LocalSageMakerError, and nothing changed, where it is newer or no state.db that any version wrote. What is
    migrated is kept as it was, beside it.
    """
    found = format_of(path)
    if found == FORMAT:
        return
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        if found == 1:
            kept = path.with_name(f"{path.stem}.format-{found}{path.suffix}")
            _keep(connection, kept)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("BEGIN IMMEDIATE")
        if found == 1:
            format_1.add_columns(connection)
        create(connection)
        if found == 1:
            format_1.migrate(connection)
        connection.execute(f"PRAGMA user_version={FORMAT}")
        connection.execute("COMMIT")


def format_of(path: Path) -> int:
    """The format of a state.db; 0 for one that is new. LocalSageMakerError where it is not one, or a newer one."""
    if not path.exists() or path.stat().st_size == 0:
        return 0
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (number,) = connection.execute("PRAGMA user_version").fetchone()
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            columns = {table: _columns(connection, table) for table in tables}
    except sqlite3.DatabaseError as error:
        raise LocalSageMakerError(
            f"{path} cannot be read ({error}): put it back from a copy, or move the state folder away. "
            "Nothing was changed."
        ) from None
    if not 0 <= number <= FORMAT:
        raise LocalSageMakerError(
            f"{path} has format {number}, and this version of local SageMaker knows the formats up to {FORMAT}: "
            "use the version that wrote it, or another folder with SAGEMAKER_LOCAL_STATE. Nothing was changed."
        )
    if not number and not tables:
        return 0
    number = number or 1
    if number == 1 and "created" in columns.get("records", set()):
        raise LocalSageMakerError(
            f"{path} has the tables of a later format than its number, {number}, says: put it back from a copy, "
            "or move the state folder away. Nothing was changed."
        )
    expected = FORMAT_1_TABLES if number == 1 else {name: _names(table) for name, table in TABLES.items()}
    for table, names in expected.items():
        missing = names - columns.get(table, set())
        if missing:
            raise LocalSageMakerError(
                f"{path} is not a state of local SageMaker: the table {table} lacks {', '.join(sorted(missing))}. "
                "Put it back from a copy, or move the state folder away. Nothing was changed."
            )
    return number


def create(connection: sqlite3.Connection) -> None:
    """Make the tables that are not there yet."""
    for name, columns in TABLES.items():
        suffix = " WITHOUT ROWID" if name in WITHOUT_ROWID else ""
        connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns}){suffix}")
    for index in INDEXES:
        connection.execute(index)


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {str(row[1]) for row in connection.execute(f'PRAGMA table_info("{table}")')}


def _names(columns: str) -> set[str]:
    """The names in the columns of a CREATE TABLE."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE one ({columns})")
        return _columns(connection, "one")


def _keep(connection: sqlite3.Connection, copy: Path) -> None:
    copy.unlink(missing_ok=True)  # of a start that was cut off
    try:
        connection.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.OperationalError as error:
        with suppress(FileNotFoundError):
            copy.unlink()
        raise LocalSageMakerError(
            f"{copy} could not be written ({error}), which keeps the state as it was before its format is renewed: "
            "make room. Nothing was changed."
        ) from None
