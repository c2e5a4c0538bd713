"""From format 1 to format 2: the rows of S3, which were pickles of moto's objects, become columns and documents.

The pickles are read by an allow-list: each name in them stands for a bare object that keeps what it is given,
so that no module of moto's, nor of this project, has to be what it was, and no code in a pickle is run.
"""

import io
import pickle
import re
import sqlite3
from collections import OrderedDict
from datetime import datetime, timedelta, timezone
from typing import Any

from local_sagemaker.state import s3_rows
from local_sagemaker.state.s3_documents import KINDS, bucket_text, dumped, upload_text

BUCKET, OBJECT, UPLOAD, PART = "s3/bucket/", "s3/object/", "s3/upload/", "s3/part/"
SOURCE = "format 1"  # of a row that was put aside before it had a table
HARMLESS = {
    ("datetime", "datetime"): datetime,
    ("datetime", "timedelta"): timedelta,
    ("datetime", "timezone"): timezone,
    ("collections", "OrderedDict"): OrderedDict,
}
OURS = "local_sagemaker.s3.models"
STANDING_IN = {
    (OURS, "StoredKey"),
    (OURS, "Upload"),
    ("moto.s3.models", "FakeDeleteMarker"),
    ("requests.structures", "CaseInsensitiveDict"),
    ("moto.utilities.utils", "LowercaseDict"),
    *(("moto.s3.models", name) for name, _ in KINDS.values() if name != "LowercaseDict"),
}


def add_columns(connection: sqlite3.Connection) -> None:
    """Give the tables that there were the columns that they lack."""
    for column in ("records ADD COLUMN created REAL", "records ADD COLUMN status TEXT"):
        connection.execute(f"ALTER TABLE {column}")
    connection.execute("ALTER TABLE snapshots ADD COLUMN moto TEXT NOT NULL DEFAULT ''")


def migrate(connection: sqlite3.Connection) -> None:
    """Move every row of S3 to its table; one that cannot be read is put aside, and the rest goes on."""
    for prefix, move in ((BUCKET, _move_bucket), (OBJECT, _move_object), (UPLOAD, _move_upload), (PART, _move_part)):
        cursor = connection.execute(
            "SELECT name, CAST(data AS BLOB) FROM snapshots WHERE name >= ? AND name < ?",
            (prefix, f"{prefix}\U0010ffff"),
        )
        for name, data in cursor.fetchall():
            try:
                move(connection, name.removeprefix(prefix), _Unpickler(io.BytesIO(data)).load())
            except Exception as error:
                files = sorted({found.decode() for found in re.findall(rb"[0-9a-f]{32}", bytes(data))})
                connection.execute(
                    "INSERT INTO damaged (source, name, document, reason) VALUES (?, ?, ?, ?)",
                    (
                        SOURCE,
                        name,
                        dumped({"name": name, "data": data, "files": files}),
                        f"it cannot be read ({error})",
                    ),
                )
    connection.execute("DELETE FROM snapshots WHERE name >= 's3/' AND name < 's30'")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in HARMLESS:
            return HARMLESS[module, name]
        if (module, name) in STANDING_IN:
            return type(name, (), {})
        raise pickle.UnpicklingError(f"{module}.{name} does not belong in a state of format 1")


def _move_bucket(connection: sqlite3.Connection, name: str, row: Any) -> None:
    settings, tags = row
    bucket = type("Bucket", (), {})()
    bucket.__dict__.update(settings)
    connection.execute("INSERT INTO buckets (name, document) VALUES (?, ?)", (name, bucket_text(bucket, tags)))


def _move_object(connection: sqlite3.Connection, name: str, row: Any) -> None:
    bucket, _, key = name.partition("/")
    versions, tags = row
    moved = []
    for number, version in enumerate(versions, start=1):
        if hasattr(version, "blob"):
            arn = f"arn:{version.partition}:s3:::{bucket}/{key}/{version._version_id or 'null'}"
            moved.append(s3_rows.row_of(number, version, tags.get(arn, {})))
        else:
            moved.append(s3_rows.row_of(number, version, {}))
    for statement, values in s3_rows.changes(bucket, key, [], moved):
        connection.execute(statement, values)


def _move_upload(connection: sqlite3.Connection, name: str, upload: Any) -> None:
    bucket, _, identifier = name.partition("/")
    connection.execute(
        "INSERT INTO uploads (bucket, id, document) VALUES (?, ?, ?)", (bucket, identifier, upload_text(upload))
    )


def _move_part(connection: sqlite3.Connection, name: str, part: Any) -> None:
    bucket, upload, number = name.split("/")
    row = s3_rows.row_of(int(number), part, {})
    connection.execute(
        f"INSERT INTO parts (bucket, upload, {s3_rows.COLUMNS}) VALUES ({', '.join('?' * (2 + len(row)))})",
        (bucket, upload, *row),
    )
