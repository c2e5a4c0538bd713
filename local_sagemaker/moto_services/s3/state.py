"""What S3 knows, as rows: one for each bucket, version of an object, upload in progress and part of one.

A request that changes something writes the rows that it changed in one transaction, before it is answered;
one that fails, or cannot be saved, is undone. Buckets and uploads in progress are in memory too; objects are
read when a request asks for them, and by requests that only read without waiting for those that write.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from moto.s3.models import s3_backends

from local_sagemaker.moto_services.s3.backend import Bucket
from local_sagemaker.moto_services.s3.blobs import BlobFolder
from local_sagemaker.moto_services.s3.kinds import make
from local_sagemaker.moto_services.s3.stored import Upload, restored
from local_sagemaker.moto_services.s3.view import Store, View
from local_sagemaker.state import s3_rows
from local_sagemaker.state.checks import (
    Unfit,
    files_on_disk,
    named_row,
    unfit_columns,
    unfit_rows,
    unnamed_files,
    without_bytes,
)
from local_sagemaker.state.damage import Damage, renew_latest
from local_sagemaker.state.database import Database
from local_sagemaker.state.s3_documents import LATER_BUCKET_FIELDS, bucket_text, loaded, upload_text

LOG = logging.getLogger("local_sagemaker.moto_services.s3")
READ_TRIES = 5
Answer = TypeVar("Answer")
Change = tuple[str, tuple[Any, ...]]  # a statement and its values


class S3State:
    """The rows behind moto's S3. `store` is the one that `models.install` has given."""

    def __init__(self, database: Database, store: Store, damage: Damage, account: str) -> None:
        self._database = database
        self._store = store
        self._damage = damage
        self._saved_buckets: dict[str, str] = {}
        self._put_damaged_aside()
        with self._locked() as view:
            self._load()
            self._make_lost_buckets(account)
            self._save(view)

    @property
    def notifies(self) -> bool:
        """Whether any bucket sends notifications."""
        return any(bucket.notification_configuration is not None for bucket in _buckets())

    def read(self, answer: Callable[[], Answer], alone: bool = False) -> Answer:
        """The answer to a request that only reads.

        It waits for nobody, unless it must be `alone` (it looks at what is in memory), or a bucket logs
        its accesses, so that reading writes. Bytes that were replaced since their row was read are looked for again.
        """
        if not alone and not any(bucket.logging for bucket in _buckets()):
            for _ in range(READ_TRIES):
                with self._store.request():
                    try:
                        return answer()
                    except FileNotFoundError:
                        continue
        with self._locked() as view:
            result = answer()
            self._save(view)
            return result

    @contextmanager
    def changing(self) -> Iterator[Callable[[], None]]:
        """Around a request that changes something: saved at its end; undone where it or the saving fails.

        Yields what undoes it where its answer is an error.
        """
        with self._locked():
            yield self._start_over
            self._save(self._store.view)

    def names(self, bucket: str, prefix: str) -> list[str]:
        """The keys of a bucket that start with a prefix, sorted, without those that are deleted."""
        with self._database.reader() as connection:
            found = s3_rows.current(connection, bucket, prefix, "", "")
            return [entry.key for entry in found if isinstance(entry, s3_rows.Listed)]

    @contextmanager
    def _locked(self) -> Iterator[View]:
        if self._database.held:
            raise RuntimeError("S3 must not be used inside a transaction of the records: two locks, in two orders.")
        with self._store.lock, self._store.request() as view:
            try:
                yield view
            except BaseException:
                self._start_over()
                raise

    def _start_over(self) -> None:
        view = self._store.view
        self._store.begin_again()
        for name in view.buckets:
            self._restore_bucket(name, self._saved_buckets.get(name))
        for bucket, upload in view.uploads | {(bucket, upload) for bucket, upload, _ in view.parts}:
            self._restore_upload(bucket, upload)
        self._unlink(view.written)

    def _save(self, view: View) -> None:
        buckets = {name: _bucket_document(name) for name in view.buckets}
        buckets = {name: text for name, text in buckets.items() if text != self._saved_buckets.get(name)}
        changes = [
            *_bucket_changes(buckets),
            *_object_changes(view),
            *_upload_changes(view),
        ]
        if changes:
            with self._database.lock:
                for statement, values in changes:
                    self._database.execute(statement, values)
        for name, text in buckets.items():
            self._remember(name, text)
        self._unlink(view.dropped)

    def _remember(self, bucket: str, text: str | None) -> None:
        if text is None:
            self._saved_buckets.pop(bucket, None)
        else:
            self._saved_buckets[bucket] = text

    def _load(self) -> None:
        for name, text in self._database.select("SELECT name, document FROM buckets ORDER BY name"):
            self._restore_bucket(name, text)
            self._remember(name, text)
        for bucket, upload in self._database.select("SELECT bucket, id FROM uploads"):
            self._restore_upload(bucket, upload)

    def _restore_bucket(self, name: str, text: str | None) -> None:
        bucket = _find(name)
        if text is None:
            if bucket is not None:
                del s3_backends[bucket.account_id][bucket.partition].buckets[name]
                s3_backends.bucket_accounts.pop(name)
            return
        fields = loaded(text, make)
        tags = fields.pop("tags")
        if bucket is None:
            bucket = Bucket(name, fields["account_id"], fields["region_name"])  # type: ignore[abstract]
            s3_backends[bucket.account_id][bucket.partition].buckets[name] = bucket
            for (upload,) in self._database.select("SELECT id FROM uploads WHERE bucket = ?", (name,)):
                self._restore_upload(name, upload)
        for field in LATER_BUCKET_FIELDS:
            bucket.__dict__.pop(field, None)
        bucket.__dict__.update(fields)
        tagger = s3_backends[bucket.account_id][bucket.partition].tagger
        tagger.delete_all_tags_for_resource(bucket.arn)
        if tags:
            tagger.tags[bucket.arn] = tags

    def _restore_upload(self, bucket: str, upload: str) -> None:
        found = _find(bucket)
        if found is None:
            return
        document = self._database.select("SELECT document FROM uploads WHERE bucket = ? AND id = ?", (bucket, upload))
        if not document:
            dict.pop(found.multiparts, upload, None)
            return
        made = object.__new__(Upload)
        made.__dict__.update(loaded(document[0][0], make), id=upload, bucket_name=bucket, parts={}, partlist=[])
        statement = f"SELECT {s3_rows.COLUMNS} FROM parts WHERE bucket = ? AND upload = ? ORDER BY number"
        for values in self._database.select(statement, (bucket, upload)):
            row = s3_rows.Row(*values)
            made.parts[row.number], _ = restored(bucket, row.number, row)
            made.partlist.append(row.number)
        dict.__setitem__(found.multiparts, upload, made)

    def _make_lost_buckets(self, account: str) -> None:
        """A bucket whose settings are damaged keeps its objects, with the settings of a new one."""
        bucket = ""
        while found := self._database.select(
            "SELECT bucket FROM objects WHERE bucket > ? ORDER BY bucket LIMIT 1", (bucket,)
        ):
            bucket = str(found[0][0])
            if _find(bucket) is None:
                LOG.error("the settings of the bucket %s are lost: it has those of a new one", bucket)
                s3_backends[account]["aws"].create_bucket(bucket, "us-east-1")

    def _put_damaged_aside(self) -> None:
        """What cannot be read, and what has no bytes on the disk; and no bytes stay that nothing names.

        The second needs a disk that has lost files; the third is what a kill -9 leaves.
        """
        for table in ("buckets", "uploads", "parts"):
            self._damage.put_all_aside(unfit_rows(self._database, table))
        self._damage.put_all_aside(self._undecodable())
        for table in ("buckets", "objects", "uploads", "parts"):
            for piece in self._damage.put_all_aside(unfit_columns(self._database, table)):
                if table == "objects":
                    renew_latest(self._database, piece.key["bucket"], piece.key["key"])
        with files_on_disk(self._database, self._store.folder.files()):
            for piece in self._damage.put_all_aside(without_bytes(self._database, "objects")):
                renew_latest(self._database, piece.key["bucket"], piece.key["key"])
            broken = {tuple(piece.key.values())[:2] for piece in without_bytes(self._database, "parts")}
            for bucket, upload in broken:
                reason = "bytes of a part are missing from the disk"
                name = f"the upload {upload} to the bucket {bucket}"
                self._damage.put_aside("uploads", {"bucket": bucket, "id": upload}, name, reason)
                self._damage.put_aside("parts", {"bucket": bucket, "upload": upload}, name, reason)
            unnamed = unnamed_files(self._database)
        self._unlink(unnamed)

    def _undecodable(self) -> Iterator[Unfit]:
        """The rows of buckets and uploads, which are read at the start, that do not give moto's objects."""
        for name, text in self._database.select("SELECT name, document FROM buckets"):
            if (reason := _fault(lambda text=text: loaded(text, make))) is not None:  # type: ignore[misc]
                yield Unfit("buckets", {"name": name}, named_row("buckets", (name,)), reason)
        for bucket, upload, text in self._database.select("SELECT bucket, id, document FROM uploads"):
            if (reason := _fault(lambda text=text: loaded(text, make))) is not None:  # type: ignore[misc]
                key = {"bucket": bucket, "id": upload}
                yield Unfit("uploads", key, named_row("uploads", (bucket, upload)), reason)
        columns = f"SELECT bucket, upload, {s3_rows.COLUMNS} FROM parts"
        for bucket, upload, *values in self._database.select(columns):
            row = s3_rows.Row(*values)
            if (reason := _fault(lambda row=row: restored("", row.number, row))) is not None:  # type: ignore[misc]
                key = {"bucket": bucket, "upload": upload, "number": row.number}
                yield Unfit("parts", key, named_row("parts", (bucket, upload)), reason)

    def _unlink(self, names: Iterable[str]) -> None:
        folder: BlobFolder = self._store.folder
        for name in names:
            folder.delete(name)


def _bucket_changes(buckets: dict[str, str | None]) -> Iterator[Change]:
    for name, text in buckets.items():
        if text is None:
            yield "DELETE FROM buckets WHERE name = ?", (name,)
            for table in ("objects", "uploads", "parts"):
                yield f"DELETE FROM {table} WHERE bucket = ?", (name,)
        else:
            yield "INSERT OR REPLACE INTO buckets (name, document) VALUES (?, ?)", (name, text)


def _object_changes(view: View) -> Iterator[Change]:
    """Of the objects that were set, and of those that were only looked at, and changed in place (tags, an ACL)."""
    for (bucket, key), versions in view.versions.items():
        if _find(bucket) is None:
            continue
        numbers = {id(version): row.number for version, row in zip(versions.loaded, versions.rows, strict=True)}
        after: list[s3_rows.Row] = []
        for version in versions.now:
            following = max([0, *(row.number for row in versions.rows), *(row.number for row in after)]) + 1
            after.append(s3_rows.row_of(numbers.get(id(version), following), version, view.tags_of(version)))
        yield from s3_rows.changes(bucket, key, versions.rows, after)


def _upload_changes(view: View) -> Iterator[Change]:
    for bucket, identifier in view.uploads:
        upload = _uploads(bucket).get(identifier)
        if upload is None:
            yield "DELETE FROM uploads WHERE bucket = ? AND id = ?", (bucket, identifier)
            yield "DELETE FROM parts WHERE bucket = ? AND upload = ?", (bucket, identifier)
        else:
            yield (
                "INSERT OR REPLACE INTO uploads (bucket, id, document) VALUES (?, ?, ?)",
                (bucket, identifier, upload_text(upload)),
            )
    for bucket, identifier, number in view.parts:
        upload = _uploads(bucket).get(identifier)
        if upload is not None:
            row = s3_rows.row_of(number, upload.parts[number], {})
            yield (
                f"INSERT OR REPLACE INTO parts (bucket, upload, {s3_rows.COLUMNS}) "
                f"VALUES ({', '.join('?' * (2 + len(row)))})",
                (bucket, identifier, *row),
            )


def _bucket_document(name: str) -> str | None:
    bucket = _find(name)
    if bucket is None:
        return None
    tagger = s3_backends[bucket.account_id][bucket.partition].tagger
    return bucket_text(bucket, tagger.get_tag_dict_for_resource(bucket.arn))


def _buckets() -> Iterator[Any]:
    for _, _, backend in s3_backends.iter_backends():
        yield from list(backend.buckets.values())  # type: ignore[attr-defined]


def _find(name: str) -> Any | None:
    if name not in s3_backends.bucket_accounts:
        return None
    partition, account = s3_backends.bucket_accounts[name]
    return s3_backends[account][partition].buckets.get(name)


def _uploads(bucket: str) -> dict[str, Any]:
    found = _find(bucket)
    return {} if found is None else found.multiparts


def _fault(read: Callable[[], object]) -> str | None:
    """Why something cannot be read, or None."""
    try:
        read()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return f"its document cannot be read ({error!r})"
    return None
