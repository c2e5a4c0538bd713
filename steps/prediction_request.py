"""Read the body of a prediction request into typed raw rows, or say what is wrong with it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from steps.column_settings import Column
from steps.columns import is_missing
from steps.conversion import described
from steps.failure import did_you_mean, listed
from steps.plain_values import convert_values

JSON, CSV = "application/json", "text/csv"
# strict: a row that the training rows were not like is to be refused, not answered with warnings. comparables: the
# training rows that are most like each row are to be told. reasons: what each feature adds to the prediction.
ASKED = ("strict", "comparables", "reasons")


class RequestFault(ValueError):
    """A request that cannot be answered; the message is one sentence, `status` the HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class Request(NamedTuple):
    """The model's raw columns, converted to their types, how many rows there are, and which of ASKED is asked for."""

    columns: dict[str, np.ndarray]
    rows: int
    asked: frozenset[str]


def read_request(
    body: bytes | str, content_type: str | None, inputs: Mapping[str, Column], others: Collection[str] = ()
) -> Request:
    """Read a request; the fields in `others` may be there too, and are not looked at.

    text/csv: with a header row that names the fields, or without one in the order of `inputs`.
    application/json: {"instances": [{field: value}, ...]}, a list of such objects, or one object.
    What of ASKED is asked for says {"instances": [...], "strict": true} or, in both types, the parameter strict=true of
    the content type.
    Raises RequestFault (400, or 415 for another content type) naming field and row.
    """
    kind, _, parameters = (part.strip().lower() for part in (content_type or "").partition(";"))
    if kind not in (JSON, CSV):
        raise RequestFault(f"The content type {kind or 'is missing and'} is not {CSV} or {JSON}.", 415)
    try:
        text = body if isinstance(body, str) else bytes(body).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestFault("The body is not text in UTF-8.") from error
    if not text.strip():
        raise RequestFault(f"The body is empty: send at least one row with {listed(inputs)}.")
    asked = _asked(parameters)
    if kind == JSON:
        given, rows, also = _json_columns(text, inputs, others)
        asked |= also
    else:
        given, rows = _csv_columns(text, inputs, others)
    return Request({name: _typed(name, given[name], column) for name, column in inputs.items()}, rows, asked)


def _asked(parameters: str) -> frozenset[str]:
    """What the parameters of a content type, in small letters, ask for."""
    found = set()
    for parameter in parameters.split(";"):
        name, _, value = (part.strip() for part in parameter.partition("="))
        if name in ASKED:
            if value not in ("true", "false"):
                raise RequestFault(f"The content type's parameter {name} is {value!r}, not true or false.")
            found |= {name} if value == "true" else set()
    return frozenset(found)


def _json_columns(
    text: str, inputs: Mapping[str, Column], others: Collection[str]
) -> tuple[dict[str, Sequence[Any]], int, frozenset[str]]:
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise RequestFault(f"The body is not JSON: {error}.") from error
    except ValueError as error:
        raise RequestFault("The body holds a number with more digits than can be read.") from error
    document, asked = _instances(document, inputs)
    records = [document] if isinstance(document, dict) else document
    if not isinstance(records, list):
        raise RequestFault('The body must be {"instances": [...]}, a list of objects, or one object.')
    if not records:
        raise RequestFault(f"The body has no rows: send at least one with {listed(inputs)}.")
    fields, allowed = inputs.keys(), {*inputs, *others}
    needed = {name for name, column in inputs.items() if not column.optional}
    for number, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            raise RequestFault(f"Row {number} is not an object of field names and values.")
        if record.keys() != fields and not needed <= record.keys() <= allowed:
            _check_fields(list(record), inputs, others, number)
    return {name: [record.get(name) for record in records] for name in inputs}, len(records), asked


def _instances(document: Any, inputs: Mapping[str, Column]) -> tuple[Any, frozenset[str]]:
    """What holds the rows, and what of ASKED stands beside it. A field of that name never holds a list."""
    named = isinstance(document, dict) and "instances" in document
    if named and ("instances" not in inputs or isinstance(document["instances"], list)):
        unexpected = sorted(set(document) - {"instances", *ASKED})
        if unexpected:
            raise RequestFault(f"The body has the unexpected key {unexpected[0]} beside instances: remove it.")
        for name in ASKED:
            if not isinstance(document.get(name, False), bool):
                raise RequestFault(f"The body's {name} is neither true nor false.")
        return document["instances"], frozenset(name for name in ASKED if document.get(name))
    return document, frozenset()


def _csv_columns(
    text: str, inputs: Mapping[str, Column], others: Collection[str]
) -> tuple[dict[str, Sequence[Any]], int]:
    names = [*inputs, *others]
    try:
        rows = [row for row in csv.reader(io.StringIO(text), skipinitialspace=True, strict=True) if row]
    except csv.Error as error:
        raise RequestFault(f"The body is not CSV: {error}.") from error
    header = [name.strip() for name in rows[0]]
    # Names among the cells make it a header, so that a misspelt header is not taken for data.
    if any(name in names for name in header):
        doubled = [name for name in names if header.count(name) > 1]
        if doubled:
            raise RequestFault(f"The header has {listed(doubled)} more than once.")
        _check_fields(header, inputs, others, None)
        rows = rows[1:]
    else:
        header = list(inputs)
    if not rows:
        raise RequestFault("The body has a header but no rows.")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            order = f": the order is {', '.join(header)}" if len(header) < 40 else ""
            raise RequestFault(f"Row {number} has {len(row)} fields instead of {len(header)}{order}.")
    given = dict(zip(header, zip(*rows, strict=True), strict=True))
    return {name: given.get(name) or [None] * len(rows) for name in inputs}, len(rows)


def _check_fields(found: Sequence[str], inputs: Mapping[str, Column], others: Collection[str], row: int | None) -> None:
    """Raise RequestFault for missing and extra fields of a header (row None) or of one object."""
    place = "The header" if row is None else f"Row {row}"
    missing = [name for name, column in inputs.items() if name not in found and not column.optional]
    extra = [name for name in found if name not in inputs and name not in others]
    faults = []
    if missing:
        faults.append(f"lacks {'the field' if len(missing) == 1 else 'the fields'} {listed(missing)}")
    if extra:
        hint = did_you_mean(extra[0], missing) if missing else ""
        noun = "the unexpected field" if len(extra) == 1 else "the unexpected fields"
        faults.append(f"has {noun} {listed(extra)}{hint}")
    if faults:
        sentence = f"{place} {' and '.join(faults)}"
        raise RequestFault(sentence if sentence.endswith("?") else f"{sentence}.")


def _typed(name: str, values: Sequence[Any], column: Column) -> np.ndarray:
    """Convert the values of one field; raise RequestFault for the first that cannot be, or is missing."""
    converted, bad = convert_values(values, column)
    if bad is not None:
        row = int(np.flatnonzero(bad)[0])
        raise RequestFault(f"Row {row + 1}, field {name}: {values[row]!r} is not {described(column)}.")
    if not column.optional:
        gaps = is_missing(converted)
        if gaps.any():
            raise RequestFault(f"Row {int(np.flatnonzero(gaps)[0]) + 1}, field {name}: the value is missing.")
    return converted
