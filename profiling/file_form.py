"""How a file is written, found by looking: packed, encoded, separated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from steps.csv_file import separator_of, unpacked
from steps.raw_data import PARQUET_MAGIC, find_file, read_rows
from steps.text_format import FileFormat

BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True)
class Found:
    """The table of a file, its values still as they are written, and the form that was found."""

    file: str
    table: pd.DataFrame
    form: FileFormat
    broken: dict[int, str]


def look_at(path: Path) -> Found:
    """Read a file whose form nobody has told. Raises JobError where it is neither CSV nor Parquet."""
    file = find_file(path)
    form = form_of(file)
    table, broken = read_rows(file, form)
    return Found(file.name, table, form, broken)


def form_of(path: Path) -> FileFormat:
    """Encoding and separator of a CSV file; the default of both for Parquet and for what cannot be read."""
    content = unpacked(path.read_bytes(), path.name) if path.is_file() else b""
    if content.startswith(PARQUET_MAGIC):
        return FileFormat()
    encoding = BYTE_ORDER_MARKS.get(content[:2]) or _encoding(content)
    text = content.decode(encoding, errors="replace")
    return FileFormat(encoding=encoding, separator=separator_of(text))


def _encoding(content: bytes) -> str:
    """utf-8, or else cp1252, of which every text of Western Europe's old programs is, or latin-1, which takes all."""
    for encoding in ("utf-8", "cp1252"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"
