"""state.db: one connection that writes, one thread at a time, and readers that wait for nobody."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local_sagemaker.state.formats import prepare

IDLE_READERS = 8  # connections that are kept for the next readers


class Database:
    """One SQLite file; safe to use from many threads.

    SQLite's write-ahead log makes each transaction whole or absent after a kill -9, and what has returned is on the
    disk (synchronous=FULL); a full disk raises sqlite3.OperationalError and leaves what was there.
    """

    def __init__(self, path: Path) -> None:
        prepare(path)
        self._path = path
        self._lock = threading.RLock()
        self._depth = 0
        self._owner: int | None = None
        self._idle: list[sqlite3.Connection] = []
        self._connection = self._connect()
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")

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

    def execute(self, statement: str, values: Iterable[Any] = ()) -> int:
        """Run a statement that changes rows; returns how many it changed."""
        with self._lock:
            return self._connection.execute(statement, tuple(values)).rowcount

    def execute_many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a statement that changes rows once for the values of each row."""
        with self._lock:
            self._connection.executemany(statement, rows)

    def select(self, statement: str, values: Iterable[Any] = ()) -> list[Any]:
        """Every row that a statement finds, with what the transaction that this thread holds has written."""
        with self._lock:
            return self._connection.execute(statement, tuple(values)).fetchall()

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees what has been committed, and waits for no writer."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
            connection.execute("PRAGMA query_only=ON")
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if len(self._idle) < IDLE_READERS:
            self._idle.append(connection)
        else:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        # A byte that a disk has changed makes a character odd, and must not make every row unreadable.
        connection.text_factory = lambda data: str(data, "utf-8", "surrogateescape")
        return connection

    def close(self) -> None:
        """Fold the log into the file and let go of it."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()
            self._connection.close()
