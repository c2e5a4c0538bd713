"""The captured requests of an endpoint, brought to this machine."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from deployment.specification import SHADOW

S3Client = Any  # boto3's clients have no types of their own
HOUR = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/(\d{2})/[^/]+\.jsonl$")
MOST_FILES = 2000  # the newest are taken: on AWS one holds the requests of some minutes


@dataclass(frozen=True)
class CapturedFiles:
    """The keys of the files, oldest first, and how many were left out."""

    bucket: str
    keys: Sequence[str]
    left_out: int = 0

    def download(self, s3: S3Client, folder: Path) -> None:
        """Write each file below a folder, by the order of its time."""
        folder.mkdir(parents=True, exist_ok=True)
        for number, key in enumerate(self.keys):
            s3.download_file(self.bucket, key, str(folder / f"{number:06d}.jsonl"))


def captured_files(
    s3: S3Client, bucket: str, prefix: str, since: datetime, until: datetime | None = None
) -> CapturedFiles:
    """The files of the hours from `since` to before `until` (UTC).

    `prefix` is .../ENDPOINT/VARIANT; or .../ENDPOINT, for all variants whose answers clients got.
    """
    found = sorted(
        (hour, key)
        for key in _keys(s3, bucket, f"{prefix.rstrip('/')}/")
        if not key.removeprefix(prefix).startswith(f"/{SHADOW}/")
        and (hour := _hour(key, since)) is not None
        and hour + timedelta(hours=1) > since
        and (until is None or hour < until)
    )
    keys = [key for _, key in found][-MOST_FILES:]
    return CapturedFiles(bucket, keys, len(found) - len(keys))


def _keys(s3: S3Client, bucket: str, prefix: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            yield entry["Key"]


def _hour(key: str, like: datetime) -> datetime | None:
    found = HOUR.search(key)
    return datetime(*map(int, found.groups()), tzinfo=like.tzinfo) if found else None  # type: ignore[arg-type, misc]
