"""The newest requests that data capture wrote to S3."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from studio.account.account import Account
from studio.previews.objects import read_start, split_uri

FILES, HOURS = 3, 24
SHOWN = 10  # of each variant
MOST_TEXT = 600
VARIANTS = ("ProductionVariants", "ShadowProductionVariants")


@dataclass(frozen=True)
class Captured:
    """One request and its answer, whole."""

    when: str
    event: str
    variant: str
    request: str
    answer: str

    @property
    def shown(self) -> tuple[str, str]:
        """The beginnings of the request and of the answer."""
        return self.request[:MOST_TEXT], self.answer[:MOST_TEXT]


def captured_requests(
    account: Account, endpoint: Mapping[str, Any], config: Mapping[str, Any]
) -> list[Captured] | None:
    """What the newest files of the last day hold, shadows included, newest first; None where nothing is captured."""
    summary = endpoint.get("DataCaptureConfig") or config.get("DataCaptureConfig") or {}
    destination = summary.get("DestinationS3Uri")
    if not destination or summary.get("EnableCapture") is False:
        return None
    bucket, base = split_uri(destination)
    found: list[Captured] = []
    for variant in (each["VariantName"] for kind in VARIANTS for each in config.get(kind, [])):
        prefix = "/".join(filter(None, [base.strip("/"), endpoint["EndpointName"], variant])) + "/"
        for key in _newest(account, bucket, prefix):
            start, _ = read_start(account, f"s3://{bucket}/{key}")
            found += _records(start, variant)
    return sorted(found, key=lambda each: each.when, reverse=True)


def _newest(account: Account, bucket: str, prefix: str) -> list[str]:
    day = datetime.now(timezone.utc) - timedelta(hours=HOURS)
    listed = account.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, StartAfter=f"{prefix}{day:%Y/%m/%d/%H}")
    objects = sorted(listed.get("Contents", []), key=lambda entry: entry["LastModified"])
    return [entry["Key"] for entry in objects[-FILES:]]


def _records(content: bytes, variant: str) -> list[Captured]:
    found = []
    for line in content.decode("utf-8", "replace").splitlines():
        try:
            record = json.loads(line)
            data, about = record["captureData"], record.get("eventMetadata", {})
            request, answer = (_text(data.get(part, {})) for part in ("endpointInput", "endpointOutput"))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # the last line may be cut; another file may lie there
        event = str(about.get("inferenceId") or about.get("eventId", ""))
        found.append(Captured(str(about.get("inferenceTime", "")), event, variant, request, answer))
    return found


def _text(part: Mapping[str, Any]) -> str:
    """A body as it was sent; of a content type that the configuration does not list, capture writes BASE64."""
    data = str(part.get("data", ""))
    return base64.b64decode(data).decode("utf-8", "replace") if part.get("encoding") == "BASE64" else data
