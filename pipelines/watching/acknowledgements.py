"""Acknowledging what the monitoring has raised: for a reason, until a time, kept beside its windows."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pipelines.clients import S3Client
from pipelines.errors import PipelineError

TOLD = re.compile(r"/(\d{8}T\d{4}Z)--(\d{8}T\d{4}Z)/acted\.json$")
LONGEST_REASON = 500  # characters


@dataclass(frozen=True)
class Acknowledgement:
    """What infrastructure/functions/collect_window.py reads; times in ISO 8601."""

    check: str
    decision: str
    reason: str
    until: str
    by: str
    at: str


def raised_checks(s3: S3Client, bucket: str, project: str, stage: str) -> Mapping[str, str]:
    """What each check of the newest window calls for; PipelineError where no window was told of."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{project}/monitoring/windows/{stage}/")
    told = {
        found[2]: entry["Key"]
        for page in pages
        for entry in page.get("Contents", [])
        if (found := TOLD.search(entry["Key"]))
    }
    if not told:
        raise PipelineError(f"No window of {stage} was judged yet: there is nothing to acknowledge. Run `monitor`.")
    document = json.loads(s3.get_object(Bucket=bucket, Key=told[max(told)])["Body"].read())
    raised: Mapping[str, str] = document.get("raised", {})
    return raised


def chosen_check(raised: Mapping[str, str], text: str, stage: str) -> str:
    """The raised check that a person means, by its name or the beginning of it. PipelineError where there is none."""
    if not raised:
        raise PipelineError(f"The newest window of {stage} raised nothing: there is nothing to acknowledge.")
    meant = [text] if text in raised else [name for name in raised if text and name.startswith(text)]
    if len(meant) != 1:
        raise PipelineError(
            f"{text!r} is {'no check' if not meant else 'more than one check'} that the newest window of {stage} "
            f"raised: it raised {', '.join(map(repr, raised))}."
        )
    return meant[0]


def check_terms(reason: str | None, expires: datetime | None, now: datetime) -> tuple[str, datetime]:
    """The reason and the expiry; PipelineError where either is missing or cannot be one."""
    if reason is None or not reason.strip():
        raise PipelineError("An acknowledgement needs a reason: give it with --reason TEXT.")
    if len(reason) > LONGEST_REASON:
        raise PipelineError(f"The reason has {len(reason)} characters: at most {LONGEST_REASON} are kept.")
    if expires is None:
        raise PipelineError("An acknowledgement expires: give the day with --expires DATE.")
    if expires <= now:
        raise PipelineError(f"--expires {expires:%Y-%m-%d %H:%M} UTC is not in the future.")
    return reason.strip(), expires


def store(s3: S3Client, bucket: str, project: str, stage: str, acknowledgement: Acknowledgement) -> str:
    """Keep it; its address. The same one again is the same object."""
    document: dict[str, Any] = asdict(acknowledgement)
    body = json.dumps(document, indent=1).encode()
    digest = hashlib.sha256(body).hexdigest()[:16]
    key = f"{project}/monitoring/acknowledged/{stage}/{digest}.json"
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    return f"s3://{bucket}/{key}"
