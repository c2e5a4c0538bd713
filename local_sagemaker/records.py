"""The state that must survive: one SQLite file of JSON documents, written before a request is answered."""

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LOG = logging.getLogger("local_sagemaker.records")
Document = dict[str, Any]
ROOM_SECONDS = 0.5  # between two attempts to write to a full disk

SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL,
    UNIQUE (kind, name));
CREATE TABLE IF NOT EXISTS snapshots (name TEXT PRIMARY KEY, data BLOB NOT NULL);
"""


class Records:
    """Documents by kind and name, in the order of their creation; safe to use from many threads.

    SQLite's write-ahead log makes each transaction whole or absent after a kill -9, and what has returned is on the
    disk (synchronous=FULL); a full disk raises sqlite3.OperationalError and leaves what was there.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._owner: int | None = None
        self._closing = threading.Event()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(SCHEMA)

    @property
    @contextmanager
    def lock(self) -> Iterator[None]:
        """Held by callers that read, decide and write: what they write is one transaction.

        An exception that leaves the outermost `with` undoes all that was written inside. Do not use
        the S3 objects, or wait for another thread, while holding it.
        """
        with self._lock:
            self._depth += 1
            self._owner = threading.get_ident()
            try:
                if self._depth == 1:
                    self._connection.execute("BEGIN")
                yield
                if self._depth == 1:
                    self._connection.execute("COMMIT")
            except BaseException:
                if self._depth == 1 and self._connection.in_transaction:  # a full disk may have ended it
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._owner = None

    @property
    def held(self) -> bool:
        """Whether this thread holds the lock."""
        return self._owner == threading.get_ident()

    def get(self, kind: str, name: str) -> Document | None:
        """The document, or None."""
        with self._lock:
            row = self._connection.execute(
                "SELECT document FROM records WHERE kind = ? AND name = ?", (kind, name)
            ).fetchone()
        return None if row is None else json.loads(row[0])

    def all(self, kind: str, prefix: str = "") -> list[Document]:
        """Every document of a kind whose name starts with prefix, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT document FROM records WHERE kind = ? AND substr(name, 1, ?) = ? ORDER BY number",
                (kind, len(prefix), prefix),
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def put(self, kind: str, name: str, document: Document) -> None:
        """Create or replace one document."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO records (kind, name, document) VALUES (?, ?, ?) "
                "ON CONFLICT (kind, name) DO UPDATE SET document = excluded.document",
                (kind, name, json.dumps(document)),
            )

    def create(self, kind: str, name: str, document: Document) -> bool:
        """Create a document; False, and no change, where the name is taken."""
        with self._lock:
            cursor = self._connection.execute(
                "INSERT INTO records (kind, name, document) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (kind, name, json.dumps(document)),
            )
        return cursor.rowcount == 1

    def update(self, kind: str, name: str, **changes: Any) -> Document:
        """Change some fields of a document that exists (None removes a field); returns the new document."""
        with self.lock:
            document = self.get(kind, name)
            if document is None:
                raise KeyError(f"{kind} {name}")
            document.update(changes)
            document = {key: value for key, value in document.items() if value is not None}
            self.put(kind, name, document)
        return document

    def insist(self, write: Callable[[], object]) -> None:
        """Write what has already happened and cannot be refused: where the disk is full, once there is room.

        Not to be used while holding the lock. sqlite3.OperationalError only when the server stops meanwhile.
        """
        while True:
            try:
                write()
                return
            except sqlite3.OperationalError as error:
                LOG.warning("the end of something could not be written and is tried again: %s", error)
                if self._closing.wait(ROOM_SECONDS):
                    raise

    def stop_insisting(self) -> None:
        """From now on what cannot be written is given up: the next start finds it unfinished, and says so."""
        self._closing.set()

    def delete(self, kind: str, name: str) -> bool:
        """Delete a document; False where there was none."""
        with self._lock:
            cursor = self._connection.execute("DELETE FROM records WHERE kind = ? AND name = ?", (kind, name))
        return cursor.rowcount == 1

    def delete_all(self, kind: str, prefix: str) -> None:
        """Delete every document of a kind whose name starts with prefix."""
        with self.lock:
            self._connection.execute(
                "DELETE FROM records WHERE kind = ? AND substr(name, 1, ?) = ?", (kind, len(prefix), prefix)
            )

    def save_snapshots(self, changes: Mapping[str, bytes | None], gone: Iterable[str] = ()) -> None:
        """Keep pieces of the control plane's state by name; None, or a prefix in `gone`, deletes."""
        with self.lock:
            for prefix in gone:
                self._connection.execute("DELETE FROM snapshots WHERE name >= ? AND name < ?", _range(prefix))
            for name, data in changes.items():
                if data is None:
                    self._connection.execute("DELETE FROM snapshots WHERE name = ?", (name,))
                else:
                    self._connection.execute(
                        "INSERT INTO snapshots (name, data) VALUES (?, ?) "
                        "ON CONFLICT (name) DO UPDATE SET data = excluded.data",
                        (name, data),
                    )

    def snapshot(self, name: str) -> bytes | None:
        """One piece, or None; so, too, for a name that is no text, under which nothing can have been kept."""
        try:
            name.encode()
        except UnicodeEncodeError:
            return None
        with self._lock:
            row = self._connection.execute("SELECT data FROM snapshots WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def snapshots(self, prefix: str = "") -> list[tuple[str, bytes]]:
        """Name and data of every piece whose name starts with prefix, by name."""
        with self._lock:
            return self._connection.execute(
                "SELECT name, data FROM snapshots WHERE name >= ? AND name < ? ORDER BY name", _range(prefix)
            ).fetchall()

    def close(self) -> None:
        """Fold the log into the file and let go of it."""
        with self._lock:
            self._connection.close()


def _range(prefix: str) -> tuple[str, str]:
    return prefix, f"{prefix}\U0010ffff"
