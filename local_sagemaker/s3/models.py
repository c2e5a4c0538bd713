"""moto's model of S3 with the bytes in files, telling what each request has touched.

moto makes its buckets, objects and uploads by the names in its module; `install` puts these classes there.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from moto.core.common_models import BaseModel
from moto.moto_api._internal.managed_state_model import ManagedState
from moto.s3 import models as moto_s3
from moto.s3 import responses as moto_responses
from moto.s3.exceptions import EntityTooSmall, InvalidPart, InvalidPartOrder, MalformedXML, NoSuchUpload, S3ClientError
from moto.s3.models import (
    FakeBucket,
    FakeDeleteMarker,
    FakeKey,
    FakeMultipart,
    MultipartDict,
    S3Backend,
    s3_backends,
)
from moto.utilities.utils import get_partition

from local_sagemaker.errors import ServiceError
from local_sagemaker.s3 import listings
from local_sagemaker.s3.blobs import Blob, BlobFolder, BlobView
from local_sagemaker.s3.checksums import ALGORITHMS, compute_checksum, encoded
from local_sagemaker.s3.kinds import make
from local_sagemaker.state import s3_rows
from local_sagemaker.state.database import Database
from local_sagemaker.state.s3_documents import OBJECT_FIELDS, loaded
from local_sagemaker.state.s3_rows import Row

RESTORE = "s3::keyrestore"  # moto's name of how an archived object comes back
LONGEST_KEY = 1024  # bytes of UTF-8
BODY = "local_sagemaker.body"  # in the WSGI environment: the Blob that holds the body of the request
Bytes = bytes | str | Blob | BlobView


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

    def __init__(self, database: Database) -> None:
        self._database = database
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
                made = [restored(bucket, key, row) for row in found]
            except (ValueError, KeyError, TypeError) as error:
                text = f"What is known of s3://{bucket}/{key} is damaged ({error!r}): `local doctor` says what to do."
                raise ServiceError("InternalError", text, 500) from error
            for version, tags in made:
                if tags:
                    self.tags[version.arn] = tags
            objects = [version for version, _ in made]
            self.versions[bucket, key] = Versions(found, objects, list(objects))
        return self.versions[bucket, key]

    def tags_of(self, version: Any) -> dict[str, str | None]:
        """The tags of a version of an object; a delete marker has none."""
        return self.tags.get(version.arn, {}) if isinstance(version, StoredKey) else {}

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

    def __init__(self, folder: BlobFolder, database: Database) -> None:
        self.folder = folder
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
        self._request.view = View(self.database)
        try:
            yield self._request.view
        finally:
            del self._request.view

    def begin_again(self) -> View:
        """Forget what this thread's request has seen and changed."""
        self._request.view = View(self.database)
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


def _completed(whole: StoredKey, upload: str, parts: Sequence[tuple[int, int, str]]) -> "Upload":
    """The completed upload of an object: parts that are ranges of the object's file."""
    made, offset = object.__new__(Upload), 0
    made.id, made.parts, made.partlist = upload, {}, [number for number, _, _ in parts]
    for number, size, etag in parts:
        made.parts[number] = whole.slice(number, offset, size, etag)
        offset += size
    return made


class KeyStore:
    """The objects of a bucket, key to versions, as the present request sees them."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def __contains__(self, key: str) -> bool:
        return bool(self._versions(key).now)

    def __getitem__(self, key: str) -> Any:
        versions = self._versions(key).now
        if not versions:
            raise KeyError(key)
        return versions[-1]

    def __setitem__(self, key: str, value: Any) -> None:
        versions = self._versions(key)
        versions.now = [*versions.now, value]
        versions.replaced = True

    def __bool__(self) -> bool:
        return StoredKey.store.view.has_any(self._bucket)

    def __len__(self) -> int:
        return StoredKey.store.view.totals(self._bucket)[0]

    def item_size(self) -> int:
        """The bytes of all versions; as moto's, 0 means that the bucket is new."""
        return int(bool(self)) and max(1, StoredKey.store.view.totals(self._bucket)[1])

    def get(self, key: str, default: Any = None) -> Any:
        """The newest version of a key."""
        versions = self._versions(key).now
        return versions[-1] if versions else default

    def getlist(self, key: str, default: Any = None) -> Any:
        """Every version of a key, oldest first."""
        return list(self._versions(key).now) or default

    def setlist(self, key: str, kept: list[Any]) -> None:
        """Replace the versions of a key; the bytes of those that are not kept are dropped."""
        versions = self._versions(key)
        self._dispose([version for version in versions.now if version not in kept])
        versions.now, versions.replaced = list(kept), True

    def pop(self, key: str) -> None:
        """Delete every version of a key; KeyError where there is none."""
        versions = self._versions(key)
        if not versions.now and not versions.replaced:
            raise KeyError(key)
        self._dispose(versions.now)
        versions.now, versions.replaced = [], True

    def _versions(self, key: str) -> Versions:
        return StoredKey.store.view.of(self._bucket, key)

    @staticmethod
    def _dispose(versions: list[Any]) -> None:
        for version in versions:
            if isinstance(version, StoredKey):
                version.dispose()


class TagsByArn(dict[str, dict[str, str | None]]):
    """moto's tags: those of buckets are here, those of versions of objects in the view of the request."""

    def __contains__(self, arn: object) -> bool:
        return arn in StoredKey.store.view.tags if _is_of_a_version(arn) else super().__contains__(arn)

    def __getitem__(self, arn: str) -> dict[str, str | None]:
        return StoredKey.store.view.tags[arn] if _is_of_a_version(arn) else super().__getitem__(arn)

    def __setitem__(self, arn: str, tags: dict[str, str | None]) -> None:
        if _is_of_a_version(arn):
            StoredKey.store.view.tags[arn] = tags
        else:
            super().__setitem__(arn, tags)

    def __delitem__(self, arn: str) -> None:
        if _is_of_a_version(arn):
            del StoredKey.store.view.tags[arn]
        else:
            super().__delitem__(arn)


def _is_of_a_version(arn: object) -> bool:
    return "/" in str(arn)  # arn:aws:s3:::BUCKET/KEY/VERSION


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
        etag = f"{moto_s3.md5_hash(md5s).hexdigest()}-{len(chosen)}"
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


class Bucket(FakeBucket):
    """A bucket."""

    def __init__(self, name: str, *arguments: Any, **options: Any) -> None:
        super().__init__(name, *arguments, **options)
        self.keys = KeyStore(name)  # type: ignore[assignment]
        self.multiparts = Uploads(name)


class Backend(S3Backend):
    """moto's S3 of one account."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.tagger.tags = TagsByArn()

    def get_bucket(self, bucket_name: str) -> FakeBucket:
        StoredKey.store.view.buckets.add(bucket_name)
        return super().get_bucket(bucket_name)

    def create_bucket(self, bucket_name: str, *arguments: Any, **options: Any) -> FakeBucket:
        StoredKey.store.view.buckets.add(bucket_name)
        return super().create_bucket(bucket_name, *arguments, **options)

    def put_object(self, bucket_name: str, key_name: str, *arguments: Any, **options: Any) -> FakeKey:
        _require_key(key_name)
        with self._versions_kept(bucket_name) as suspended:
            key = super().put_object(bucket_name, key_name, *arguments, **options)
        if suspended:
            key._is_versioned = False
            self._become_null_version(bucket_name, key_name, key)
        return key

    def delete_object(
        self, bucket_name: str, key_name: str, version_id: str | None = None, bypass: bool = False
    ) -> tuple[bool, dict[str, Any]]:
        with self._versions_kept(bucket_name) as suspended:
            done, said = super().delete_object(bucket_name, key_name, version_id, bypass)
        if suspended and done and version_id is None:
            self._become_null_version(bucket_name, key_name, self.get_bucket(bucket_name).keys[key_name])
            said["version-id"] = "null"
        return done, said

    @contextmanager
    def _versions_kept(self, bucket_name: str) -> Iterator[bool]:
        """Whether versioning is suspended; moto would drop every version then, and takes it for enabled meanwhile."""
        bucket = self.get_bucket(bucket_name)
        suspended = bucket.versioning_status == "Suspended"
        if suspended:
            bucket.versioning_status = "Enabled"
        try:
            yield suspended
        finally:
            if suspended:
                bucket.versioning_status = "Suspended"

    def _become_null_version(self, bucket_name: str, key_name: str, version: Any) -> None:
        """https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html"""
        keys = self.get_bucket(bucket_name).keys
        version._version_id = "null"
        keys.setlist(
            key_name, [each for each in keys.getlist(key_name) if each is version or each.version_id != "null"]
        )

    def create_multipart_upload(self, bucket_name: str, key_name: str, *rest: Any, **options: Any) -> FakeMultipart:
        _require_key(key_name)
        return super().create_multipart_upload(bucket_name, key_name, *rest, **options)

    def list_buckets(self, prefix: str | None, bucket_region: str | None, max_buckets: str | None) -> list[FakeBucket]:
        found = sorted(super().list_buckets(prefix, bucket_region, None), key=lambda bucket: bucket.name)
        return found[: int(max_buckets)] if max_buckets else found

    def complete_multipart_upload(self, bucket_name: str, multipart_id: str, body: Any) -> FakeKey | None:
        key = super().complete_multipart_upload(bucket_name, multipart_id, body)
        if isinstance(key, StoredKey) and isinstance(key.multipart, Upload):
            key.multipart.become_part_of(key)
        return key

    def copy_object(self, src_key: FakeKey, dest_bucket_name: str, dest_key_name: str, *rest: Any, **more: Any) -> None:
        whole = None
        if src_key.checksum_value and src_key.checksum_algorithm and "-" in src_key.etag:
            view = src_key.value
            with StoredKey.store.released():
                whole = compute_checksum(view, src_key.checksum_algorithm).decode()
        super().copy_object(src_key, dest_bucket_name, dest_key_name, *rest, **more)
        # The parts lie in the source's file; and S3, too, makes one object without parts, with one checksum.
        copy = self.get_bucket(dest_bucket_name).keys[dest_key_name]
        copy.multipart = None
        if whole is not None:
            copy.checksum_value, copy.checksum_type = whole, "FULL_OBJECT"


def _require_key(key: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""
    if len(key.encode("utf-8", "surrogatepass")) > LONGEST_KEY:
        raise S3ClientError("KeyTooLongError", "Your key is too long")


def install(folder: BlobFolder, database: Database) -> Store:
    """Make moto use these classes; to be called before it has made anything."""
    StoredKey.store = Store(folder, database)
    for name, stored in (
        ("FakeKey", StoredKey),
        ("FakeMultipart", Upload),
        ("FakeBucket", Bucket),
        ("compute_checksum", compute_checksum),
    ):
        setattr(moto_s3, name, stored)
    moto_responses.compute_checksum = compute_checksum
    s3_backends.backend = Backend
    listings.install(database.reader)
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
