"""What S3 knows, as rows: one for each bucket, object, upload in progress and part of one.

A request is saved by writing the rows that it touched in one transaction, before it is answered; one that
fails, or cannot be saved, is undone by reading them again. So memory and disk agree after each request,
and a request costs the same however many objects there are.
"""

import logging
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.s3.models import s3_backends

from local_sagemaker.records import Records
from local_sagemaker.s3.blobs import BlobFolder
from local_sagemaker.s3.models import Bucket, KeyStore, Store, StoredKey, Touched, Upload, Uploads

LOG = logging.getLogger("local_sagemaker.s3")
BUCKET, OBJECT, UPLOAD, PART = "s3/bucket/", "s3/object/", "s3/upload/", "s3/part/"
CONTENTS = ("keys", "multiparts")  # of a bucket: each of them has its own rows


class S3State:
    """The rows behind moto's S3. `store` is the one that `models.install` has given."""

    def __init__(self, records: Records, store: Store) -> None:
        self._records = records
        self._store = store
        self._saved_buckets: dict[str, bytes] = {}
        self._load()
        self._drop_incomplete()

    @property
    def notifies(self) -> bool:
        """Whether any bucket sends notifications."""
        return any(bucket.notification_configuration is not None for _, bucket in _buckets())

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Around a request that only reads; what it changes all the same (a log of accesses) is saved."""
        with self._locked():
            yield
            self._store.touched.looked_at.clear()
            if self._store.touched.objects:
                self._save(self._store.touched)

    @contextmanager
    def changing(self) -> Iterator[Callable[[], None]]:
        """Around a request that changes something: saved at its end; undone where it or the saving fails.

        Yields what undoes it where its answer is an error.
        """
        with self._locked():
            yield self._start_over
            self._save(self._store.touched)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if self._records.held:
            raise RuntimeError("S3 must not be used inside a transaction of the records: two locks, in two orders.")
        with self._store.lock:
            self._store.touched = Touched()
            try:
                yield
            except BaseException:
                self._start_over()
                raise

    def _start_over(self) -> None:
        self._undo(self._store.touched)
        self._store.touched = Touched()

    def _save(self, touched: Touched) -> None:
        rows: dict[str, bytes | None] = {}
        gone: list[str] = []
        for name in touched.buckets | {bucket for bucket, _ in touched.objects}:
            row = self._bucket_row(name)
            if row != self._saved_buckets.get(name):
                rows[BUCKET + name] = row
                gone += [] if row else [f"{kind}{name}/" for kind in (OBJECT, UPLOAD, PART)]
        for bucket, key in touched.objects | touched.looked_at:
            rows[f"{OBJECT}{bucket}/{key}"] = self._object_row(bucket, key)
        for bucket, upload in touched.uploads:
            found = _uploads(bucket).get(upload)
            rows[f"{UPLOAD}{bucket}/{upload}"] = None if found is None else pickle.dumps(_without_parts(found))
            gone += [f"{PART}{bucket}/{upload}/"] if found is None else []
        for bucket, upload, number in touched.parts:
            found = _uploads(bucket).get(upload)
            if found is not None:
                rows[f"{PART}{bucket}/{upload}/{number:05d}"] = pickle.dumps(found.parts[number])
        self._records.save_snapshots(rows, gone)
        for row_name, data in rows.items():
            if row_name.startswith(BUCKET):
                self._remember(row_name.removeprefix(BUCKET), data)
        _unlink(self._store.folder, touched.dropped)

    def _undo(self, touched: Touched) -> None:
        """Bring what was touched back to what is on disk."""
        for name in touched.buckets:
            self._restore_bucket(name, self._saved_buckets.get(name))
        for bucket, key in touched.objects | touched.looked_at:
            self._restore_object(bucket, key)
        for bucket, upload in touched.uploads | {(bucket, upload) for bucket, upload, _ in touched.parts}:
            self._restore_upload(bucket, upload)
        _unlink(self._store.folder, touched.written)

    def _load(self) -> None:
        """Bring everything back at the start."""
        for name, data in self._records.snapshots(BUCKET):
            self._restore_bucket(name.removeprefix(BUCKET), data)
            self._remember(name.removeprefix(BUCKET), data)
        for name, data in self._records.snapshots(OBJECT):
            bucket, _, key = name.removeprefix(OBJECT).partition("/")
            _put_object(bucket, key, data)

    def _drop_incomplete(self) -> None:
        """Nothing names bytes that are not there, and no bytes are there that nothing names.

        The former needs a disk that has lost files; the latter is what a kill -9 leaves.
        """
        sizes = {entry.name: entry.stat().st_size for entry in os.scandir(self._store.folder.path)}
        kept: set[str] = set()
        with self.changing():
            for name, bucket in _buckets():
                for key, versions in list(dict.items(bucket.keys)):
                    whole = [version for version in versions if _is_whole(version, sizes)]
                    if len(whole) < len(versions):
                        LOG.error("the bytes of s3://%s/%s are missing from the disk: it is dropped", name, key)
                        bucket.keys.setlist(key, whole)
                        if not whole:
                            bucket.keys.pop(key)
                    kept.update(version.blob for version in whole if isinstance(version, StoredKey))
                for identifier, upload in list(bucket.multiparts.items()):
                    parts = list(upload.parts.values())
                    if all(_is_whole(part, sizes) for part in parts):
                        kept.update(part.blob for part in parts)
                    else:
                        LOG.error(
                            "bytes of the upload %s to %s are missing from the disk: it is dropped", identifier, name
                        )
                        del bucket.multiparts[identifier]
        self._store.folder.sweep(kept)

    def _bucket_row(self, name: str) -> bytes | None:
        bucket = _find(name)
        if bucket is None:
            return None
        settings = {field: value for field, value in bucket.__dict__.items() if field not in CONTENTS}
        tags = _tagger(bucket).get_tag_dict_for_resource(bucket.arn)
        return pickle.dumps((settings, tags))

    def _object_row(self, name: str, key: str) -> bytes | None:
        bucket = _find(name)
        versions = None if bucket is None else dict.get(bucket.keys, key)
        if bucket is None or not versions:
            return None
        tagger = _tagger(bucket)
        tags = {version.arn: tagger.get_tag_dict_for_resource(version.arn) for version in _stored(versions)}
        return pickle.dumps((versions, {arn: found for arn, found in tags.items() if found}))

    def _remember(self, bucket: str, row: bytes | None) -> None:
        if row is None:
            self._saved_buckets.pop(bucket, None)
        else:
            self._saved_buckets[bucket] = row

    def _restore_bucket(self, name: str, row: bytes | None) -> None:
        bucket = _find(name)
        if row is None:
            if bucket is not None:
                del s3_backends[bucket.account_id][bucket.partition].buckets[name]
                s3_backends.bucket_accounts.pop(name)
            return
        settings, tags = pickle.loads(row)  # noqa: S301 - our own
        if bucket is None:
            bucket = object.__new__(Bucket)  # type: ignore[type-abstract]
            bucket.keys, bucket.multiparts = KeyStore(name), Uploads(name)
            s3_backends[settings["account_id"]][settings["partition"]].buckets[name] = bucket
            s3_backends.bucket_accounts[name] = (settings["partition"], settings["account_id"])
            for upload, _ in self._records.snapshots(f"{UPLOAD}{name}/"):
                self._restore_upload(name, upload.rpartition("/")[2])
        bucket.__dict__.update(settings)
        _retag(bucket, bucket.arn, tags)

    def _restore_object(self, bucket: str, key: str) -> None:
        found = _find(bucket)
        if found is None:
            return
        data = self._records.snapshot(f"{OBJECT}{bucket}/{key}")
        if data is None:
            dict.pop(found.keys, key, None)
        else:
            _put_object(bucket, key, data)

    def _restore_upload(self, bucket: str, upload: str) -> None:
        if _find(bucket) is None:
            return
        data = self._records.snapshot(f"{UPLOAD}{bucket}/{upload}")
        if data is None:
            dict.pop(_uploads(bucket), upload, None)
            return
        restored = pickle.loads(data)  # noqa: S301 - our own
        for name, part in self._records.snapshots(f"{PART}{bucket}/{upload}/"):
            _put_part(restored, int(name.rpartition("/")[2]), part)
        dict.__setitem__(_uploads(bucket), upload, restored)


def _buckets() -> Iterator[tuple[str, Any]]:
    for _, _, backend in s3_backends.iter_backends():
        yield from list(backend.buckets.items())  # type: ignore[attr-defined]


def _find(name: str) -> Any | None:
    if name not in s3_backends.bucket_accounts:
        return None
    partition, account = s3_backends.bucket_accounts[name]
    return s3_backends[account][partition].buckets.get(name)


def _uploads(bucket: str) -> dict[str, Any]:
    found = _find(bucket)
    return {} if found is None else found.multiparts


def _tagger(bucket: Any) -> Any:
    return s3_backends[bucket.account_id][bucket.partition].tagger


def _retag(bucket: Any, arn: str, tags: dict[str, str]) -> None:
    _tagger(bucket).delete_all_tags_for_resource(arn)
    if tags:
        _tagger(bucket).tag_resource(arn, [{"Key": name, "Value": value} for name, value in tags.items()])


def _put_object(bucket: str, key: str, data: bytes) -> None:
    found = _find(bucket)
    versions, tags = pickle.loads(data)  # noqa: S301 - our own
    dict.__setitem__(found.keys, key, versions)  # type: ignore[union-attr]
    for version in _stored(versions):
        _retag(found, version.arn, tags.get(version.arn, {}))


def _put_part(upload: Upload, number: int, data: bytes) -> None:
    upload.parts[number] = pickle.loads(data)  # noqa: S301 - our own
    upload.partlist = sorted(upload.parts)


def _without_parts(upload: Upload) -> Upload:
    bare = object.__new__(Upload)
    bare.__dict__.update(upload.__dict__, parts={}, partlist=[])
    return bare


def _stored(versions: list[Any]) -> list[StoredKey]:
    return [version for version in versions if isinstance(version, StoredKey)]


def _is_whole(version: Any, sizes: dict[str, int]) -> bool:
    return not isinstance(version, StoredKey) or sizes.get(version.blob) == version.contentsize


def _unlink(folder: BlobFolder, names: set[str]) -> None:
    for name in names:
        folder.delete(name)
