"""Read a CSV file as texts: unpacked, decoded, its header and rows told apart, rows that do not fit named."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from steps.failure import JobError, listed
from steps.text_format import FileFormat

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
# What gzip and zip raise of content that is damaged, encrypted or packed in a way that Python does not know.
UNPACKING_ERRORS = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)
SEPARATORS = (",", ";", "\t", "|")
SHOWN_SEPARATORS = {"\t": "a tab", " ": "a space"}
SAMPLE_LINES, MOST_TITLES = 20, 5
WRONG_HEADER = 0.9  # share of rows with more fields than the header above which it is the header that is wrong
EXCEL_TEXT = r'^="(.*)"$'  # by which Excel is told that digits are a text
OTHER_KINDS = {r"\s*[\[{]\s*[\[{\"]": "JSON", r"\s*<(!doctype|html)": "a page in HTML", r"\s*<\?xml": "XML"}
MOST_NAMED = 5
EXCEL_HINT = re.compile(r'\A\s*"?sep=.?"?\r?\n', re.IGNORECASE)  # the line that tells Excel the separator: no header


def unpacked(content: bytes, name: str) -> bytes:
    """The one file in a gzip or zip file, or the content itself. Raises JobError where there is not one file."""
    try:
        if content.startswith(GZIP):
            return gzip.decompress(content)
        if not content.startswith(ZIP):
            return content
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [each for each in archive.namelist() if not each.endswith("/") and not _is_hidden(each)]
            if "[Content_Types].xml" in members:
                raise JobError(f"The data file {name} is a workbook: save its sheet as CSV.")
            if len(members) != 1:
                found = listed(members[:5])
                raise JobError(f"{name} holds {len(members)} files ({found}): give one CSV or Parquet file.")
            return archive.read(members[0])
    except UNPACKING_ERRORS as error:
        raise JobError(f"The data file {name} cannot be unpacked: {' '.join(str(error).split())}.") from error


def _is_hidden(member: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in Path(member).parts)


def read_csv(content: bytes, name: str, written: FileFormat) -> tuple[pd.DataFrame, dict[int, str]]:
    """The rows as texts, an empty field as an empty text, and why a row is broken by its place from 0.

    A broken row has more fields than the header; those are cut off. Raises JobError for what is not such a file.
    """
    text = _decoded(content, name, written.encoding)
    kind = next((kind for start, kind in OTHER_KINDS.items() if re.match(start, text, re.IGNORECASE)), None)
    if kind is not None:
        raise JobError(f"The data file {name} is {kind}: give a CSV or Parquet file.")
    try:
        header = next(csv.reader(io.StringIO(text), delimiter=written.separator, skipinitialspace=True), [])
    except csv.Error as error:
        raise JobError(f"The data file {name} is not a valid CSV file: {error}.") from error
    names = [cell.strip() or f"Unnamed: {place}" for place, cell in enumerate(header)]
    _check_header(names, text, name, written)
    options: dict[str, Any] = {"sep": written.separator, "dtype": str, "keep_default_na": False}
    options |= {"skipinitialspace": True, "names": names, "header": 0}
    try:
        table = pd.read_csv(io.StringIO(text), **options)
    except pd.errors.ParserError:
        return _row_by_row(text, name, names, written)
    except ValueError as error:
        raise JobError(f"The data file {name} is not a valid CSV file: {' '.join(str(error).split())}.") from error
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes the first of too many fields for a row's name
        return _row_by_row(text, name, names, written)
    table = table.fillna("")  # a row with too few fields ends in empty ones
    return (table.replace(EXCEL_TEXT, r"\1", regex=True) if '="' in text else table), {}


def _decoded(content: bytes, name: str, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, UnicodeError) as error:
        place = content[: getattr(error, "start", 0)].count(b"\n") + 1
        raise JobError(
            f"The data file {name} is neither Parquet nor CSV in {encoding} (line {place} cannot be read): "
            "set data.format.encoding in the YAML, such as cp1252 or utf-16."
        ) from error
    if "\0" in text:
        raise JobError(f"The data file {name} is neither Parquet nor CSV in {encoding}: it holds zero bytes.")
    if "\n" not in text:  # of an old Macintosh
        text = text.replace("\r", "\n")
    return EXCEL_HINT.sub("", text.removeprefix("\ufeff")).lstrip("\r\n")


def refuse_doubled(names: list[str], name: str) -> None:
    """Raise JobError where a file has columns of the same name."""
    doubled = sorted(each for each, count in Counter(names).items() if count > 1)
    if doubled:
        more = [f"{len(doubled) - MOST_NAMED} others"] if len(doubled) > MOST_NAMED else []
        which = listed([*doubled[:MOST_NAMED], *more])
        raise JobError(f"The data file {name} has {which} more than once: give each column a name of its own.")


def _check_header(names: list[str], text: str, name: str, written: FileFormat) -> None:
    refuse_doubled(names, name)
    found = separator_of(text)
    if len(names) == 1 and found != written.separator:
        raise JobError(
            f"The fields of {name} are separated by {SHOWN_SEPARATORS.get(found, repr(found))}: set "
            f"data.format.separator to {_yaml(found)} in the YAML."
        )


def _yaml(separator: str) -> str:
    return '"\\t"' if separator == "\t" else f'"{separator}"'


def separator_of(text: str) -> str:
    """The character of SEPARATORS that divides the first lines into most fields, equally many in each; else ",".

    A few lines of one field each, such as a title above the table, are passed over.
    """
    lines = [line for line in EXCEL_HINT.sub("", text[:100_000]).splitlines() if line.strip()][:SAMPLE_LINES]
    found = (_divider(lines[titles:]) for titles in range(min(MOST_TITLES, len(lines)) + 1))
    return next((separator for separator in found if separator), ",")


def _divider(lines: list[str]) -> str | None:
    """The separator that divides all of the lines into most fields; None where none does."""
    best, most = None, 1
    for separator in SEPARATORS:
        try:
            counts = {len(row) for row in csv.reader(lines, delimiter=separator, skipinitialspace=True)}
        except csv.Error:
            continue
        fields = min(counts, default=1)
        if fields > most and max(counts) - fields <= 1:
            best, most = separator, fields
    return best


def _header_advice(text: str, written: FileFormat) -> str:
    """What to do about a header of too few fields: which lines to delete, where titles of few fields stand above it."""
    reader = csv.reader(io.StringIO(text), delimiter=written.separator, skipinitialspace=True)
    lines = [(reader.line_num, len(row)) for row in reader if row]
    usual = Counter(fields for _, fields in lines).most_common(1)[0][0]
    first = next(place for place, (_, fields) in enumerate(lines) if fields == usual)
    if first == 0 or max(fields for _, fields in lines[:first]) > usual / 2:
        return "give each field a name, and put a text that holds the separator into double quotes."
    return f"delete the lines above the names of the columns, lines 1 to {lines[first - 1][0]}."


def _row_by_row(text: str, name: str, names: list[str], written: FileFormat) -> tuple[pd.DataFrame, dict[int, str]]:
    """What the fast reader refuses for one row: the rows one by one, those with too many fields marked."""
    reader = csv.reader(io.StringIO(text), delimiter=written.separator, skipinitialspace=True)
    try:
        rows = [row for row in reader if row][1:]
    except csv.Error as error:
        raise JobError(f"Line {reader.line_num} of {name} is not CSV: {error}.") from error
    width = len(names)
    broken = {
        place: f"the row has {len(row)} fields where the header has {width}"
        for place, row in enumerate(rows)
        if any(cell.strip() for cell in row[width:])
    }
    if rows and len(broken) >= WRONG_HEADER * len(rows):
        raise JobError(f"The rows of {name} have more fields than its header: {_header_advice(text, written)}")
    padded = [row[:width] + [""] * (width - len(row)) for row in rows]
    return pd.DataFrame(padded, columns=names, dtype=str), broken
