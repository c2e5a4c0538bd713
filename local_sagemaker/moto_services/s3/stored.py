"""moto's objects and multipart uploads with their bytes in files, and how they are made of rows."""

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

from moto import settings as moto_settings
from moto.moto_api._internal.managed_state_model import ManagedState
from moto.s3 import models as moto_s3
from moto.s3.exceptions import EntityTooSmall, InvalidPart, InvalidPartOrder, MalformedXML, NoSuchUpload
from moto.s3.models import FakeDeleteMarker, FakeKey, FakeMultipart, MultipartDict
from moto.utilities.utils import get_partition, md5_hash

from local_sagemaker.moto_services.s3.blobs import Blob, BlobView
from local_sagemaker.moto_services.s3.checksums import ALGORITHMS, encoded
from local_sagemaker.moto_services.s3.kinds import make
from local_sagemaker.moto_services.s3.view import Bytes, Store
from local_sagemaker.state.s3_documents import OBJECT_FIELDS, loaded
from local_sagemaker.state.s3_rows import Row

RESTORE = "s3::keyrestore"  # moto's name of how an archived object comes back


class StoredKey(FakeKey):
    """An object, or a part of one, whose bytes lie in a file; a part of a completed upload shares the object's."""

    store: ClassVar[Store]
    blob: str = ""
    offset: int = 0
    shares: bool = False

    @property  # type: ignore[override]
    def value(self) -> BlobView:
        known = None if self._etag is None or "-" in self._etag else self._etag
        return BlobView(self.store.folder.path / self.blob, self.offset, self.contentsize, known)

    @value.setter
    def value(self, new_value: Bytes) -> None:
        blob = self.store.take(new_value)
        self.blob, self.contentsize = blob.name, blob.size
        if self._etag is None:
            self._etag = blob.md5

    @property  # type: ignore[override]
    def _value_buffer(self) -> None:
        """moto's constructor offers a memory buffer; the file takes its place."""

    @_value_buffer.setter
    def _value_buffer(self, buffer: object) -> None:
        """See above."""

    @property
    def etag(self) -> str:
        return f'"{self._etag}"'

    def dispose(self, garbage: bool = False) -> None:
        if not (garbage or self.disposed or self.shares):
            self.store.view.dropped.add(self.blob)
            self.disposed = True

    def restore(self, days: int) -> None:
        """Bring an archived object back; it is there at once, so that reading it changes nothing."""
        super().restore(days)
        self._status = self.status or ""  # which asking for it brings about

    def slice(self, number: int, offset: int, size: int, etag: str) -> "StoredKey":
        """A part of a completed upload: a range of this object's file."""
        part: StoredKey = object.__new__(StoredKey)
        part.__dict__.update(self.__dict__, name=number, multipart=None, offset=offset, shares=True)
        part.contentsize, part._etag = size, etag
        return part


class Upload(FakeMultipart):
    """A multipart upload in progress."""

    bucket_name = ""

    def set_part(self, part_id: int, value: Bytes) -> FakeKey:
        part = super().set_part(part_id, value)  # type: ignore[arg-type]
        StoredKey.store.view.parts.add((self.bucket_name, self.id, part_id))
        return part

    def complete(self, body: Iterator[tuple[int, str]]) -> tuple[Blob, str, tuple[str, str, int]]:  # type: ignore[override]
        """The file, the ETag and the checksum (type, value, parts) of the object, by moto's rules."""
        chosen = self._chosen(body)
        algorithm = self.metadata.get("x-amz-checksum-algorithm") or "CRC64NVME"
        kind = self.metadata.get("x-amz-checksum-type")
        kind = kind or ("FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE")
        if algorithm not in ALGORITHMS:
            raise MalformedXML
        store, whole, of_parts = StoredKey.store, ALGORITHMS[algorithm](), ALGORITHMS[algorithm]()
        views = [part.value for part in chosen]

        def blocks() -> Iterator[bytes]:
            for view in views:
                of_part = ALGORITHMS[algorithm]()
                for block in view:
                    of_part.update(block)
                    yield block
                of_parts.update(of_part.digest())

        with store.released():
            blob = store.folder.write(blocks(), [whole])
        md5s = b"".join(bytes.fromhex(part.etag.strip('"')) for part in chosen)
        etag = f"{md5_hash(md5s).hexdigest()}-{len(chosen)}"
        if kind == "COMPOSITE":
            return blob, etag, (kind, encoded(of_parts), len(chosen))
        return blob, etag, (kind, encoded(whole), 1)

    def become_part_of(self, key: StoredKey) -> None:
        """Point the parts at the completed object's file."""
        parts = [(number, self.parts[number].contentsize, str(self.parts[number]._etag)) for number in self.completed]
        key.multipart = _completed(key, self.id, parts)

    def _chosen(self, body: Iterator[tuple[int, str]]) -> list[StoredKey]:
        chosen: dict[int, Any] = {}
        for number, etag in body:
            part = self.parts.get(number)
            if part is None or part.etag.strip('"') != etag.strip('"'):
                raise InvalidPart()
            if chosen and number <= max(chosen):
                raise InvalidPartOrder()
            if chosen and chosen[max(chosen)].contentsize < moto_settings.S3_UPLOAD_PART_MIN_SIZE:
                raise EntityTooSmall()
            chosen[number] = part
        if not chosen:
            raise MalformedXML
        self.completed = list(chosen)
        return list(chosen.values())


class Uploads(MultipartDict):
    """The uploads in progress of a bucket, by id."""

    def __init__(self, bucket: str) -> None:
        super().__init__()
        self._bucket = bucket

    def __setitem__(self, key: str, value: FakeMultipart) -> None:
        value.bucket_name = self._bucket  # type: ignore[attr-defined]
        StoredKey.store.view.uploads.add((self._bucket, key))
        super().__setitem__(key, value)

    def __getitem__(self, key: str) -> FakeMultipart:
        if key not in self:
            raise NoSuchUpload(upload_id=key)
        return super().__getitem__(key)

    def __delitem__(self, key: str) -> None:
        self[key]  # another request may have completed it meanwhile
        StoredKey.store.view.uploads.add((self._bucket, key))
        super().__delitem__(key)


def restored(bucket: str, key: str | int, row: Row) -> tuple[Any, dict[str, str | None]]:
    """moto's object, or delete marker, that a row holds, and its tags."""
    modified = datetime.fromisoformat(row.modified)
    if row.marker:
        marker = object.__new__(FakeDeleteMarker)
        # moto asks what the marker is of, to say of one that is deleted that it was a marker; S3 says so of each.
        marker.__dict__.update(key=marker, name=key, last_modified=modified, _version_id=row.version)
        return marker, {}
    fields = loaded(row.document, make)
    tags, upload, parts = fields.pop("tags"), fields.pop("upload", ""), fields.pop("parts", [])
    stored = object.__new__(StoredKey)
    ManagedState.__init__(stored, RESTORE, [(None, "IN_PROGRESS"), ("IN_PROGRESS", "RESTORED")])
    stored.__dict__.update({name: fields[name] for name in OBJECT_FIELDS})
    stored.__dict__.update(
        name=key,
        bucket_name=bucket,
        partition=get_partition(stored.region_name),
        last_modified=modified,
        checksum_algorithm=row.checksum_algorithm,
        _storage_class=row.storage_class,
        _etag=row.etag,
        _version_id=row.version,
        _max_buffer_size=0,
        multipart=None,
        disposed=False,
        lock=threading.Lock(),
        contentsize=row.size,
        blob=row.blob,
    )
    stored.acl = stored.acl or moto_s3.get_canned_acl("private")  # moto's completed uploads lack one
    if parts:
        stored.multipart = _completed(stored, upload, parts)
    return stored, tags


def _completed(whole: StoredKey, upload: str, parts: Sequence[tuple[int, int, str]]) -> Upload:
    """The completed upload of an object: parts that are ranges of the object's file."""
    made, offset = object.__new__(Upload), 0
    made.id, made.parts, made.partlist = upload, {}, [number for number, _, _ in parts]
    for number, size, etag in parts:
        made.parts[number] = whole.slice(number, offset, size, etag)
        offset += size
    return made
