"""What of an object is shown, by its kind: a document, the first rows of a table, a page, an image, text."""

import csv
import io
import json
import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studio.account.account import Account
from studio.errors import StudioError
from studio.previews.objects import MOST_RAW, MOST_SHOWN, read_start, read_whole, split_uri

ROWS, COLUMNS, MEMBERS = 50, 60, 500
MOST_WHOLE = 16 << 20  # bytes of a table that is read at once; of a larger one, only the parts that its head needs
IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
}
PAGES = (".html", ".htm")


@dataclass(frozen=True)
class Table:
    """The head of a table."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str


@dataclass(frozen=True)
class Preview:
    """One object; which of the fields is set says how it is shown."""

    uri: str
    size: int
    kind: str
    text: str | None = None
    document: Any = None
    table: Table | None = None
    note: str | None = None


def preview(account: Account, uri: str) -> Preview:
    """Read as much of an object as is shown; what cannot be read as its kind is shown as text."""
    name = uri.lower()
    start, size = read_start(account, uri)
    if name.endswith(PAGES):
        return Preview(uri, size, "page")
    if name.endswith(tuple(IMAGES)):
        return Preview(uri, size, "image")
    cut = None if size <= MOST_SHOWN else f"The first {MOST_SHOWN:,} of {size:,} bytes."
    if name.endswith(".parquet"):
        return _or_text(uri, size, start, lambda: _parquet(account, uri, size), "table")
    if name.endswith((".tar.gz", ".tgz")):
        return _or_text(uri, size, start, lambda: _members(account, uri), "table")
    if name.endswith(".csv"):
        return Preview(uri, size, "table", table=_csv(start, cut))
    if name.endswith(".json") and cut is None:
        try:
            return Preview(uri, size, "document", document=json.loads(start))
        except (ValueError, RecursionError):
            return Preview(uri, size, "text", text=_text(start), note="This is not JSON.")
    return Preview(uri, size, "text", text=_text(start), note=cut)


def raw(account: Account, uri: str) -> tuple[bytes, str]:
    """The bytes of a page or an image with their media type; anything else is plain text, whatever it claims."""
    name = uri.lower()
    media = next((kind for ending, kind in IMAGES.items() if name.endswith(ending)), None)
    if name.endswith(PAGES):
        media = "text/html; charset=utf-8"
    return read_whole(account, uri, MOST_RAW), media or "text/plain; charset=utf-8"


def _or_text(uri: str, size: int, start: bytes, read: Any, kind: str) -> Preview:
    try:
        return Preview(uri, size, kind, table=read())
    except (OSError, ValueError, EOFError, tarfile.TarError, zlib.error, StudioError) as error:
        return Preview(uri, size, "text", text=_text(start[:1024]), note=f"It cannot be read: {error}")


def _csv(start: bytes, cut: str | None) -> Table:
    rows = list(_rows(start))
    columns, shown = (rows[0] if rows else []), rows[1 : ROWS + 1]
    return Table(columns[:COLUMNS], [row[:COLUMNS] for row in shown], cut or f"The first {len(shown)} rows.")


def _rows(start: bytes) -> list[list[str]]:
    try:
        reader = csv.reader(io.StringIO(_text(start)))
        return [row for row, _ in zip(reader, range(ROWS + 1), strict=False)]
    except csv.Error:
        return [[line] for line in _text(start).splitlines()[: ROWS + 1]]


def _parquet(account: Account, uri: str, size: int) -> Table:
    import pyarrow.parquet as parquet

    source = io.BytesIO(read_whole(account, uri, size)) if size <= MOST_WHOLE else _Ranges(account, uri, size)
    file = parquet.ParquetFile(source, pre_buffer=True)
    head = next(file.iter_batches(batch_size=ROWS), None)
    names = file.schema_arrow.names
    columns = [head.column(index).to_pylist() for index in range(len(names[:COLUMNS]))] if head is not None else []
    rows = [[_cell(value) for value in row] for row in zip(*columns, strict=True)]
    note = f"The first {len(rows)} of {file.metadata.num_rows:,} rows, {len(names)} columns."
    return Table(names[:COLUMNS], rows, note)


def _members(account: Account, uri: str) -> Table:
    content = io.BytesIO(read_whole(account, uri, MOST_RAW))
    rows = []
    with tarfile.open(fileobj=content, mode="r:gz") as tar:
        for member in tar:
            rows.append([member.name, f"{member.size:,}"])
            if len(rows) == MEMBERS:
                break
    return Table(["file", "bytes"], rows, f"{len(rows)} files of the archive.")


def _cell(value: Any) -> str:
    return "" if value is None else str(value)[:200]


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace").replace("\0", "\\0")


class _Ranges(io.RawIOBase):
    """An object of S3 as a file that is read in ranges, so that the head of a large table costs little."""

    def __init__(self, account: Account, uri: str, size: int) -> None:
        self._client, (self._bucket, self._key) = account.client("s3"), split_uri(uri)
        self._size, self._at = size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._size if size is None or size < 0 else min(self._size, self._at + size)
        if end <= self._at:
            return b""
        answer = self._client.get_object(Bucket=self._bucket, Key=self._key, Range=f"bytes={self._at}-{end - 1}")
        content: bytes = answer["Body"].read()
        self._at += len(content)
        return content
