"""A database of which a part cannot be read: what can be goes into a new one, and the old one is kept.

SQLite reads a table by pages. What lies on a damaged page is lost; the names of what was there are often
still in an index, and are told.
"""

import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.state.checks import KEYS, named_row
from local_sagemaker.state.damage import LOST
from local_sagemaker.state.formats import FORMAT, TABLES, create
from local_sagemaker.state.s3_documents import dumped

LOG = logging.getLogger("local_sagemaker.state")
CHECKED_BYTES = 64 << 20  # a larger database is not looked at page by page at each start: that takes more than a second
INDEXED = {"objects": "INDEXED BY current_objects WHERE latest AND NOT marker"}  # an index that is not its own order
LARGEST_BYTES = 1 << 40  # that a damaged header is believed
ORDERS = ("ASC", "DESC")  # from both ends, up to the damaged page


def repaired(path: Path) -> Path:
    """The path, once what lies there can be read; LocalSageMakerError where nothing of it can."""
    looked_at = path.exists() and 0 < path.stat().st_size <= CHECKED_BYTES
    found = sqlite_fault(path) if looked_at else None
    if found is not None:
        try:
            LOG.error(
                "%s is damaged (%s): what can be read is kept, and the old one is in %s", path, found, salvage(path)
            )
        except sqlite3.DatabaseError:
            raise LocalSageMakerError(
                f"{path} is damaged ({found}), and nothing in it can be read: put it back from a copy, or move the "
                "state folder away. Nothing was changed."
            ) from None
    return path


def clear_the_way(folder: Path, names: Iterable[str]) -> None:
    """Move away what lies in a state folder where a folder must be."""
    for name in names:
        place = folder / name
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            kept = _new_folder(folder)
            LOG.error("%s is not a folder: it is moved to %s", place, kept)
            kept.mkdir(parents=True, exist_ok=True)
            place.rename(kept / name)


def sqlite_fault(path: Path) -> str | None:
    """What SQLite finds wrong with a database, or None; reads it page by page."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if found == "ok" else str(found).splitlines()[-1]


def salvage(path: Path) -> Path:
    """Put what can be read of a database of this format in its place; returns the folder that keeps the old one.

    sqlite3.DatabaseError, and nothing changed, where not even its tables can be read. The files of `objects/`
    that nothing names any more go to that folder, too: their rows may be what was lost.
    """
    new, kept = path.with_name(f"{path.name}.salvaged"), _new_folder(path.parent)
    whole = _padded(path)
    try:
        named = _fill(new, whole, kept)
    except BaseException:
        for file in (new, *_beside(new)):
            file.unlink(missing_ok=True)
        raise
    finally:
        if whole != path:
            whole.unlink()
    kept.mkdir(parents=True, exist_ok=True)
    for file in (path, *_beside(path)):
        with suppress(FileNotFoundError):
            file.rename(kept / file.name)
    new.rename(path)
    _move_unnamed(path.parent / "objects", kept / "objects", named)
    return kept


def _fill(new: Path, whole: Path, kept: Path) -> set[str]:
    """Make the new database; returns the names of the files that its rows name."""
    new.unlink(missing_ok=True)  # of a salvage that was cut off
    with (
        closing(sqlite3.connect(whole, isolation_level=None)) as old,
        closing(sqlite3.connect(new, isolation_level=None)) as connection,
    ):
        _check_format(old)
        connection.execute("BEGIN")
        create(connection)
        for table in sorted(TABLES, key=lambda name: name != "damaged"):  # what is lost is told there
            _copy(old, connection, table)
        if not any(connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in TABLES):
            raise sqlite3.DatabaseError("no row of it can be read")
        _tell(connection, "state.db", f"it could not be read to its end; it is kept in {kept}")
        connection.execute(f"PRAGMA user_version={FORMAT}")
        connection.execute("COMMIT")
        return {name for (name,) in connection.execute("SELECT blob FROM objects UNION SELECT blob FROM parts")}


def _padded(path: Path) -> Path:
    """The database, or, where its end was cut off, a copy of the length that its first page says."""
    with path.open("rb") as stream:
        header = stream.read(32)
    # https://sqlite.org/fileformat.html#the_database_header
    size = int.from_bytes(header[16:18], "big") * int.from_bytes(header[28:32], "big")
    if not path.stat().st_size < size <= LARGEST_BYTES:
        return path
    copy = path.with_name(f"{path.name}.padded")
    shutil.copyfile(path, copy)
    os.truncate(copy, size)
    return copy


def _new_folder(state: Path) -> Path:
    return state / "damaged" / time.strftime("%Y-%m-%d-%H%M%S")


def _check_format(old: sqlite3.Connection) -> None:
    (number,) = old.execute("PRAGMA user_version").fetchone()
    tables = {name for (name,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if number != FORMAT or not tables.issuperset(TABLES):
        raise sqlite3.DatabaseError(f"its tables are not those of format {FORMAT}")


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> None:
    columns = [row[1] for row in old.execute(f"PRAGMA table_info({table})")]
    insert = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    keys = KEYS[table]
    for order in ORDERS:
        ordered = ", ".join(f"{key} {order}" for key in _primary(table))
        new.executemany(insert, _readable(old, f"SELECT * FROM {table} ORDER BY {ordered}"))
    # What an index names and neither end has reached is looked for one by one.
    here = " AND ".join(f"{key} IS ?" for key in keys)
    named: set[tuple[object, ...]] = set()
    for order in ORDERS:
        ordered = ", ".join(f"{key} {order}" for key in keys)
        named.update(
            _readable(old, f"SELECT {', '.join(keys)} FROM {table} {INDEXED.get(table, '')} ORDER BY {ordered}")
        )
    for key in sorted(named, key=str):
        if new.execute(f"SELECT 1 FROM {table} WHERE {here}", key).fetchone():
            continue
        found = next(_readable(old, f"SELECT * FROM {table} WHERE {here}", key), None)
        if found is not None:
            new.execute(insert, found)
        else:
            _tell(new, named_row(table, key), "it was on a page of state.db that cannot be read")


def _tell(new: sqlite3.Connection, name: str, reason: str) -> None:
    LOG.error("%s is lost: %s", name, reason)
    new.execute(
        "INSERT INTO damaged (source, name, document, reason) VALUES (?, ?, ?, ?)", (LOST, name, dumped({}), reason)
    )


def _primary(table: str) -> tuple[str, ...]:
    """The order in which the pages of a table lie."""
    return ("number",) if table in ("records", "damaged") else KEYS[table]


def _readable(connection: sqlite3.Connection, statement: str, values: tuple[object, ...] = ()) -> Iterator[Any]:
    """The rows of a statement up to the first that cannot be read."""
    with suppress(sqlite3.DatabaseError, UnicodeDecodeError):
        yield from connection.execute(statement, values)


def _beside(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def _move_unnamed(objects: Path, kept: Path, named: set[str]) -> None:
    if not objects.is_dir():
        return
    kept.mkdir()
    for entry in os.scandir(objects):
        if entry.name not in named and entry.is_file(follow_symlinks=False):
            os.rename(entry.path, kept / entry.name)
