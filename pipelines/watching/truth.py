"""Prices that became known: read from a person's file, kept in Model Monitor's layout of ground truth."""

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipelines.clients import S3Client
from pipelines.errors import PipelineError
from steps.settings import DataSettings

KEY, UNIT = "inference_id", "unit"
DIGEST_LENGTH = 16


@dataclass(frozen=True)
class Stored:
    """Where prices lie, and whether they were not there before."""

    uri: str
    new: bool


def read_prices(path: Path, data: DataSettings) -> dict[str, float]:
    """The price of each key, of a CSV file with a header: KEY, or the columns of the identity, and the target.

    An identity is its values, joined by "-", dates as 2014-10-13. With a column UNIT, each must be that of the target.
    Raises PipelineError naming the row, from 1, for what cannot be a price of this data, and for a key with two prices.
    """
    header, rows = _rows(path)
    keys = [KEY] if KEY in header else list(data.identity)
    lacking = [name for name in (*keys, data.target) if name not in header]
    if lacking or not keys:
        identity = f", or {' and '.join(data.identity)} in its place" if data.identity else ""
        raise PipelineError(
            f"{path} lacks the column {lacking[0] if lacking else KEY}: it needs {KEY}{identity}, and {data.target}."
        )
    twice = next((name for name in (*keys, data.target, UNIT) if header.count(name) > 1), None)
    if twice is not None:
        raise PipelineError(f"{path} has the column {twice} twice: leave one of them out.")
    prices: dict[str, float] = {}
    for number, row in enumerate(rows, start=1):
        try:
            key = row[KEY].strip() if keys == [KEY] else identity_key(row, data)
        except PipelineError as error:
            raise PipelineError(f"{path}, row {number}: {error}") from None
        if not key.strip("-"):
            raise PipelineError(f"{path}, row {number}: {' and '.join(keys)} is empty.")
        price = _price(row, number, path, data)
        if prices.setdefault(key, price) != price:
            raise PipelineError(
                f"{path}, row {number}: {key} has another price in a row before: leave one of them out."
            )
    return prices


def identity_key(row: Mapping[str, str], data: DataSettings) -> str:
    """What a row is known by where no other id is given: the values of its identity, joined by "-"."""
    return "-".join(_key_part(row[name], name, data) for name in data.identity)


def store_prices(s3: S3Client, bucket: str, folder: str, prices: Mapping[str, float], now: datetime) -> Stored:
    """Write one object under folder/yyyy/mm/dd/hh/, unless the same prices are there, and none was corrected since.

    Source: "Ingest ground truth labels and merge them with predictions", SageMaker Developer Guide.
    """
    lines = [
        json.dumps(
            {
                "groundTruthData": {"data": f"{price:.15g}", "encoding": "CSV"},
                "eventMetadata": {"eventId": key},
                "eventVersion": "0",
            }
        )
        for key, price in prices.items()
    ]
    body = "".join(f"{line}\n" for line in lines).encode()
    ending = f"{hashlib.sha256(body).hexdigest()[:DIGEST_LENGTH]}.jsonl"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{folder}/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    same = next((place for place in reversed(range(len(keys))) if keys[place].endswith(ending)), None)
    if same is not None and not any(_corrects(s3, bucket, key, prices) for key in keys[same + 1 :]):
        return Stored(f"s3://{bucket}/{keys[same]}", new=False)
    key = f"{folder}/{now:%Y/%m/%d/%H}/{now:%M-%S}-{ending}"
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    return Stored(f"s3://{bucket}/{key}", new=True)


def _corrects(s3: S3Client, bucket: str, key: str, prices: Mapping[str, float]) -> bool:
    """Whether a stored object has another price of any of these keys."""
    for line in s3.get_object(Bucket=bucket, Key=key)["Body"].iter_lines():
        try:
            event = json.loads(line)
            identity, price = str(event["eventMetadata"]["eventId"]), float(event["groundTruthData"]["data"])
        except (ValueError, LookupError, TypeError):
            continue  # the monitoring counts what cannot be read
        if prices.get(identity, price) != price:
            return True
    return False


def _rows(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The names of the header, and each row by them."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, skipinitialspace=True, strict=True)
            reader.fieldnames = header = [name.strip() for name in reader.fieldnames or ()]
            rows = [{name: value or "" for name, value in row.items()} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error, AttributeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise PipelineError(f"The prices {path} cannot be read as CSV in UTF-8: {why}.") from None
    if not rows:
        raise PipelineError(f"{path} has no rows: it needs a header, and a row for each price.")
    longer = next((number for number, row in enumerate(rows, start=1) if None in row), None)
    if longer is not None:
        raise PipelineError(
            f"{path}, row {longer}: it has more fields than the header: put quotes around one with a comma."
        )
    return header, rows


def _key_part(text: str, name: str, data: DataSettings) -> str:
    """A value of the identity as a request's key has it: filled to its width, a date without its time."""
    text = text.strip()
    column = data.columns.get(name)
    if column is None or not text:
        return text
    if column.type == "date":
        try:
            return date.fromisoformat(text[:10] if "-" in text else text[:8]).isoformat()
        except ValueError:
            raise PipelineError(f"{text!r} is not a date such as 2014-10-13, for {name}.") from None
    return text.zfill(column.width)


def _price(row: Mapping[str, str], number: int, path: Path, data: DataSettings) -> float:
    column, text = data.columns[data.target], row[data.target].strip()
    given = row.get(UNIT, "").strip()
    if given and column.unit and given != column.unit:
        raise PipelineError(
            f"{path}, row {number}: the {data.target} is in {given}, and the model's is in {column.unit}: convert it."
        )
    try:
        price = float(text)
    except ValueError:
        raise PipelineError(f"{path}, row {number}: {text!r} is not a number: the {data.target} must be one.") from None
    low, high = column.range or (None, None)
    if price != price or (low is not None and price < low) or (high is not None and price > high):
        raise PipelineError(
            f"{path}, row {number}: a {data.target} of {text} is not within {_limits(low, high)} {column.unit} "
            "(data.columns in the YAML): is it in another currency, or in thousands?"
        )
    return price


def _limits(low: Any, high: Any) -> str:
    return f"{'no limit' if low is None else f'{low:,.0f}'} and {'no limit' if high is None else f'{high:,.0f}'}"
