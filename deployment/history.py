"""What was done to an endpoint: an entry for each deployment and rollback, as a JSON object in the project's bucket."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from typing import Any

UNDER_WAY, SERVES, ROLLED_BACK, INCONCLUSIVE, FAILED = "under way", "serves", "rolled back", "inconclusive", "failed"
PASSED_OVER = "passed over"
CONCLUDED = (SERVES, ROLLED_BACK, INCONCLUSIVE)  # what trying again would not change
NO_BUCKET, NO_KEY = "NoSuchBucket", "NoSuchKey"


@dataclass(frozen=True)
class Entry:
    """One change of an endpoint; moments are ISO 8601 in UTC. `ended` is None while it is under way, or cut off.

    `action` is deploy, promote or rollback; `build` is that of CodeBuild that did it, and `log` the name of its stream.
    """

    endpoint: str
    stage: str
    action: str
    version: int
    package: str
    commit: str | None
    who: str
    strategy: str
    began: str
    config: str | None = None
    build: str | None = None
    log: str | None = None
    ended: str | None = None
    outcome: str = UNDER_WAY
    result: str = ""  # created or updated, where it serves
    reason: str = ""

    @property
    def name(self) -> str:
        """Its object's name; names sort by the moment."""
        moment = datetime.fromisoformat(self.began)
        return f"{moment:%Y%m%dT%H%M%S.%fZ}-v{self.version}.json"

    @property
    def moment(self) -> datetime:
        """When it began."""
        return datetime.fromisoformat(self.began)


def now() -> str:
    """The moment as entries have it."""
    return datetime.now(timezone.utc).isoformat()


class History:
    """The entries of one endpoint."""

    def __init__(self, s3: Any, bucket: str, project: str, endpoint: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._prefix = f"{project}/history/{endpoint}/"

    def write(self, entry: Entry) -> None:
        """Add an entry, or say what became of it."""
        body = json.dumps(asdict(entry), indent=2).encode()
        self._s3.put_object(Bucket=self._bucket, Key=self._prefix + entry.name, Body=body)

    def read(self, entry: Entry) -> Entry:
        """An entry as it is by now."""
        return self._read(self._prefix + entry.name) or entry

    def entries(self, limit: int | None = None) -> list[Entry]:
        """The newest entries, the newest first; none where there is no bucket yet."""
        found = (self._read(key) for key in sorted(self._keys(), reverse=True)[:limit])
        return [entry for entry in found if entry is not None]

    def newest(self) -> Entry | None:
        """The newest entry; None where nothing was done yet."""
        return next(iter(self.entries(1)), None)

    def _keys(self) -> Iterable[str]:
        from botocore.exceptions import ClientError

        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        try:
            return [each["Key"] for page in pages for each in page.get("Contents", [])]
        except ClientError as error:
            if error.response["Error"]["Code"] != NO_BUCKET:
                raise
            return []

    def _read(self, key: str) -> Entry | None:
        from botocore.exceptions import ClientError

        try:
            document = json.loads(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] != NO_KEY:
                raise
            return None
        known = {field.name for field in fields(Entry)}
        return Entry(**{name: value for name, value in document.items() if name in known})
