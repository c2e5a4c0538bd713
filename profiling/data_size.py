"""How large a data set is, without reading it: rows, and bytes on disk and unpacked."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from steps.csv_file import GZIP, UNPACKING_ERRORS, ZIP
from steps.data_set import Part
from steps.raw_data import PARQUET_MAGIC

SAMPLE = 4 << 20  # bytes of a CSV file by which its rows are counted


@dataclass(frozen=True)
class DataSize:
    """Rows, counted exactly in Parquet and by a sample of each CSV file.

    size: bytes on disk. text: bytes of the largest CSV file, unpacked; binary: those of the largest Parquet file.
    """

    rows: int
    size: int
    text: int
    binary: int
    exact: bool


def size_of(parts: Sequence[Part]) -> DataSize:
    """The size of a data set; a part that cannot be read counts for no rows: who reads it will name it."""
    rows, text, binary, exact = 0, 0, 0, True
    for part in parts:
        with part.path.open("rb") as stream:
            start = stream.read(len(PARQUET_MAGIC))
        if start == PARQUET_MAGIC:
            rows += _parquet_rows(part)
            binary = max(binary, part.path.stat().st_size)
        else:
            count, unpacked, whole = _csv_rows(part, start)
            rows, text, exact = rows + count, max(text, unpacked), exact and whole
    return DataSize(rows, sum(part.path.stat().st_size for part in parts), text, binary, exact)


def _parquet_rows(part: Part) -> int:
    import pyarrow.parquet

    try:
        return int(pyarrow.parquet.read_metadata(part.path).num_rows)
    except (ValueError, OSError):  # pyarrow's ArrowInvalid is a ValueError
        return 0


def _csv_rows(part: Part, start: bytes) -> tuple[int, int, bool]:
    """Rows and unpacked bytes, and whether all of them were seen."""
    packed = part.path.stat().st_size
    try:
        with part.path.open("rb") as stream:
            if start == ZIP:
                with zipfile.ZipFile(stream) as archive:
                    largest = max(archive.infolist(), key=lambda member: member.file_size)
                    with archive.open(largest) as unzipped:
                        return _counted(unzipped.read(SAMPLE), largest.file_size)
            sample = stream.read(SAMPLE)
            if start.startswith(GZIP):
                text = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(sample)
                return _counted(text, round(len(text) * packed / len(sample)))
            return _counted(sample, packed)
    except (*UNPACKING_ERRORS, ValueError):
        return 0, packed, False


def _counted(sample: bytes, size: int) -> tuple[int, int, bool]:
    """The same of a file of that many bytes, by those that it begins with."""
    lines = sample.count(b"\n") + (not sample.endswith(b"\n"))
    if len(sample) >= size:
        return max(lines - 1, 0), size, True
    return round((lines - 1) * size / max(len(sample), 1)), size, False
