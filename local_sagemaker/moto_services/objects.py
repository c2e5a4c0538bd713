"""The S3 objects as the jobs and the pipeline engine use them: in this process, without HTTP."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from moto.s3.models import S3Backend, s3_backends

from local_sagemaker.moto_services.s3.blobs import BLOCK, BlobFolder, BlobView
from local_sagemaker.moto_services.s3.state import S3State
from local_sagemaker.moto_services.s3.stored import StoredKey


class S3Objects:
    """Objects by bucket and key; what is uploaded survives a kill -9. `save` writes another service's state."""

    def __init__(self, account: str, folder: BlobFolder, state: S3State, save: Callable[[str], None]) -> None:
        self._account = account
        self._folder = folder
        self._state = state
        self._save = save

    def list(self, bucket: str, prefix: str) -> list[str]:
        """All keys that start with prefix, sorted; LookupError where there is no such bucket."""
        self._bucket(bucket)
        return self._state.names(bucket, prefix)

    def download(self, bucket: str, key: str, path: Path) -> None:
        """Copy an object to a file; LookupError where there is no such object."""
        with path.open("wb") as stream:
            for block in self._open(bucket, key):
                stream.write(block)

    def read(self, bucket: str, key: str) -> bytes:
        """A small object's bytes."""
        return b"".join(self._open(bucket, key))

    def upload(self, path: Path, bucket: str, key: str, content_type: str | None = None) -> None:
        """Store a file as an object; OSError or sqlite3.Error, and no object, where the disk is full."""
        self._bucket(bucket)
        blob = self._folder.write(_blocks(path))
        try:
            with self._state.changing():
                stored = self._backend(bucket).put_object(bucket, key, blob)  # type: ignore[arg-type]
                if content_type is not None:
                    stored.set_metadata({"Content-Type": content_type})
                stored.set_acl(self._bucket(bucket).acl)
        finally:
            blob.discard()
        if self._bucket(bucket).notification_configuration is not None:
            self._save("sqs")

    def _backend(self, bucket: str) -> S3Backend:
        partition, account = s3_backends.bucket_accounts.get(bucket, ("aws", self._account))
        return s3_backends[account][partition]

    def _bucket(self, bucket: str) -> Any:
        buckets = self._backend(bucket).buckets
        if bucket not in buckets:
            raise LookupError(f"There is no bucket {bucket!r}.")
        return buckets[bucket]

    def content_type(self, bucket: str, key: str) -> str | None:
        """The content type that an object was stored with, if any; LookupError where there is no such object."""
        found = self._state.read(lambda: self._stored(bucket, key).metadata.get("Content-Type"))
        return str(found) if found else None

    def _open(self, bucket: str, key: str) -> BlobView:
        return self._state.read(lambda: self._stored(bucket, key).value)

    def _stored(self, bucket: str, key: str) -> StoredKey:
        stored = self._bucket(bucket).keys.get(key)
        if not isinstance(stored, StoredKey):
            raise LookupError(f"There is no object s3://{bucket}/{key}.")
        return stored


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as stream:
        while block := stream.read(BLOCK):
            yield block
