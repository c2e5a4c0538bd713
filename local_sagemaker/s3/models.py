"""moto's model of S3 with the bytes in files, telling what each request has touched.

moto makes its buckets, objects and uploads by the names in its module; `install` puts these classes there.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from moto.core.common_models import BaseModel
from moto.s3 import models as moto_s3
from moto.s3 import responses as moto_responses
from moto.s3.exceptions import EntityTooSmall, InvalidPart, InvalidPartOrder, MalformedXML, NoSuchUpload
from moto.s3.models import FakeBucket, FakeKey, FakeMultipart, MultipartDict, S3Backend, s3_backends
from moto.s3.utils import _VersionedKeyStore

from local_sagemaker.s3.blobs import Blob, BlobFolder, BlobView
from local_sagemaker.s3.checksums import ALGORITHMS, compute_checksum, encoded

BODY = "local_sagemaker.body"  # in the WSGI environment: the Blob that holds the body of the request
Bytes = bytes | str | Blob | BlobView


@dataclass
class Touched:
    """What a request has looked at or changed, by name, and the files that its end decides about."""

    buckets: set[str] = field(default_factory=set)
    looked_at: set[tuple[str, str]] = field(default_factory=set)  # bucket, key
    objects: set[tuple[str, str]] = field(default_factory=set)  # bucket, key
    uploads: set[tuple[str, str]] = field(default_factory=set)  # bucket, upload
    parts: set[tuple[str, str, int]] = field(default_factory=set)  # bucket, upload, part
    written: set[str] = field(default_factory=set)  # files that were given a name
    dropped: set[str] = field(default_factory=set)  # files that have lost theirs


class Store:
    """The files, the lock that every use of moto's S3 takes, and what the request that holds it has touched."""

    def __init__(self, folder: BlobFolder) -> None:
        self.folder = folder
        self.lock = threading.Lock()
        self.touched = Touched()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Let others in while many bytes are copied."""
        mine, self.touched = self.touched, Touched()
        self.lock.release()
        try:
            yield
        finally:
            self.lock.acquire()
            self.touched = mine

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
        self.touched.written.add(blob.name)
        return blob


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
            self.store.touched.dropped.add(self.blob)
            self.disposed = True

    def slice(self, whole: "StoredKey", offset: int) -> "StoredKey":
        """This part as a range of the whole object's file."""
        part = object.__new__(StoredKey)
        part.__setstate__({**self.__getstate__(), "blob": whole.blob, "offset": offset, "shares": True})
        return part

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("lock", "disposed")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.lock, self.disposed = threading.Lock(), False


class KeyStore(_VersionedKeyStore):
    """The objects of a bucket: key to versions."""

    def __init__(self, bucket: str) -> None:
        super().__init__()
        self._bucket = bucket

    def __setitem__(self, key: str, value: Any) -> None:
        StoredKey.store.touched.objects.add((self._bucket, key))
        super().__setitem__(key, value)

    def setlist(self, key: str, list_: Any) -> None:
        StoredKey.store.touched.objects.add((self._bucket, key))
        super().setlist(key, list_)

    def pop(self, key: str) -> None:  # type: ignore[override]
        StoredKey.store.touched.objects.add((self._bucket, key))
        super().pop(key)


class Upload(FakeMultipart):
    """A multipart upload in progress."""

    bucket_name = ""

    def set_part(self, part_id: int, value: Bytes) -> FakeKey:
        part = super().set_part(part_id, value)  # type: ignore[arg-type]
        StoredKey.store.touched.parts.add((self.bucket_name, self.id, part_id))
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
        etag = f"{moto_s3.md5_hash(md5s).hexdigest()}-{len(chosen)}"
        if kind == "COMPOSITE":
            return blob, etag, (kind, encoded(of_parts), len(chosen))
        return blob, etag, (kind, encoded(whole), 1)

    def become_part_of(self, key: StoredKey) -> None:
        """Point the parts at the completed object's file."""
        offset, parts = 0, {}
        for number in self.completed:
            parts[number] = self.parts[number].slice(key, offset)  # type: ignore[attr-defined]
            offset += parts[number].contentsize
        self.parts, self.partlist = dict(parts), list(parts)

    def _chosen(self, body: Iterator[tuple[int, str]]) -> list[StoredKey]:
        chosen: dict[int, Any] = {}
        for number, etag in body:
            part = self.parts.get(number)
            if part is None or part.etag.strip('"') != etag.strip('"'):
                raise InvalidPart()
            if chosen and number <= max(chosen):
                raise InvalidPartOrder()
            if chosen and chosen[max(chosen)].contentsize < moto_s3.S3_UPLOAD_PART_MIN_SIZE:
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
        StoredKey.store.touched.uploads.add((self._bucket, key))
        super().__setitem__(key, value)

    def __getitem__(self, key: str) -> FakeMultipart:
        if key not in self:
            raise NoSuchUpload(upload_id=key)
        return super().__getitem__(key)

    def __delitem__(self, key: str) -> None:
        self[key]  # another request may have completed it meanwhile
        StoredKey.store.touched.uploads.add((self._bucket, key))
        super().__delitem__(key)


class Bucket(FakeBucket):
    """A bucket."""

    def __init__(self, name: str, *arguments: Any, **options: Any) -> None:
        super().__init__(name, *arguments, **options)
        self.keys = KeyStore(name)
        self.multiparts = Uploads(name)


class Backend(S3Backend):
    """moto's S3 of one account."""

    def get_bucket(self, bucket_name: str) -> FakeBucket:
        StoredKey.store.touched.buckets.add(bucket_name)
        return super().get_bucket(bucket_name)

    def get_object(self, bucket_name: str, key_name: str, *arguments: Any, **options: Any) -> FakeKey | None:
        StoredKey.store.touched.looked_at.add((bucket_name, key_name))
        return super().get_object(bucket_name, key_name, *arguments, **options)

    def create_bucket(self, bucket_name: str, *arguments: Any, **options: Any) -> FakeBucket:
        StoredKey.store.touched.buckets.add(bucket_name)
        return super().create_bucket(bucket_name, *arguments, **options)

    def complete_multipart_upload(self, bucket_name: str, multipart_id: str, body: Any) -> FakeKey | None:
        key = super().complete_multipart_upload(bucket_name, multipart_id, body)
        if isinstance(key, StoredKey) and isinstance(key.multipart, Upload):
            key.multipart.become_part_of(key)
        return key

    def copy_object(self, src_key: FakeKey, dest_bucket_name: str, dest_key_name: str, *rest: Any, **more: Any) -> None:
        super().copy_object(src_key, dest_bucket_name, dest_key_name, *rest, **more)
        # The parts lie in the source's file; and S3, too, makes one object without parts, with one checksum.
        copy = self.get_bucket(dest_bucket_name).keys[dest_key_name]
        copy.multipart = None
        if copy.checksum_value and "-" in src_key.etag:
            view = copy.value
            with StoredKey.store.released():
                copy.checksum_value = compute_checksum(view, copy.checksum_algorithm).decode()
            copy.checksum_type = "FULL_OBJECT"


def install(folder: BlobFolder) -> Store:
    """Make moto use these classes; to be called before it has made anything."""
    StoredKey.store = Store(folder)
    for name, stored in (
        ("FakeKey", StoredKey),
        ("FakeMultipart", Upload),
        ("FakeBucket", Bucket),
        ("compute_checksum", compute_checksum),
    ):
        setattr(moto_s3, name, stored)
    moto_responses.compute_checksum = compute_checksum
    s3_backends.backend = Backend
    _take_bodies_from_files()
    # moto remembers every object that was ever made, for a page that shows them: memory that only grows.
    BaseModel.__new__ = staticmethod(lambda cls, *_arguments, **_options: object.__new__(cls))  # type: ignore[method-assign]
    return StoredKey.store


def _take_bodies_from_files() -> None:
    original = moto_responses.S3Response.setup_class

    def setup_class(self: Any, request: Any, *arguments: Any, **options: Any) -> None:
        original(self, request, *arguments, **options)
        self.body = request.environ.get(BODY, self.body)

    moto_responses.S3Response.setup_class = setup_class  # type: ignore[method-assign]
