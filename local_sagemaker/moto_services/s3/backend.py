"""moto's buckets, and its S3 of one account, over what the request sees of the objects."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, FakeKey, FakeMultipart, S3Backend

from local_sagemaker.moto_services.s3.checksums import compute_checksum
from local_sagemaker.moto_services.s3.stored import StoredKey, Upload, Uploads
from local_sagemaker.moto_services.s3.view import Versions

LONGEST_KEY = 1024  # bytes of UTF-8
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
ENCRYPTIONS = (None, "AES256", "aws:kms", "aws:kms:dsse", "aws:fsx")
ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


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
        if not _is_bucket_name(bucket_name):
            raise S3ClientError("InvalidBucketName", "The specified bucket is not valid.")
        StoredKey.store.view.buckets.add(bucket_name)
        return super().create_bucket(bucket_name, *arguments, **options)

    def put_bucket_policy(self, bucket_name: str, policy: bytes) -> None:
        _require_policy(bucket_name, policy)
        super().put_bucket_policy(bucket_name, policy)

    def put_object(self, bucket_name: str, key_name: str, *arguments: Any, **options: Any) -> FakeKey:
        _require_key(key_name)
        if options.get("encryption") not in ENCRYPTIONS:
            raise S3ClientError("InvalidArgument", "The encryption method specified is not supported")
        with self._versions_kept(bucket_name) as suspended:
            key = super().put_object(bucket_name, key_name, *arguments, **options)
        if suspended:
            key._is_versioned = False
            self._become_null_version(bucket_name, key_name, key)
        return key

    def delete_object(
        self, bucket_name: str, key_name: str, version_id: str | None = None, bypass: bool = False
    ) -> tuple[bool, dict[str, Any]]:
        if version_id is not None and not self._has_version(bucket_name, key_name, version_id):
            return False, {}
        with self._versions_kept(bucket_name) as suspended:
            done, said = super().delete_object(bucket_name, key_name, version_id, bypass)
        if suspended and done and version_id is None:
            self._become_null_version(bucket_name, key_name, self.get_bucket(bucket_name).keys[key_name])
            said["version-id"] = "null"
        return done, said

    def _has_version(self, bucket_name: str, key_name: str, version_id: str) -> bool:
        bucket = self.get_bucket(bucket_name)
        if bucket.versioning_status is None:
            return version_id == "null"
        return any(str(version.version_id) == version_id for version in bucket.keys.getlist(key_name, []))

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


def _is_bucket_name(name: str) -> bool:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""
    return bool(BUCKET_NAME.fullmatch(name)) and ".." not in name and not ADDRESS.fullmatch(name)


def _require_policy(bucket: str, policy: bytes) -> None:
    """Refuse a policy that could not be asked later, when every request of the bucket does."""
    from moto.iam.access_control import IAMPolicy  # which takes half a second

    try:
        document = json.loads(policy)
        statements = document["Statement"]
        for statement in statements if isinstance(statements, list) else [statements]:
            if statement["Effect"] not in ("Allow", "Deny") or not {"Action", "NotAction"} & set(statement):
                raise ValueError("a statement needs an Effect, Allow or Deny, and an Action")
            if not {"Resource", "NotResource"} & set(statement):
                raise ValueError("a statement needs a Resource")
        asked = IAMPolicy(policy.decode())
        for action in ("s3:GetObject", "s3:PutObject", "s3:ListBucket"):
            asked.is_action_permitted(action, f"arn:aws:s3:::{bucket}/key")
    except (ValueError, KeyError, TypeError, AttributeError, re.error) as error:
        raise S3ClientError("MalformedPolicy", f"The policy cannot be read: {error!r}.") from None


def _require_key(key: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""
    if len(key.encode("utf-8", "surrogatepass")) > LONGEST_KEY:
        raise S3ClientError("KeyTooLongError", "Your key is too long")
