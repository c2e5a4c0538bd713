"""The newest requests that data capture wrote to S3."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from studio.account.account import Account
from studio.previews.objects import read_start, split_uri

FILES, SHOWN, HOURS = 3, 10, 24
MOST_TEXT = 600


@dataclass(frozen=True)
class Captured:
    """One request and its answer."""

    when: str
    event: str
    request: str
    answer: str


def captured_requests(
    account: Account, endpoint: Mapping[str, Any], config: Mapping[str, Any]
) -> list[Captured] | None:
    """The newest captured requests of the last day, newest first; None where nothing is captured."""
    summary = endpoint.get("DataCaptureConfig") or config.get("DataCaptureConfig") or {}
    destination = summary.get("DestinationS3Uri")
    if not destination or summary.get("EnableCapture") is False:
        return None
    bucket, base = split_uri(destination)
    found: list[Captured] = []
    for variant in config.get("ProductionVariants", []):
        prefix = "/".join(filter(None, [base.strip("/"), endpoint["EndpointName"], variant["VariantName"]])) + "/"
        for key in _newest(account, bucket, prefix):
            start, _ = read_start(account, f"s3://{bucket}/{key}")
            found += _records(start)
    return sorted(found, key=lambda each: each.when, reverse=True)[:SHOWN]


def _newest(account: Account, bucket: str, prefix: str) -> list[str]:
    day = datetime.now(timezone.utc) - timedelta(hours=HOURS)
    listed = account.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, StartAfter=f"{prefix}{day:%Y/%m/%d/%H}")
    objects = sorted(listed.get("Contents", []), key=lambda entry: entry["LastModified"])
    return [entry["Key"] for entry in objects[-FILES:]]


def _records(content: bytes) -> list[Captured]:
    found = []
    for line in content.decode("utf-8", "replace").splitlines():
        try:
            record = json.loads(line)
            data, about = record["captureData"], record.get("eventMetadata", {})
        except (ValueError, KeyError, TypeError):
            continue  # the last line may be cut; another file may lie there
        found.append(
            Captured(
                str(about.get("inferenceTime", "")),
                str(about.get("inferenceId") or about.get("eventId", "")),
                str(data.get("endpointInput", {}).get("data", ""))[:MOST_TEXT],
                str(data.get("endpointOutput", {}).get("data", ""))[:MOST_TEXT],
            )
        )
    return found
