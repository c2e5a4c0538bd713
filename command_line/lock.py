"""One upsert of a pipeline, and one change of an endpoint, at a time: also of builds that run side by side.

A lock is an object in the project's bucket that is written only where it is as it was read: by S3's conditional writes,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
Its holder renews it, so that a lock whose holder has died is free after a short while; at once on the same machine.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from pipelines.errors import PipelineError

LOST = ("PreconditionFailed", "ConditionalRequestConflict")  # another one wrote at the same time
MISSING = ("NoSuchKey", "NoSuchBucket")
RENEWALS = 3  # in one lease
Announce = Callable[[str], None]


@dataclass(frozen=True)
class Lock:
    """A lock `name` of a project. It ends by itself `lease_seconds` after its holder has died.

    Whoever finds it held looks again after `poll_seconds`, and gives up after `wait_seconds`; `meanwhile` is called at
    each look.
    """

    bucket: str
    project: str
    name: str
    lease_seconds: float
    wait_seconds: float
    poll_seconds: float = 2.0
    meanwhile: Callable[[], None] = lambda: None

    @property
    def key(self) -> str:
        """Where it lies in the bucket."""
        return f"{self.project}/locks/{self.name}.json"


@contextmanager
def held(s3: Any, lock: Lock, announce: Announce) -> Iterator[None]:
    """Hold a lock while the block runs; PipelineError where another one holds it for too long."""
    renewal = _Renewal(s3, lock, _acquire(s3, lock, announce))
    renewal.start()
    try:
        yield
    finally:
        _write(s3, lock, {"released": True}, IfMatch=renewal.end())


def holder(s3: Any, lock: Lock) -> str | None:
    """Who holds a lock; None where nobody does."""
    found = _read(s3, lock)
    return _holder(found[0], datetime.now(timezone.utc)) if found else None


class _Renewal:
    """Renews a lock three times in its lease, until it ends."""

    def __init__(self, s3: Any, lock: Lock, tag: str) -> None:
        self._s3, self._lock, self._tag = s3, lock, tag
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def start(self) -> None:
        """Begin; a lease of no seconds is not renewed."""
        if self._lock.lease_seconds > 0:
            self._thread.start()

    def end(self) -> str:
        """Stop; the entity tag of what was written last."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        return self._tag

    def _renew(self) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        while not self._ended.wait(self._lock.lease_seconds / RENEWALS):
            try:
                tag = _write(self._s3, self._lock, _held(self._lock), IfMatch=self._tag)
            except (BotoCoreError, ClientError):
                continue  # the next attempt comes before the lease ends
            if tag is None:
                return  # it is another's, after this one could not renew it for too long
            self._tag = tag


def _acquire(s3: Any, lock: Lock, announce: Announce) -> str:
    began, said = time.monotonic(), False
    while True:
        now = datetime.now(timezone.utc)
        found = _read(s3, lock)
        held_by = _holder(found[0], now) if found else None
        if held_by is None:
            condition = {"IfMatch": found[1]} if found else {"IfNoneMatch": "*"}
            tag = _write(s3, lock, _held(lock), **condition)
            if tag is not None:
                return tag
            continue
        if time.monotonic() - began > lock.wait_seconds:
            raise PipelineError(
                f"{lock.name} is still locked by {held_by} after {lock.wait_seconds:.0f} s: wait for that one to end, "
                f"or delete s3://{lock.bucket}/{lock.key} if it has died."
            )
        lock.meanwhile()
        if not said:
            announce(f"Waiting: {lock.name} is locked by {held_by}")
            said = True
        time.sleep(lock.poll_seconds)


def _held(lock: Lock) -> dict[str, Any]:
    until = datetime.now(timezone.utc) + timedelta(seconds=lock.lease_seconds)
    return {"holder": _me(), "until": until.isoformat(), "host": socket.gethostname(), "process": os.getpid()}


def _holder(document: dict[str, Any], now: datetime) -> str | None:
    """Who holds it; None where nobody does (any more)."""
    if document.get("released") or datetime.fromisoformat(document["until"]) <= now or _is_dead(document):
        return None
    return str(document["holder"])


def _is_dead(document: dict[str, Any]) -> bool:
    """Whether the holder was a process of this machine that is not there any more."""
    if document.get("host") != socket.gethostname() or "process" not in document:
        return False
    try:
        os.kill(document["process"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # another user's: it is there
    return False


def _me() -> str:
    """What a person recognises: the build, or the process of a machine."""
    return os.environ.get("CODEBUILD_BUILD_ID") or f"process {os.getpid()} of {socket.gethostname()}"


def _read(s3: Any, lock: Lock) -> tuple[dict[str, Any], str] | None:
    from botocore.exceptions import ClientError

    try:
        answer = s3.get_object(Bucket=lock.bucket, Key=lock.key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in MISSING:
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
