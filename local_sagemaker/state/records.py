"""What local SageMaker knows, as JSON documents in state.db, written before a request is answered."""

import json
import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from local_sagemaker.state.database import Database

LOG = logging.getLogger("local_sagemaker.records")
Document = dict[str, Any]
ROOM_SECONDS = 0.5  # between two attempts to write to a full disk


class Records:
    """Documents by kind and name, in the order of their creation; safe to use from many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._closing = threading.Event()

    @property
    def lock(self) -> AbstractContextManager[None]:
        """The database's lock: what is written under it is one transaction."""
        return self._database.lock

    def get(self, kind: str, name: str) -> Document | None:
        """The document, or None."""
        found = self._database.select("SELECT document FROM records WHERE kind = ? AND name = ?", (kind, name))
        return json.loads(found[0][0]) if found else None

    def all(self, kind: str, prefix: str = "") -> list[Document]:
        """Every document of a kind whose name starts with prefix, oldest first."""
        rows = self._database.select(
            "SELECT document FROM records WHERE kind = ? AND substr(name, 1, ?) = ? ORDER BY number",
            (kind, len(prefix), prefix),
        )
        return [json.loads(row[0]) for row in rows]

    def put(self, kind: str, name: str, document: Document) -> None:
        """Create or replace one document."""
        self._database.execute(
            "INSERT INTO records (kind, name, document) VALUES (?, ?, ?) "
            "ON CONFLICT (kind, name) DO UPDATE SET document = excluded.document",
            (kind, name, json.dumps(document)),
        )

    def create(self, kind: str, name: str, document: Document) -> bool:
        """Create a document; False, and no change, where the name is taken."""
        changed = self._database.execute(
            "INSERT INTO records (kind, name, document) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (kind, name, json.dumps(document)),
        )
        return changed == 1

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
        return self._database.execute("DELETE FROM records WHERE kind = ? AND name = ?", (kind, name)) == 1

    def delete_all(self, kind: str, prefix: str) -> None:
        """Delete every document of a kind whose name starts with prefix."""
        self._database.execute(
            "DELETE FROM records WHERE kind = ? AND substr(name, 1, ?) = ?", (kind, len(prefix), prefix)
        )
