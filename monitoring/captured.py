"""Captured requests: read one file at a time, into as much memory as a sample takes, however many there are."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.number_texts import counted
from monitoring.seen_before import SeenBefore

MOST_ROWS = 50_000  # rows that are kept, of those whose price is known and of the others
SEED = 20141013
BASE64 = "BASE64"  # how SageMaker captures what is of no content type that its settings name
# What an event that anybody may have written can raise: other types, missing parts, numbers and nests beyond measure.
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError, csv.Error)


@dataclass(frozen=True)
class Served:
    """One row of a request that was answered.

    key: what its price is joined by; `model`: the identity of the model that answered, empty where it did not say;
    `variant`: of the endpoint, as the folder of the file says.
    """

    key: str
    when: datetime
    model: str
    values: Mapping[str, Any]
    predicted: float
    lower: float
    upper: float
    variant: str = ""


@dataclass
class Capture:
    """What was read. `served` holds the rows whose key is wanted, then the others: an even sample of many.

    rows, unreadable: counts. encoded: events in BASE64. repeated: events that were there before. by_month,
    wanted_by_month: rows by month and model, all of them and those whose key is wanted. found: how many of the wanted
    keys were there. latest: when the last of the rows was answered. example: a sentence about the first event that
    could not be read.
    """

    served: list[Served] = field(default_factory=list)
    files: int = 0
    events: int = 0
    rows: int = 0
    repeated: int = 0
    unreadable: int = 0
    encoded: int = 0
    without_id: int = 0
    by_month: Counter[tuple[str, str]] = field(default_factory=Counter)
    wanted_by_month: Counter[tuple[str, str]] = field(default_factory=Counter)
    found: int = 0
    latest: datetime | None = None
    example: str = ""


def read_captured(folder: Path, wanted: Container[str], names: Sequence[str], until: datetime | None = None) -> Capture:
    """Read the capture files (VARIANT/yyyy/mm/dd/hh/*.jsonl) below a folder, in the order of their paths.

    `wanted` are the keys whose prices are known; `names` are the fields of a CSV body without a header. Rows of `until`
    or later are left out: a window may end within the hour that its last file is of. An event that
    is there twice counts once; one that cannot be read is counted, and told with the first of its kind. Memory grows
    by eight bytes an event, and by eight for each wanted key that is there.
    """
    capture, random = Capture(), np.random.default_rng(SEED)
    priced, others = _EvenSample(random), _EvenSample(random)
    before, priced_before = SeenBefore(), SeenBefore()
    for path in sorted(folder.rglob("*.jsonl")) if folder.is_dir() else ():
        capture.files += 1
        inside = path.relative_to(folder).parts
        for row in _rows_of_file(path, inside[0] if len(inside) > 1 else "", capture, before, names):
            if until is not None and row.when >= until:
                continue
            capture.rows += 1
            cohort = f"{row.when:%Y-%m}", row.model
            capture.by_month[cohort] += 1
            capture.latest = max(row.when, capture.latest or row.when)
            if row.key not in wanted:
                others.add(row)
                continue
            capture.wanted_by_month[cohort] += 1
            capture.found += not priced_before.has(row.key)
            priced.add(row)
    capture.served = [*priced.rows, *others.rows]
    return capture


class _EvenSample:
    """At most MOST_ROWS rows of a stream, each kept with the same chance (algorithm R: Vitter, 1985)."""

    def __init__(self, random: np.random.Generator) -> None:
        self.rows: list[Served] = []
        self._random = random
        self._count = 0

    def add(self, row: Served) -> None:
        self._count += 1
        if len(self.rows) < MOST_ROWS:
            self.rows.append(row)
        elif (place := int(self._random.integers(self._count))) < MOST_ROWS:
            self.rows[place] = row


def _rows_of_file(
    path: Path, variant: str, capture: Capture, before: SeenBefore, names: Sequence[str]
) -> Iterator[Served]:
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if not line.strip():
                continue
            capture.events += 1
            try:
                event = json.loads(line)
                if before.has(str(event["eventMetadata"]["eventId"])):
                    capture.repeated += 1
                    continue
                rows = list(_rows(event, variant, names))
            except UNREADABLE as error:
                capture.unreadable += 1
                capture.example = capture.example or f"{path.name}: {type(error).__name__} {error}"[:200]
                continue
            capture.encoded += any(side.get("encoding") == BASE64 for side in event["captureData"].values())
            capture.without_id += "inferenceId" not in event["eventMetadata"]
            yield from rows


def _rows(event: Mapping[str, Any], variant: str, names: Sequence[str]) -> Iterator[Served]:
    """The rows of one event; of several rows each has the event's key and its place from 0, as in key/0."""
    metadata, sides = event["eventMetadata"], event["captureData"]
    if "endpointInput" not in sides or "endpointOutput" not in sides:
        raise ValueError("the request or its answer was not captured")
    records = _records(_text(sides["endpointInput"]), names)
    answers, model = _answers(_text(sides["endpointOutput"]))
    if len(records) != len(answers):
        rows = counted(len(records), "row of the request has", "rows of the request have")
        raise ValueError(f"{rows} {counted(len(answers), 'answer', 'answers')}")
    key = str(metadata.get("inferenceId") or metadata["eventId"])
    when = _moment(metadata["inferenceTime"])
    for place, (values, answer) in enumerate(zip(records, answers, strict=True)):
        yield Served(key if len(records) == 1 else f"{key}/{place}", when, model, values, *answer, variant)


def _moment(text: str) -> datetime:
    """A time in UTC; one without a time zone is taken for UTC."""
    parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)


def _text(side: Mapping[str, Any]) -> str:
    """The body of a request or an answer, whatever it is encoded as."""
    data = str(side["data"])
    if side.get("encoding") == BASE64:
        return base64.b64decode(data, validate=True).decode("utf-8-sig")
    return data


def _records(body: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a request's body, by field: JSON if it begins so, else CSV with or without a header."""
    text = body.lstrip()
    if text.startswith(("{", "[")):
        document = json.loads(text)
        named = isinstance(document, dict) and "instances" in document
        if named and ("instances" not in names or isinstance(document["instances"], list)):
            document = document["instances"]
        records = [document] if isinstance(document, dict) else document
        if not all(isinstance(record, dict) for record in records):
            raise ValueError("a row of the request is not an object")
        return list(records)
    rows = [row for row in csv.reader(io.StringIO(body), skipinitialspace=True, strict=True) if row]
    header = [cell.strip() for cell in rows[0]]
    if any(cell in names for cell in header):
        rows = rows[1:]
    else:
        header = list(names)
    return [dict(zip(header, row, strict=True)) for row in rows]


def _answers(body: str) -> tuple[list[tuple[float, float, float]], str]:
    """(predicted, lower, upper) of each row, and the model's identity; NaN where an answer in CSV has no interval."""
    if body.lstrip().startswith("{"):
        document = json.loads(body)
        answers = [
            (float(each["score"]), _bound(each.get("lower")), _bound(each.get("upper")))
            for each in document["predictions"]
        ]
        return answers, str(document.get("model", ""))
    return [(float(line), np.nan, np.nan) for line in body.split()], ""


def _bound(value: Any) -> float:
    return np.nan if value is None else float(value)
