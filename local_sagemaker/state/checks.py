"""Which rows of the state can be used: found by SQL, in one look at each table, in bounded memory."""

import logging
import os
import pickletools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from local_sagemaker.state.database import Database

TEXT, NUMBER, INTEGER, ARRAY = ("text",), ("integer", "real"), ("integer",), ("array",)
Fields = Mapping[str, tuple[str, ...]]  # a field that a document must have, and the JSON types that it may have
S3_FIELDS: Mapping[str, Fields] = {
    "buckets": {"account_id": TEXT, "region_name": TEXT, "partition": TEXT, "tags": ("object",)},
    "objects": {"account_id": TEXT, "region_name": TEXT, "tags": ("object",)},
    "uploads": {"account_id": TEXT, "region_name": TEXT, "key_name": TEXT, "metadata": ("object",)},
    "parts": {"account_id": TEXT, "region_name": TEXT},
}
# What is sent in a header: a client gives up at a line of 65,536 bytes.
HEADER = "(typeof({0}) = 'text' AND length({0}) <= 1024 AND {0} NOT GLOB '*[^ -~]*')"
VERSION = (
    f"typeof(number) = 'integer' AND {HEADER.format('version')} AND modified GLOB '[0-9][0-9][0-9][0-9]-*T*' "
    f"AND marker IN (0, 1) AND (marker OR (typeof(size) = 'integer' AND {HEADER.format('etag')} "
    f"AND {HEADER.format('storage_class')} "
    f"AND (checksum_algorithm IS NULL OR {HEADER.format('checksum_algorithm')}) "
    "AND typeof(blob) = 'text' AND blob NOT GLOB '*[^0-9a-zA-Z]*'))"
)
BUCKET = "(length({0}) BETWEEN 3 AND 63 AND {0} NOT GLOB '*[^a-zA-Z0-9._-]*')"
COLUMNS = {
    "buckets": BUCKET.format("name"),
    "objects": f"{BUCKET.format('bucket')} AND typeof(key) = 'text' AND key != '' AND latest IN (0, 1) AND {VERSION}",
    "uploads": f"{BUCKET.format('bucket')} AND typeof(id) = 'text'",
    "parts": f"{BUCKET.format('bucket')} AND typeof(upload) = 'text' AND NOT marker AND {VERSION}",
}
KEYS = {
    "records": ("kind", "name"),
    "buckets": ("name",),
    "objects": ("bucket", "key", "number"),
    "uploads": ("bucket", "id"),
    "parts": ("bucket", "upload", "number"),
    "snapshots": ("name",),
    "damaged": ("number",),
}


LOG = logging.getLogger("local_sagemaker")


class Unfit(NamedTuple):
    """A row that cannot be used."""

    source: str
    key: dict[str, Any]
    name: str
    reason: str


def unfit_records(database: Database, required: Mapping[str, Fields]) -> Iterator[Unfit]:
    """The documents that are not JSON objects, or lack what everything that uses their kind takes for granted."""
    kinds = ", ".join("?" * len(required))
    yield from _unfit(database, "records", {}, f"kind NOT IN ({kinds})", *required)
    for kind, fields in required.items():
        yield from _unfit(database, "records", fields, "kind = ?", kind)


def unfit_rows(database: Database, table: str) -> Iterator[Unfit]:
    """The same of a table of S3."""
    yield from _unfit(database, table, S3_FIELDS[table], "NOT marker" if table == "objects" else "TRUE")


def unfit_columns(database: Database, table: str) -> Iterator[Unfit]:
    """The rows of a table of S3 with a column that is not what it must be: looked at without their documents."""
    keys = KEYS[table]
    for key in database.select(f"SELECT {', '.join(keys)} FROM {table} WHERE ({COLUMNS[table]}) IS NOT TRUE"):
        named = dict(zip(keys, key, strict=True))
        yield Unfit(table, named, named_row(table, key), "a column of its row is not what it can be")


def unfit_snapshots(database: Database) -> Iterator[Unfit]:
    """The pickles that are none; what is in them is looked at by moto alone."""
    for name, data in database.select("SELECT name, CAST(data AS BLOB) FROM snapshots"):
        try:
            for _ in pickletools.genops(data):
                pass
        except Exception as error:
            yield Unfit("snapshots", {"name": name}, named_row("snapshots", (name,)), f"it is not a pickle ({error})")


def without_bytes(database: Database, table: str) -> Iterator[Unfit]:
    """The objects, or the parts of uploads, whose file is missing or has another size; inside `files_on_disk`."""
    keys = KEYS[table]
    found = database.select(
        f"SELECT {', '.join(keys)}, {table}.size, files.size FROM {table} LEFT JOIN files ON files.name = blob "
        f"WHERE NOT marker AND files.size IS NOT {table}.size"
    )
    for *key, size, there in found:
        reason = "its bytes are missing from the disk" if there is None else f"its file has {there} bytes of {size}"
        yield Unfit(table, dict(zip(keys, key, strict=True)), named_row(table, key), reason)


def unnamed_files(database: Database) -> list[str]:
    """The files that no row names, of those that were put aside neither; inside `files_on_disk`."""
    for named in (
        "SELECT blob FROM objects",
        "SELECT blob FROM parts",
        "SELECT json_extract(document, '$.blob') FROM damaged",
        "SELECT value FROM damaged, json_each(document, '$.files')",
    ):
        database.execute(f"DELETE FROM files WHERE name IN ({named})")
    return [name for (name,) in database.select("SELECT name FROM files")]


def files_in(folder: Path) -> Iterator[tuple[str, int]]:
    """Name and size in bytes of each file of an object; what else somebody has put there is left alone."""
    for entry in os.scandir(folder) if folder.is_dir() else ():
        if entry.is_file(follow_symlinks=False):
            yield entry.name, entry.stat(follow_symlinks=False).st_size
        else:
            LOG.warning("%s is not a file of an object, and is left alone: move it away", entry.path)


@contextmanager
def files_on_disk(database: Database, files: Iterator[tuple[str, int]]) -> Iterator[None]:
    """Names and sizes of files as a table, so that memory does not grow with their number."""
    with database.lock:
        database.execute("CREATE TEMP TABLE files (name TEXT, size INTEGER)")
        try:
            database.execute_many("INSERT INTO files VALUES (?, ?)", files)
            database.execute("CREATE UNIQUE INDEX files_by_name ON files (name, size)")
            yield
        finally:
            database.execute("DROP TABLE files")


def _unfit(database: Database, table: str, fields: Fields, condition: str, *values: Any) -> Iterator[Unfit]:
    keys = KEYS[table]
    tests = ["typeof(document) = 'text'", "json_valid(document)", "json_type(document) = 'object'"]
    tests += [f"json_type(document, '$.{name}') IN {_list(types)}" for name, types in fields.items()]
    # CASE tests one thing after another, and JSON functions raise an error for what is not JSON.
    cases = " ".join(f"WHEN ({test}) IS NOT TRUE THEN {number}" for number, test in enumerate(tests))
    found = database.select(
        f"SELECT * FROM (SELECT {', '.join(keys)}, CASE {cases} END AS fault FROM {table} WHERE {condition}) "
        "WHERE fault IS NOT NULL",
        values,
    )
    names = list(fields)
    for *key, fault in found:
        reason = (
            "it is not a JSON object" if fault < 3 else f"its field {names[fault - 3]} is missing or has the wrong type"
        )
        yield Unfit(table, dict(zip(keys, key, strict=True)), named_row(table, key), reason)


def _list(types: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{name}'" for name in types) + ")"


def named_row(table: str, key: Sequence[Any]) -> str:
    """What a row is of, for a person."""
    if table == "records":
        return f"the {key[0]} {key[1]}"
    if table == "objects":
        return f"the object s3://{key[0]}/{key[1]}"
    if table == "buckets":
        return f"the settings of the bucket {key[0]}"
    if table == "snapshots":
        return f"the state of the service {key[0]}"
    if table == "damaged":
        return f"the damaged piece {key[0]}"
    return f"the upload {key[1]} to the bucket {key[0]}"
