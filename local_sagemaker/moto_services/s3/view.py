"""What one request sees of the objects and has changed, and the files, the rows and the lock that requests share."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.moto_services.s3.blobs import Blob, BlobFolder, BlobView
from local_sagemaker.state import s3_rows
from local_sagemaker.state.database import Database
from local_sagemaker.state.s3_rows import Row

Bytes = bytes | str | Blob | BlobView
Restored = Callable[[str, str, Row], tuple[Any, dict[str, str | None]]]  # bucket, key, row -> moto's object, its tags


def lost(uri: str, reason: str) -> ServiceError:
    """An object that cannot be answered; of a status that clients do not repeat by themselves."""
    text = f"{uri} cannot be read: {reason}. `local doctor` says what can be done."
    return ServiceError("InternalError", text, HTTPStatus.INSUFFICIENT_STORAGE)


@dataclass
class Versions:
    """The versions of a key as a request has read them, and as it leaves them."""

    rows: list[Row]
    loaded: list[Any]
    now: list[Any]
    replaced: bool = False  # whether they were set, and not only looked at


class View:
    """What one request sees of the objects, what it has changed by name, and the files that its end decides about.

    Versions of objects are read from their rows when they are first asked for; nobody else has the objects
    that are made of them, so a request that is given up is undone by forgetting its view.
    """

    def __init__(self, database: Database, restored: Restored) -> None:
        self._database = database
        self._restored = restored
        self.versions: dict[tuple[str, str], Versions] = {}  # by bucket and key
        self.tags: dict[str, dict[str, str | None]] = {}  # of versions, by moto's ARN of them
        self.buckets: set[str] = set()
        self.uploads: set[tuple[str, str]] = set()  # bucket, upload
        self.parts: set[tuple[str, str, int]] = set()  # bucket, upload, part
        self.written: set[str] = set()  # files that were given a name
        self.dropped: set[str] = set()  # files that have lost theirs

    def of(self, bucket: str, key: str) -> Versions:
        """The versions of a key, oldest first; none where there is no such key."""
        if (bucket, key) not in self.versions:
            with self._database.reader() as connection:
                found = s3_rows.versions(connection, bucket, key)
            try:
                made = [self._restored(bucket, key, row) for row in found]
            except (ValueError, KeyError, TypeError) as error:
                raise lost(f"s3://{bucket}/{key}", f"what is known of it is damaged ({error!r})") from error
            for version, tags in made:
                if tags:
                    self.tags[version.arn] = tags
            objects = [version for version, _ in made]
            self.versions[bucket, key] = Versions(found, objects, list(objects))
        return self.versions[bucket, key]

    def tags_of(self, version: Any) -> dict[str, str | None]:
        """The tags of a version of an object; a delete marker has none."""
        return self.tags.get(version.arn, {}) if hasattr(version, "blob") else {}

    def forget_unchanged(self) -> None:
        """Read again what was only looked at: others were let in."""
        self.versions = {name: versions for name, versions in self.versions.items() if versions.replaced}

    def has_any(self, bucket: str) -> bool:
        """Whether a bucket holds anything."""
        if any(versions.now for (name, _), versions in self.versions.items() if name == bucket):
            return True
        with self._database.reader() as connection:
            return s3_rows.any_of(connection, bucket)

    def totals(self, bucket: str) -> tuple[int, int]:
        """How many keys a bucket has, and how many bytes, as of the last request that has ended."""
        with self._database.reader() as connection:
            return s3_rows.totals(connection, bucket)


class Store:
    """The files, the rows, the lock that every change of moto's S3 takes, and the view of each thread's request."""

    def __init__(self, folder: BlobFolder, database: Database, restored: Restored) -> None:
        self.folder = folder
        self._restored = restored
        self.database = database
        self.lock = threading.Lock()
        self._request = threading.local()

    @property
    def view(self) -> View:
        """The view of the request that this thread answers."""
        view: View = self._request.view
        return view

    @contextmanager
    def request(self) -> Iterator[View]:
        """Around the answer to one request."""
        self._request.view = View(self.database, self._restored)
        try:
            yield self._request.view
        finally:
            del self._request.view

    def begin_again(self) -> View:
        """Forget what this thread's request has seen and changed."""
        self._request.view = View(self.database, self._restored)
        return self.view

    @contextmanager
    def released(self) -> Iterator[None]:
        """Let others in while many bytes are copied.

        What was set before stays: only the objects of S3's access logs, whose names nobody else has.
        """
        self.lock.release()
        try:
            yield
        finally:
            self.lock.acquire()
            self.view.forget_unchanged()

    def take(self, value: Bytes) -> Blob:
        """Make bytes the file of an object."""
        if isinstance(value, Blob):
            blob = value
        elif isinstance(value, BlobView):
            with self.released():
                blob = self.folder.copy(value)
        else:
            blob = self.folder.write([value.encode() if isinstance(value, str) else value])
        blob.named = True
        self.view.written.add(blob.name)
        return blob
