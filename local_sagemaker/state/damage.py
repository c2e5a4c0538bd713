"""What cannot be used is put aside, whole, with its name and the reason; the rest goes on without it."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from local_sagemaker.state.checks import KEYS, Unfit
from local_sagemaker.state.database import Database
from local_sagemaker.state.s3_documents import dumped, loaded

LOG = logging.getLogger("local_sagemaker.state")
LOST = "lost"  # the source of a piece of which the name is all that is left
NAMED = 20  # pieces that one look at the state names in the log


class Piece(NamedTuple):
    """One row that was put aside: the table it is from, what it is of, its columns, why, and when (UTC)."""

    number: int
    source: str
    name: str
    row: dict[str, Any]
    reason: str
    found: str


class Damage:
    """The rows that were put aside."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._before = int(database.select("SELECT count(*) FROM damaged")[0][0])
        self._count = 0

    def __len__(self) -> int:
        return self._before + self._count

    def put_aside(self, source: str, key: Mapping[str, Any], name: str, reason: str) -> None:
        """Move the row of a table that has these values to the damaged ones."""
        where = " AND ".join(f"{column} IS ?" for column in key)
        with self._database.lock:
            columns = [column for _, column, *_ in self._database.select(f"PRAGMA table_info({source})")]
            for row in self._database.select(f"SELECT * FROM {source} WHERE {where}", key.values()):
                self._database.execute(
                    "INSERT INTO damaged (source, name, document, reason) VALUES (?, ?, ?, ?)",
                    (source, name, dumped(dict(zip(columns, row, strict=True))), reason),
                )
            self._database.execute(f"DELETE FROM {source} WHERE {where}", key.values())
        self._count += 1
        if self._count <= NAMED:
            LOG.error("%s is put aside: %s; see `local doctor`", name, reason)
        elif self._count == NAMED + 1:
            LOG.error("and more, which `local doctor` names")

    def put_all_aside(self, unfit: Iterable[Unfit]) -> list[Unfit]:
        """Put aside every row that a look at the state has found; returns them."""
        found = list(unfit)
        for piece in found:
            self.put_aside(piece.source, piece.key, piece.name, piece.reason)
        return found

    def pieces(self) -> Iterator[Piece]:
        """Every one of them, in the order in which they were found."""
        rows = self._database.select("SELECT number, source, name, document, reason, found FROM damaged")
        for number, source, name, document, reason, found in rows:
            yield Piece(number, source, name, loaded(document, _no_kind), reason, found)

    def put_all_back(self) -> list[str]:
        """Return every row to its table whose place is still free; returns the names of what they are of."""
        return [piece.name for piece in list(self.pieces()) if piece.source in KEYS and self._put_back(piece)]

    def _put_back(self, piece: Piece) -> bool:
        row = piece.row
        with self._database.lock:
            if piece.source == "objects" and self._database.select(
                "SELECT 1 FROM objects WHERE bucket = ? AND key = ? AND version = ?",
                (row["bucket"], row["key"], row["version"]),
            ):
                return False
            put = self._database.execute(
                f"INSERT OR IGNORE INTO {piece.source} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
                row.values(),
            )
            if put:
                self._database.execute("DELETE FROM damaged WHERE number = ?", (piece.number,))
            if put and piece.source == "objects":
                renew_latest(self._database, row["bucket"], row["key"])
        return bool(put)

    def forget(self) -> int:
        """Delete what was put aside; returns how many pieces that were."""
        return self._database.execute("DELETE FROM damaged")


def renew_latest(database: Database, bucket: str, key: str) -> None:
    """Mark the newest version of a key that is left."""
    database.execute(
        "UPDATE objects SET latest = number = (SELECT max(number) FROM objects WHERE bucket = ?1 AND key = ?2) "
        "WHERE bucket = ?1 AND key = ?2",
        (bucket, key),
    )


def _no_kind(kind: str, fields: dict[str, Any]) -> Any:
    raise ValueError(f"{kind} with {sorted(fields)} is not a column")
