"""A person's file of rows, read a row at a time: what of it goes to the model, and the predictions beside it."""

import csv
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deployment.errors import DeploymentError

SUFFIXES = (".csv", ".json")
SEPARATORS = (";", "\t", "|")  # of files that are no CSV with commas


@dataclass(frozen=True)
class Table:
    """A .csv file with a header, or a .json file with rows; `header` are its columns."""

    path: Path
    header: tuple[str, ...]

    def rows(self) -> Iterator[list[str]]:
        """Each row as texts in the order of the header; DeploymentError with the row, from 1, that has not as many."""
        read = _json_rows(self.path, self.header) if self.path.suffix.lower() == ".json" else _csv_rows(self.path)
        for number, row in enumerate(read, start=1):
            if len(row) != len(self.header):
                raise DeploymentError(
                    f"{self.path}, row {number} has {len(row)} fields, and the header {len(self.header)}."
                )
            if any("\n" in cell or "\r" in cell for cell in row):
                raise DeploymentError(
                    f"{self.path}, row {number} has a line break within a field: a batch transform reads lines."
                )
            yield row


def open_table(path: Path) -> Table:
    """Read the columns of a file; DeploymentError where it is missing, of another kind, or has no rows."""
    if path.suffix.lower() not in SUFFIXES:
        raise DeploymentError(f"{path} does not end in {' or '.join(SUFFIXES)}.")
    try:
        if path.suffix.lower() == ".json":
            header = tuple(dict.fromkeys(name for record in _records(path) for name in record))
        else:
            header = tuple(name.strip() for name in next(_lines(path), []))
    except OSError as error:
        raise DeploymentError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from None
    if len(header) == 1 and (found := next((mark for mark in SEPARATORS if mark in header[0]), None)):
        raise DeploymentError(f"The fields of {path} are separated by {found!r}: write them with commas between them.")
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise DeploymentError(f"The header of {path} has {doubled[0]!r} more than once.")
    table = Table(path, header)
    if next(table.rows(), None) is None:
        raise DeploymentError(f"{path} has no rows: it needs a header and at least one row to predict.")
    return table


def write_records(table: Table, fields: Sequence[str], path: Path) -> int:
    """Write each row's number, from 1, and the model's fields as CSV without a header; how many rows there are.

    A field that the file lacks is empty: whether it may be is the model's to say. DeploymentError where it has none.
    """
    places = {name: table.header.index(name) for name in fields if name in table.header}
    if not places:
        raise DeploymentError(f"The header of {table.path} has none of the model's fields {', '.join(fields)}.")
    number = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        for number, row in enumerate(table.rows(), start=1):
            writer.writerow([number, *(row[places[name]] if name in places else "" for name in fields)])
    return number


def merge(table: Table, answers: Path, output: Path, target: str) -> None:
    """Write the rows with their predictions in the last column, `predicted_TARGET`; the file appears whole.

    DeploymentError where a row has no answer, or one that is not a number.
    """
    partial = output.with_name(f".{output.name}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as stream, answers.open(encoding="utf-8") as given:
            writer, read = csv.writer(stream, lineterminator="\n"), csv.reader(given)
            writer.writerow([*table.header, column_of(target)])
            for number, row in enumerate(table.rows(), start=1):
                answer = next(read, [])
                if len(answer) != 2 or answer[0] != str(number) or not _is_number(answer[1]):
                    raise DeploymentError(f"{table.path}, row {number} has no prediction: the job answered {answer}.")
                writer.writerow([*row, answer[1]])
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)


def column_of(target: str) -> str:
    """The column that the predictions have."""
    return f"predicted_{target}"


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _csv_rows(path: Path) -> Iterator[list[str]]:
    lines = _lines(path)
    next(lines, None)
    yield from lines


def _lines(path: Path) -> Iterator[list[str]]:
    """The rows of a CSV file, the header among them, without empty lines."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from (row for row in csv.reader(stream, skipinitialspace=True, strict=True) if row)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DeploymentError(f"{path} is not CSV in UTF-8: {error}.") from None


def _json_rows(path: Path, header: Sequence[str]) -> Iterator[list[str]]:
    for record in _records(path):
        yield ["" if record.get(name) is None else _text(record[name]) for name in header]


def _records(path: Path) -> list[dict[str, object]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DeploymentError(f"{path} is not JSON: {error}.") from None
    if isinstance(document, dict):
        document = document.get("instances", document)
    records = [document] if isinstance(document, dict) else document
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise DeploymentError(f'{path} must hold {{"instances": [...]}}, a list of objects, or one object.')
    return records


def _text(value: object) -> str:
    return str(value) if isinstance(value, str) else json.dumps(value)
