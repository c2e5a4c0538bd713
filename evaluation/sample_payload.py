"""A request that the model answers, as the registry takes it: SamplePayloadUrl, a .tar.gz of nothing but payloads.

SageMaker Inference Recommender sends every file of the archive to the endpoint, so nothing else may be in it.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from steps.column_settings import Column

MEMBER = "payload.json"


def sample_archive(row: pd.Series, inputs: Mapping[str, Column], asked: Sequence[str] = ()) -> bytes:
    """A gzipped tar with payload.json: the raw fields of one row that a request holds; equal rows, equal bytes.

    An optional field that the row lacks is left out. `asked` are what of `prediction_request.ASKED` the request
    asks for: what a person wants to know of one prediction.
    """
    values = {name: _value(row[name], column) for name, column in inputs.items() if not pd.isna(row[name])}
    request = {"instances": [values], **dict.fromkeys(asked, True)} if asked else values
    body = json.dumps(request, indent=2, allow_nan=False).encode() + b"\n"
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo(MEMBER)
        member.size = len(body)
        tar.addfile(member, io.BytesIO(body))
    return buffer.getvalue()


def _value(value: Any, column: Column) -> Any:
    if column.type == "date":
        return pd.Timestamp(value).date().isoformat()
    if column.type == "boolean":
        return bool(value)
    if column.type == "integer":
        return int(value)
    return float(value) if column.type == "number" else str(value)
