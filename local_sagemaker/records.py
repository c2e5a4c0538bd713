"""The state that must survive: one SQLite file of JSON documents, written before a request is answered."""

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

Document = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL,
    UNIQUE (kind, name));
CREATE TABLE IF NOT EXISTS snapshots (name TEXT PRIMARY KEY, data BLOB NOT NULL);
"""


class Records:
    """Documents by kind and name, in the order of their creation; safe to use from many threads.

    SQLite's write-ahead log makes each write whole or absent after a kill -9; a full disk raises
    sqlite3.OperationalError and leaves the earlier document.
    """

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()  # held by callers that read, decide and write
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(SCHEMA)

    def get(self, kind: str, name: str) -> Document | None:
        """The document, or None."""
        with self.lock:
            row = self._connection.execute(
                "SELECT document FROM records WHERE kind = ? AND name = ?", (kind, name)
            ).fetchone()
        return None if row is None else json.loads(row[0])

    def all(self, kind: str, prefix: str = "") -> list[Document]:
        """Every document of a kind whose name starts with prefix, oldest first."""
        with self.lock:
            rows = self._connection.execute(
                "SELECT document FROM records WHERE kind = ? AND substr(name, 1, ?) = ? ORDER BY number",
                (kind, len(prefix), prefix),
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def put(self, kind: str, name: str, document: Document) -> None:
        """Create or replace one document."""
        with self.lock:
            self._connection.execute(
                "INSERT INTO records (kind, name, document) VALUES (?, ?, ?) "
                "ON CONFLICT (kind, name) DO UPDATE SET document = excluded.document",
                (kind, name, json.dumps(document)),
            )

    def create(self, kind: str, name: str, document: Document) -> bool:
        """Create a document; False, and no change, where the name is taken."""
        with self.lock:
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

    def delete(self, kind: str, name: str) -> bool:
        """Delete a document; False where there was none."""
        with self.lock:
            cursor = self._connection.execute("DELETE FROM records WHERE kind = ? AND name = ?", (kind, name))
        return cursor.rowcount == 1

    def delete_all(self, kind: str, prefix: str) -> None:
        """Delete every document of a kind whose name starts with prefix."""
        with self.lock:
            self._connection.execute(
                "DELETE FROM records WHERE kind = ? AND substr(name, 1, ?) = ?", (kind, len(prefix), prefix)
            )

    def save_snapshot(self, name: str, data: bytes) -> None:
        """Keep the bytes of one control-plane service as a whole."""
        with self.lock:
            self._connection.execute(
                "INSERT INTO snapshots (name, data) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET data = excluded.data",
                (name, data),
            )

    def snapshots(self) -> dict[str, bytes]:
        """Every snapshot by name."""
        with self.lock:
            return dict(self._connection.execute("SELECT name, data FROM snapshots").fetchall())

    def close(self) -> None:
        """Fold the log into the file and let go of it."""
        with self.lock:
            self._connection.close()
