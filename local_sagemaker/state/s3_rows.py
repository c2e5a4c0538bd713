"""The versions of an object as rows, and pages of keys by the index: neither reads more than it needs."""

import sqlite3
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

from local_sagemaker.state.s3_documents import OBJECT_FIELDS, dumped

COLUMNS = "number, marker, version, modified, size, etag, storage_class, checksum_algorithm, blob, document"
LISTED = "key, number, latest, marker, version, modified, size, etag, storage_class, checksum_algorithm"


class Row(NamedTuple):
    """One version of an object, or a delete marker; `modified` is UTC in ISO 8601, `size` in bytes."""

    number: int
    marker: int
    version: str
    modified: str
    size: int | None
    etag: str | None
    storage_class: str | None
    checksum_algorithm: str | None
    blob: str | None
    document: str


class Listed(NamedTuple):
    """What a listing says of one version."""

    key: str
    number: int
    latest: int
    marker: int
    version: str
    modified: str
    size: int
    etag: str
    storage_class: str
    checksum_algorithm: str | None


def row_of(number: int, version: Any, tags: dict[str, str | None]) -> Row:
    """The row of moto's object, or of its delete marker."""
    modified = version.last_modified.isoformat()
    if not hasattr(version, "blob"):
        return Row(number, 1, version._version_id, modified, None, None, None, None, None, "{}")
    fields = {name: getattr(version, name) for name in OBJECT_FIELDS} | {"tags": tags}
    if version.multipart is not None:
        fields["upload"] = version.multipart.id
        fields["parts"] = [
            (name, part.contentsize, part._etag) for name, part in sorted(version.multipart.parts.items())
        ]
    return Row(
        number,
        0,
        version._version_id or "null",
        modified,
        version.contentsize,
        version._etag,
        version._storage_class,
        version.checksum_algorithm,
        version.blob,
        dumped(fields),
    )


def versions(connection: sqlite3.Connection, bucket: str, key: str) -> list[Row]:
    """The versions of a key, oldest first; none for a key that is not a text, under which nothing can be kept."""
    try:
        key.encode()
    except UnicodeEncodeError:
        return []
    statement = f"SELECT {COLUMNS} FROM objects WHERE bucket = ? AND key = ? ORDER BY number"
    return [Row(*row) for row in connection.execute(statement, (bucket, key))]


def changes(bucket: str, key: str, before: list[Row], after: list[Row]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The statements, with their values, that turn the versions of a key into others."""
    kept = {(row, row is before[-1]) for row in before}
    numbers = {row.number for row in after}
    for row in before:
        if row.number not in numbers:
            yield (
                "DELETE FROM objects WHERE bucket = ? AND key = ? AND number = ?",
                (bucket, key, row.number),
            )
    for row in after:
        latest = row is after[-1]
        if (row, latest) not in kept:
            yield (
                f"INSERT OR REPLACE INTO objects (bucket, key, latest, {COLUMNS}) "
                f"VALUES ({', '.join('?' * (3 + len(row)))})",
                (bucket, key, int(latest), *row),
            )


def any_of(connection: sqlite3.Connection, bucket: str) -> bool:
    """Whether a bucket has any object, version or delete marker."""
    return connection.execute("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (bucket,)).fetchone() is not None


def totals(connection: sqlite3.Connection, bucket: str) -> tuple[int, int]:
    """How many keys a bucket has, and how many bytes."""
    keys, size = connection.execute(
        "SELECT coalesce(sum(latest), 0), coalesce(sum(size), 0) FROM objects WHERE bucket = ?", (bucket,)
    ).fetchone()
    return int(keys), int(size)


def current(
    connection: sqlite3.Connection, bucket: str, prefix: str, delimiter: str, after: str
) -> Iterator[Listed | str]:
    """The objects and the common prefixes whose names start with `prefix` and come after `after`, by name.

    In the order of UTF-8, as S3 has it. A common prefix costs one search, however many keys it holds.
    """
    return _names(_current_from, connection, bucket, prefix, delimiter, after, max(prefix, after) != after)


def every_version(
    connection: sqlite3.Connection, bucket: str, prefix: str, delimiter: str, after: str, after_number: int | None
) -> Iterator[Listed | str]:
    """The versions, newest first within a key, and the common prefixes; after a key, or after one of its versions."""
    inclusive = max(prefix, after) != after or after_number is not None
    names = _names(_versions_from, connection, bucket, prefix, delimiter, after, inclusive)
    for name, group in groupby(names, lambda found: found if isinstance(found, str) else (found.key,)):
        for found in reversed(list(group)):
            if isinstance(found, str) or name != (after,) or after_number is None or found.number < after_number:
                yield found


def number_of(connection: sqlite3.Connection, bucket: str, key: str, version: str) -> int | None:
    """The number of a version of a key, or None."""
    row = connection.execute(
        "SELECT number FROM objects WHERE bucket = ? AND key = ? AND version = ?", (bucket, key, version)
    ).fetchone()
    return None if row is None else int(row[0])


def common_prefix(key: str, prefix: str, delimiter: str) -> str | None:
    """What S3 shows in the place of a key that has the delimiter after the prefix."""
    end = key.find(delimiter, len(prefix)) if delimiter else -1
    return None if end < 0 else key[: end + len(delimiter)]


def past(prefix: str) -> str | None:
    """The least text after every text that starts with `prefix`, in the order of UTF-8; None where there is none."""
    shorter = prefix.rstrip("\U0010ffff")
    if not shorter:
        return None
    following = ord(shorter[-1]) + 1
    return shorter[:-1] + chr(0xE000 if following == 0xD800 else following)  # no text holds a surrogate


def _names(
    scan: Callable[[sqlite3.Connection, str, str, bool], Iterator[Listed]],
    connection: sqlite3.Connection,
    bucket: str,
    prefix: str,
    delimiter: str,
    after: str,
    inclusive: bool,
) -> Iterator[Listed | str]:
    """What a scan finds from the later of `prefix` and `after` on, with the common prefixes, whose keys it skips."""
    place = max(prefix, after)
    while True:
        for found in scan(connection, bucket, place, inclusive):
            if not found.key.startswith(prefix):
                return
            common = common_prefix(found.key, prefix, delimiter)
            if common is None:
                yield found
                continue
            if common > after:
                yield common
            following = past(common)
            if following is None:
                return
            place, inclusive = following, True
            break
        else:
            return


def _current_from(connection: sqlite3.Connection, bucket: str, key: str, inclusive: bool) -> Iterator[Listed]:
    statement = (
        f"SELECT {LISTED} FROM objects INDEXED BY current_objects "
        f"WHERE bucket = ? AND key {'>=' if inclusive else '>'} ? AND latest AND NOT marker ORDER BY key"
    )
    return map(Listed._make, connection.execute(statement, (bucket, key)))


def _versions_from(connection: sqlite3.Connection, bucket: str, key: str, inclusive: bool) -> Iterator[Listed]:
    statement = (
        f"SELECT {LISTED} FROM objects WHERE bucket = ? AND key {'>=' if inclusive else '>'} ? ORDER BY key, number"
    )
    return map(Listed._make, connection.execute(statement, (bucket, key)))
