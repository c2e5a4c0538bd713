"""The documents of S3 hold all that moto's objects know, and nothing of how moto is written."""

from datetime import UTC, datetime
from typing import Any

import pytest
from moto.s3 import models
from moto.s3.utils import CaseInsensitiveDict
from moto.utilities.utils import LowercaseDict

from local_sagemaker.moto_services.s3.kinds import make
from local_sagemaker.state.s3_documents import (
    BUCKET_FIELDS,
    KIND,
    KINDS,
    OBJECT_FIELDS,
    UPLOAD_FIELDS,
    dumped,
    loaded,
)

MADE: dict[str, Any] = {
    "acl": models.FakeAcl(),
    "grant": models.FakeGrant([], []),
    "grantee": models.FakeGrantee("id", "uri", "name"),
    "lifecycle rule": models.LifecycleRule(),
    "lifecycle filter": models.LifecycleFilter("p", ("k", "v")),
    "lifecycle and": models.LifecycleAndFilter("p", {"k": "v"}),
    "transition": models.LifecycleTransition(days=3),
    "noncurrent transition": models.LifeCycleNoncurrentVersionTransition(3, "GLACIER"),
    "cors rule": models.CorsRule("GET", "*"),
    "notifications": models.NotificationConfiguration(),
    "notification": models.Notification("arn", ["s3:ObjectCreated:*"]),
    "public access block": models.PublicAccessBlock(True, False, None, 1),
    "inventory": models.FakeBucketInventoryConfiguration("id", {}, True, {}),
    "lowercase": LowercaseDict({"A": 1}),
}
COLUMNS = {"last_modified", "_version_id", "contentsize", "_etag", "_storage_class", "checksum_algorithm"}
DERIVED = {"name", "bucket_name", "partition", "multipart", "disposed", "lock", "_max_buffer_size", "_value_buffer"}
OF_A_STATE_THAT_DOES_NOT_WAIT = {"_transitions", "_tick", "_time_progressed", "model_name"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_names_every_attribute_of_motos_class(kind: str) -> None:
    assert set(MADE[kind].__dict__) == set(KINDS[kind][1])
    assert type(MADE[kind]).__name__ == KINDS[kind][0]


def test_every_attribute_of_a_bucket_an_object_and_an_upload_is_kept_or_is_known_not_to_be() -> None:
    bucket = models.FakeBucket("bucket-of-the-test", "0" * 12, "us-east-1")  # type: ignore[abstract]
    models.s3_backends.bucket_accounts.pop("bucket-of-the-test")
    assert set(bucket.__dict__) == {*BUCKET_FIELDS, "name", "keys", "multiparts"}
    key = models.FakeKey("key", b"", "0" * 12, "us-east-1")
    kept = {*OBJECT_FIELDS, *COLUMNS}
    assert set(key.__dict__) - {"value"} == kept | DERIVED | OF_A_STATE_THAT_DOES_NOT_WAIT
    upload = models.FakeMultipart("key", CaseInsensitiveDict(), "0" * 12, "us-east-1")  # type: ignore[no-untyped-call]
    assert set(upload.__dict__) == {*UPLOAD_FIELDS, "id", "parts", "partlist"}


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text \udcff \0",
        3,
        2.5,
        True,
        b"\x00\xff",
        datetime(2026, 11, 27, 12, 0, 0, 123456),
        datetime(2026, 11, 27, tzinfo=UTC),
        [1, ["two"]],
        {"a": {"b": [None]}},
        {KIND: "a user's own", "x": {KIND: "acl"}},
    ],
)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    assert loaded(dumped({"value": value}), make) == {"value": value}


def test_headers_keep_their_case_and_forget_it_when_asked() -> None:
    headers = CaseInsensitiveDict({"x-Meta": "1"})  # type: ignore[no-untyped-call]
    found = loaded(dumped({"value": headers}), make)["value"]
    assert dict(found) == {"x-Meta": "1"}
    assert found["X-META"] == "1"
    assert loaded(dumped({"value": MADE["lowercase"]}), make)["value"]["A"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_of_each_kind_comes_back_as_it_was(kind: str) -> None:
    found = loaded(dumped({"value": MADE[kind]}), make)["value"]
    assert type(found) is type(MADE[kind])
    assert dumped({"value": found}) == dumped({"value": MADE[kind]})


def test_a_value_without_a_form_is_refused_by_its_name() -> None:
    with pytest.raises(TypeError, match="a object of moto's S3 has no form"):
        dumped({"value": object()})


@pytest.mark.parametrize("text", ["", "{bad", "[]", "3", '{"a": {"$kind": "none"}}', '{"a": {"$kind": "acl"}}'])
def test_a_damaged_document_is_refused(text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        loaded(text, make)
