"""What local SageMaker knows, as JSON documents in state.db, written before a request is answered."""

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Generic, NamedTuple, TypeVar, cast

from local_sagemaker.state.database import Database

LOG = logging.getLogger("local_sagemaker.records")
D = TypeVar("D", bound=Mapping[str, Any])
Watcher = Callable[[str, Any, Any], None]  # a kind, and a document of it before (None where it is new) and after
Place = tuple[float | str, int]  # CreationTime or name, and the number of the row
ROOM_SECONDS = 0.5  # between two attempts to write to a full disk


class Kind(str, Generic[D]):
    """What the documents of one kind are called in state.db; D is their type."""


class Found(NamedTuple, Generic[D]):
    """A document, and its place in the order that it was found in."""

    document: D
    place: Place


class Records:
    """Documents by kind and name, in the order of their creation; safe to use from many threads.

    `status_fields` says, for the kinds that are listed by a status, which field of a document that is. `watcher` is
    told of every document that is written, of its kind and what it was before (None where it is new); it is called
    while the lock is held, so it must not wait for anything.
    """

    watcher: Watcher | None = None

    def __init__(self, database: Database, status_fields: Mapping[str, str] | None = None) -> None:
        self._database = database
        self._status_fields = status_fields or {}
        self._closing = threading.Event()
        self._fill_columns()

    @property
    def lock(self) -> AbstractContextManager[None]:
        """The database's lock: what is written under it is one transaction."""
        return self._database.lock

    def get(self, kind: Kind[D], name: str) -> D | None:
        """The document, or None."""
        found = self._database.select("SELECT document FROM records WHERE kind = ? AND name = ?", (kind, name))
        return json.loads(found[0][0]) if found else None

    def all(self, kind: Kind[D], prefix: str = "") -> list[D]:
        """Every document of a kind whose name starts with prefix, oldest first."""
        rows = self._database.select(
            "SELECT document FROM records WHERE kind = ? AND name >= ? AND name < ? ORDER BY number",
            (kind, *_range(prefix)),
        )
        return [json.loads(row[0]) for row in rows]

    def find(
        self,
        kind: Kind[D],
        *,
        prefix: str = "",
        status: str | None = None,
        since: float | None = None,
        until: float | None = None,
        by_name: bool = False,
        descending: bool = False,
        after: Place | None = None,
        limit: int = -1,
    ) -> list[Found[D]]:
        """Some of the documents of a kind, by CreationTime or by name; reads no others, and waits for no writer.

        `since` and `until` are limits of CreationTime, in seconds, themselves included; what follows the place
        `after` in the order is found, whether or not its document is still there. ValueError for a status of a kind
        that has none.
        """
        if status is not None and kind not in self._status_fields:
            raise ValueError(f"A {kind} has no status to be found by.")
        column, direction, beyond = "name" if by_name else "created", *(("DESC", "<") if descending else ("ASC", ">"))
        order = f"{column} {direction}, number {direction}"
        index = "" if by_name else "INDEXED BY records_by_time"
        conditions = "kind = ? AND name >= ? AND name < ?"
        values: list[str | float] = [kind, *_range(prefix)]
        for condition, value in (("status = ?", status), ("created >= ?", since), ("created <= ?", until)):
            if value is not None:
                conditions, values = f"{conditions} AND {condition}", [*values, value]
        if after is not None:
            conditions, values = f"{conditions} AND ({column}, number) {beyond} (?, ?)", [*values, *after]
        with self._database.reader() as connection:
            rows = connection.execute(
                f"SELECT document, {column}, number FROM records WHERE number IN (SELECT number FROM records {index} "
                f"WHERE {conditions} ORDER BY {order} LIMIT ?) ORDER BY {order}",
                (*values, limit),
            ).fetchall()
        return [Found(json.loads(document), (value, number)) for document, value, number in rows]

    def count(self, kind: str, prefix: str = "") -> int:
        """How many documents of a kind have names that start with prefix."""
        condition = "kind = ? AND name >= ? AND name < ?"
        rows = self._database.select(f"SELECT COUNT(*) FROM records WHERE {condition}", (kind, *_range(prefix)))
        return int(rows[0][0])

    def put(self, kind: Kind[D], name: str, document: D) -> None:
        """Create or replace one document."""
        before = self.get(kind, name) if self.watcher is not None else None
        self._database.execute(
            "INSERT INTO records (kind, name, document, created, status) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (kind, name) DO UPDATE SET "
            "document = excluded.document, created = excluded.created, status = excluded.status",
            self._row(kind, name, document),
        )
        if self.watcher is not None:
            self.watcher(kind, before, document)

    def create(self, kind: Kind[D], name: str, document: D) -> bool:
        """Create a document; False, and no change, where the name is taken."""
        changed = self._database.execute(
            "INSERT INTO records (kind, name, document, created, status) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            self._row(kind, name, document),
        )
        if changed == 1 and self.watcher is not None:
            self.watcher(kind, None, document)
        return changed == 1

    def update(self, kind: Kind[D], name: str, changes: D) -> D:
        """Change some fields of a document that exists (None removes a field); returns the new document."""
        with self.lock:
            before = self.get(kind, name)
            if before is None:
                raise KeyError(f"{kind} {name}")
            document = without_none(cast(D, {**before, **changes}))
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
        self._database.execute("DELETE FROM records WHERE kind = ? AND name >= ? AND name < ?", (kind, *_range(prefix)))

    def _row(self, kind: str, name: str, document: Mapping[str, Any]) -> tuple[str, str, str, float | None, str | None]:
        status = document.get(self._status_fields.get(kind, ""))
        return kind, name, json.dumps(document), document.get("CreationTime"), status

    def _fill_columns(self) -> None:
        """Of the documents of a state that had no such columns."""
        json_in = "CASE WHEN json_valid(document) THEN json_extract(document, ?) END"
        with self._database.lock:
            self._database.execute(f"UPDATE records SET created = {json_in} WHERE created IS NULL", ("$.CreationTime",))
            for kind, field in self._status_fields.items():
                self._database.execute(
                    f"UPDATE records SET status = {json_in} WHERE status IS NULL AND kind = ?", (f"$.{field}", kind)
                )


def without_none(document: D) -> D:
    """The fields of a document that have a value."""
    return cast(D, {field: value for field, value in document.items() if value is not None})


def _range(prefix: str) -> tuple[str, str]:
    return prefix, f"{prefix}\U0010ffff"
