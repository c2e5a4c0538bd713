"""S3 objects on disk: moto keeps the names and the metadata, files keep the bytes."""

import hashlib
import shutil
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from moto.s3 import models as s3_models
from moto.s3.models import FakeKey, S3Backend, s3_backends

BLOCK = 1 << 20


class DiskKey(FakeKey):
    """An S3 object of moto whose bytes are a file under `folder`; pickling it keeps only the file's name."""

    folder: ClassVar[Path]
    blob: str = ""

    @property
    def path(self) -> Path:
        """The file that holds the object's bytes."""
        return self.folder / self.blob

    @property
    def value(self) -> bytes:
        return self.path.read_bytes()

    @value.setter
    def value(self, new_value: bytes | str) -> None:
        data = new_value.encode() if isinstance(new_value, str) else new_value
        name = uuid.uuid4().hex
        (self.folder / name).write_bytes(data)
        self._point_to(name, len(data))

    def adopt(self, source: Path) -> None:
        """Take a copy of a file as the bytes of this object, without holding them in memory."""
        name = uuid.uuid4().hex
        shutil.copyfile(source, self.folder / name)
        self._point_to(name, source.stat().st_size)
        self._etag = None

    def _point_to(self, name: str, size: int) -> None:
        if self.blob:
            self.path.unlink(missing_ok=True)
        self.blob, self.contentsize = name, size

    @property  # type: ignore[override]
    def _value_buffer(self) -> BinaryIO:
        return self.path.open("rb")

    @_value_buffer.setter
    def _value_buffer(self, buffer: object) -> None:
        """moto's constructor offers a memory buffer; the file takes its place."""

    @property
    def etag(self) -> str:
        if self._etag is None:
            digest = hashlib.md5(usedforsecurity=False)
            with self.path.open("rb") as stream:
                while block := stream.read(BLOCK):
                    digest.update(block)
            self._etag = digest.hexdigest()
        return f'"{self._etag}"'

    def dispose(self, garbage: bool = False) -> None:
        self.disposed = True  # the file goes when nothing in the state names it: see sweep()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.lock = threading.Lock()


def install(folder: Path) -> None:
    """Make moto keep every S3 object's bytes under folder."""
    folder.mkdir(parents=True, exist_ok=True)
    DiskKey.folder = folder
    s3_models.FakeKey = DiskKey  # type: ignore[misc]


def sweep(folder: Path) -> None:
    """Delete the files that no object refers to: overwritten, deleted, or left by a kill -9."""
    kept = {key.blob for key in _every_key()}
    for path in folder.iterdir():
        if path.name not in kept:
            path.unlink()


def _every_key() -> Iterator[DiskKey]:
    for _, _, backend in s3_backends.iter_backends():
        for bucket in backend.buckets.values():  # type: ignore[attr-defined]
            for versions in dict.values(bucket.keys):
                yield from (key for key in versions if isinstance(key, DiskKey))
                yield from (part for key in versions for part in _parts(getattr(key, "multipart", None)))
            for upload in bucket.multiparts.values():
                yield from _parts(upload)


def _parts(upload: Any) -> list[DiskKey]:
    return list(upload.parts.values()) if upload is not None else []


class S3Objects:
    """The buckets as the jobs and the pipeline engine use them, in this process and without HTTP.

    `saved` is called after each change, so that what was uploaded survives a kill -9.
    """

    def __init__(self, account: str, saved: Any) -> None:
        self._account = account
        self._saved = saved
        self._lock = threading.Lock()

    def list(self, bucket: str, prefix: str) -> list[str]:
        """All keys that start with prefix, sorted; LookupError where there is no such bucket."""
        return sorted(name for name in list(self._bucket(bucket).keys) if name.startswith(prefix))

    def download(self, bucket: str, key: str, path: Path) -> None:
        """Copy an object to a file; LookupError where there is no such object."""
        shutil.copyfile(self._key(bucket, key).path, path)

    def read(self, bucket: str, key: str) -> bytes:
        """A small object's bytes."""
        return self._key(bucket, key).path.read_bytes()

    def upload(self, path: Path, bucket: str, key: str) -> None:
        """Store a file as an object."""
        self._bucket(bucket)
        with self._lock:
            stored = self._backend(bucket).put_object(bucket, key, b"")
            stored.adopt(path)  # type: ignore[attr-defined]
        self._saved()

    def _backend(self, bucket: str) -> S3Backend:
        partition, account = s3_backends.bucket_accounts.get(bucket, ("aws", self._account))
        return s3_backends[account][partition]

    def _bucket(self, bucket: str) -> Any:
        buckets = self._backend(bucket).buckets
        if bucket not in buckets:
            raise LookupError(f"There is no bucket {bucket!r}.")
        return buckets[bucket]

    def _key(self, bucket: str, key: str) -> DiskKey:
        stored = self._bucket(bucket).keys.get(key)
        if not isinstance(stored, DiskKey):
            raise LookupError(f"There is no object s3://{bucket}/{key}.")
        return stored
