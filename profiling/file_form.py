"""How a file is written, found by looking: packed, encoded, separated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from steps.csv_file import separator_of, unpacked
from steps.data_set import parts_of
from steps.failure import JobError, listed
from steps.raw_data import PARQUET_MAGIC, read_part
from steps.text_format import FileFormat

NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
SIDE_BY_SIDE = 0.5  # share of the bytes beyond ASCII above which they are of another script than the Latin one
OTHER_SCRIPTS = ("cp932", "gb18030", "euc_kr", "big5", "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp1250")
MOST_WORDS = 2  # of the name of the only column of a file
LONGEST_LOOK = 200_000  # bytes by which the encoding is told
BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True)
class Found:
    """The table of a file, its values still as they are written, and the form that was found."""

    file: str
    table: pd.DataFrame
    form: FileFormat
    broken: dict[int, str]


def look_at(path: Path, encoding: str | None = None) -> Found:
    """Read files whose form nobody has told, but perhaps the encoding: that of the first.

    JobError where one is neither CSV nor Parquet, or has no names in its first line.
    """
    parts = parts_of(path)
    form = form_of(parts[0].path, encoding)
    tables, broken = list[pd.DataFrame](), dict[int, str]()
    for part in parts:
        table, faults = read_part(part, form)
        _refuse_header([str(name) for name in table.columns], part.name)
        if tables and set(table.columns) != set(tables[0].columns):
            other = listed(sorted(set(table.columns) ^ set(tables[0].columns)))
            raise JobError(
                f"{part.name} and {parts[0].name} have different columns ({other}): give files of one table."
            )
        broken |= {sum(map(len, tables)) + row: reason for row, reason in faults.items()}
        tables.append(table)
    if not sum(map(len, tables)):
        raise JobError(f"The data file {path.name} has columns but no rows.")
    return Found(path.name, pd.concat(tables, ignore_index=True), form, broken)


def _refuse_header(names: Sequence[str], file: str) -> None:
    """Raise JobError where the first line holds values, or names between blanks alone.

    Numbers that count, such as years, may be names.
    """
    if len(names) == 1 and len(words := names[0].split()) > MOST_WORDS:
        raise JobError(
            f"The fields of {file} seem to be separated by blanks ({listed(words[:3])}): write it with commas, or "
            "another character, between them."
        )
    numbers = [float(name) for name in names if NUMBER.fullmatch(name)]
    if len(numbers) >= max(2, len(names) / 2) and set(np.diff(numbers)) != {1.0}:
        raise JobError(
            f"The first line of {file} holds values ({listed(names[:3])}) where the names of the columns should be: "
            "write such a line above it."
        )


def form_of(path: Path, encoding: str | None = None) -> FileFormat:
    """Encoding and separator of a CSV file; the default of both for Parquet and for what cannot be read.

    JobError where Python does not know the `encoding` that is given.
    """
    content = unpacked(path.read_bytes(), path.name) if path.is_file() else b""
    if content.startswith(PARQUET_MAGIC):
        return FileFormat()
    encoding = encoding or BYTE_ORDER_MARKS.get(content[:2]) or _encoding(content)
    try:
        text = content.decode(encoding, errors="replace")
    except LookupError:
        raise JobError(f"{encoding} is not an encoding that Python knows: give one such as cp1252.") from None
    return FileFormat(encoding=encoding, separator=separator_of(text))


def _encoding(content: bytes) -> str:
    """utf-8, or else cp1252, as old programs of Western Europe write, or what is most probable of other scripts."""
    if _can_be(content, "utf-8"):
        return "utf-8"
    look = np.frombuffer(content[:LONGEST_LOOK], dtype=np.uint8) >= 0x80
    beside = look & (np.r_[look[1:], False] | np.r_[False, look[:-1]])
    if _can_be(content, "cp1252") and beside.sum() < SIDE_BY_SIDE * look.sum():
        return "cp1252"
    from charset_normalizer import from_bytes

    best = from_bytes(content[:LONGEST_LOOK], cp_isolation=list(OTHER_SCRIPTS)).best()
    found = [best.encoding] if best is not None and _can_be(content, best.encoding) else []
    return [*found, *(["cp1252"] if _can_be(content, "cp1252") else []), "latin-1"][0]


def _can_be(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
