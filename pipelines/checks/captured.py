"""What an endpoint has captured is read back: none of its requests may hold a personal column."""

import base64
import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from pipelines.checks.fault import Fault
from pipelines.clients import S3Client


def captured_faults(s3: S3Client, bucket: str, prefix: str, personal: Sequence[str]) -> tuple[list[Fault], int]:
    """A fault for each object with requests that hold personal columns, and how many requests were read.

    `prefix` is where the data capture of a stage lies; other objects are ignored.
    """
    faults, read = [], 0
    wanted = {name.strip().casefold(): name for name in personal}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            if not entry["Key"].endswith(".jsonl"):
                continue
            found: Counter[str] = Counter()
            lines = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].iter_lines()
            for request in _requests(lines):
                read += 1
                names = {name.strip().casefold() for name in _names(request)}
                found.update(wanted[name] for name in names & wanted.keys())
            faults += [
                Fault(
                    None,
                    f"s3://{bucket}/{entry['Key']}",
                    f"{count} captured requests hold the personal column {name}",
                    "delete the object, and find the client that sends it",
                )
                for name, count in sorted(found.items())
            ]
    return faults, read


def _requests(lines: Iterator[bytes]) -> Iterator[str]:
    """The bodies of the requests in a file of captures."""
    for line in lines:
        try:
            side = json.loads(line)["captureData"]["endpointInput"]
        except (ValueError, KeyError, TypeError):
            continue
        data = str(side.get("data", ""))
        if side.get("encoding") == "BASE64":
            data = base64.b64decode(data).decode("utf-8-sig", "replace")
        yield data


def _names(text: str) -> Iterator[str]:
    """The names of fields: the keys of JSON at any depth, else the cells of the first line of CSV."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        yield from next(csv.reader(io.StringIO(text)), [])
        return
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
