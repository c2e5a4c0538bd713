"""How a file is written, found by looking: packed, encoded, separated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from steps.csv_file import separator_of, unpacked
from steps.data_set import parts_of
from steps.failure import JobError, listed
from steps.raw_data import PARQUET_MAGIC, read_part
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
    """Read files whose form nobody has told: that of the first. JobError where one is neither CSV nor Parquet."""
    parts = parts_of(path)
    form = form_of(parts[0].path)
    tables, broken = list[pd.DataFrame](), dict[int, str]()
    for part in parts:
        table, faults = read_part(part, form)
        if tables and set(table.columns) != set(tables[0].columns):
            other = listed(sorted(set(table.columns) ^ set(tables[0].columns)))
            raise JobError(
                f"{part.name} and {parts[0].name} have different columns ({other}): give files of one table."
            )
        broken |= {sum(map(len, tables)) + row: reason for row, reason in faults.items()}
        tables.append(table)
    return Found(path.name, pd.concat(tables, ignore_index=True), form, broken)


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
