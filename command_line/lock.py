"""One upsert of a pipeline, and one change of an endpoint, at a time: also of builds that run side by side.

A lock is an object in the project's bucket that is written only where it is as it was read: by S3's conditional writes,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from pipelines.errors import PipelineError

LOST = ("PreconditionFailed", "ConditionalRequestConflict")  # another one wrote at the same time
MISSING = "NoSuchKey"
Announce = Callable[[str], None]


@dataclass(frozen=True)
class Lock:
    """A lock `name` of a project. It ends by itself after `lease_seconds`, should its holder die.

    Whoever finds it held looks again after `poll_seconds`, and gives up after `wait_seconds`.
    """

    bucket: str
    project: str
    name: str
    lease_seconds: float
    wait_seconds: float
    poll_seconds: float = 2.0

    @property
    def key(self) -> str:
        """Where it lies in the bucket."""
        return f"{self.project}/locks/{self.name}.json"


@contextmanager
def held(s3: Any, lock: Lock, announce: Announce) -> Iterator[None]:
    """Hold a lock while the block runs; PipelineError where another one holds it for too long."""
    tag = _acquire(s3, lock, announce)
    try:
        yield
    finally:
        _write(s3, lock, {"released": True}, IfMatch=tag)


def _acquire(s3: Any, lock: Lock, announce: Announce) -> str:
    began, said = time.monotonic(), False
    while True:
        now = datetime.now(timezone.utc)
        found = _read(s3, lock)
        held_by = _holder(found[0], now) if found else None
        if held_by is None:
            until = (now + timedelta(seconds=lock.lease_seconds)).isoformat()
            condition = {"IfMatch": found[1]} if found else {"IfNoneMatch": "*"}
            tag = _write(s3, lock, {"holder": _me(), "until": until}, **condition)
            if tag is not None:
                return tag
            continue
        if time.monotonic() - began > lock.wait_seconds:
            raise PipelineError(
                f"{lock.name} is still locked by {held_by} after {lock.wait_seconds:.0f} s: wait for that one to end, "
                f"or delete s3://{lock.bucket}/{lock.key} if it has died."
            )
        if not said:
            announce(f"Waiting: {lock.name} is locked by {held_by}")
            said = True
        time.sleep(lock.poll_seconds)


def _holder(document: dict[str, Any], now: datetime) -> str | None:
    """Who holds it, and until when at the longest; None where nobody does (any more)."""
    if document.get("released"):
        return None
    until = datetime.fromisoformat(document["until"])
    return f"{document['holder']}, until {until:%Y-%m-%d %H:%M:%S} UTC at the longest" if until > now else None


def _me() -> str:
    """What a person recognises: the build, or the process of a machine."""
    return os.environ.get("CODEBUILD_BUILD_ID") or f"process {os.getpid()} of {socket.gethostname()}"


def _read(s3: Any, lock: Lock) -> tuple[dict[str, Any], str] | None:
    from botocore.exceptions import ClientError

    try:
        answer = s3.get_object(Bucket=lock.bucket, Key=lock.key)
    except ClientError as error:
        if error.response["Error"]["Code"] != MISSING:
            raise
        return None
    document = json.loads(answer["Body"].read())
    return document, answer["ETag"]


def _write(s3: Any, lock: Lock, document: dict[str, Any], **condition: str) -> str | None:
    """The entity tag of what was written; None where the condition does not hold (any more)."""
    from botocore.exceptions import ClientError

    body = json.dumps(document).encode()
    try:
        answer = s3.put_object(Bucket=lock.bucket, Key=lock.key, Body=body, ContentType="application/json", **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] not in LOST:
            raise
        return None
    return str(answer["ETag"])
