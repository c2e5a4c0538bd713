"""The three listings through boto3: pages leave nothing out and say nothing twice, whatever the keys are called."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

BUCKET = "listed"
ODD = ["%25", "a b", "a+b", "a/1", "a/2", "b", "b/ü/1", "b/ü/2", "c&<>'\"", "z\U0001f3e0"]


@pytest.fixture(name="bucket", scope="module")
def bucket_fixture(server: Any) -> str:
    """A bucket whose keys need every care, two of which are deleted, and which has versions."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for key in [*ODD, "deleted", "b"]:
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    s3.delete_object(Bucket=BUCKET, Key="deleted")
    return BUCKET


def names(pages: Any) -> list[str]:
    found: list[str] = []
    for page in pages:
        entries = [entry["Key"] for name in ("Contents", "Versions", "DeleteMarkers") for entry in page.get(name, [])]
        prefixes = [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
        assert len(entries) + len(prefixes) <= page["MaxKeys"]
        found += sorted(entries + prefixes)
    return found


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("prefix", "delimiter", "expected"),
    [
        ("", "", ODD),
        ("", "/", ["%25", "a b", "a+b", "a/", "b", "b/", "c&<>'\"", "z\U0001f3e0"]),
        ("b/", "/", ["b/ü/"]),
        ("b/ü/", "/", ["b/ü/1", "b/ü/2"]),
        ("none", "", []),
    ],
)
def test_pages_of_any_size_are_the_whole(
    s3: Any, bucket: str, operation: str, size: int, prefix: str, delimiter: str, expected: list[str]
) -> None:
    options = {"Delimiter": delimiter} if delimiter else {}
    pages = s3.get_paginator(operation).paginate(
        Bucket=bucket, Prefix=prefix, PaginationConfig={"PageSize": size}, **options
    )
    assert names(pages) == expected


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_pages_of_versions_are_the_whole(s3: Any, bucket: str, size: int, delimiter: str) -> None:
    options = {"Delimiter": delimiter} if delimiter else {}
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": size}, **options
    )
    whole = ["%25", "a b", "a+b", "a/", "b", "b", "b/", "c&<>'\"", "deleted", "deleted", "z\U0001f3e0"]
    if not delimiter:
        whole = sorted([*(name for name in whole if not name.endswith("/")), "a/1", "a/2", "b/ü/1", "b/ü/2"])
    assert names(pages) == whole


def test_versions_say_which_is_the_latest_and_which_is_a_delete_marker(s3: Any, bucket: str) -> None:
    answer = s3.list_object_versions(Bucket=bucket, Prefix="deleted")
    assert [(entry["IsLatest"], entry["Size"]) for entry in answer["Versions"]] == [(False, 7)]
    assert [entry["IsLatest"] for entry in answer["DeleteMarkers"]] == [True]


def test_a_version_can_be_deleted_and_its_marker_says_that_it_was_one(s3: Any) -> None:
    s3.create_bucket(Bucket="unmade")
    s3.put_bucket_versioning(Bucket="unmade", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="unmade", Key="k", Body=b"1")
    marker = s3.delete_object(Bucket="unmade", Key="k")["VersionId"]
    assert s3.delete_object(Bucket="unmade", Key="k", VersionId=marker)["DeleteMarker"]
    assert s3.get_object(Bucket="unmade", Key="k")["Body"].read() == b"1"


def test_a_listing_begins_after_a_name_that_need_not_exist(s3: Any, bucket: str) -> None:
    found = s3.list_objects_v2(Bucket=bucket, StartAfter="bzz", MaxKeys=1)
    assert [entry["Key"] for entry in found["Contents"]] == ["c&<>'\""]
    assert (found["StartAfter"], found["KeyCount"], found["IsTruncated"]) == ("bzz", 1, True)


def test_no_page_is_larger_than_s3s_and_a_page_of_none_is_empty(s3: Any, bucket: str) -> None:
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=5000)["MaxKeys"] == 1000
    empty = s3.list_objects_v2(Bucket=bucket, MaxKeys=0)
    assert (empty["KeyCount"], empty["IsTruncated"], empty.get("Contents")) == (0, False, None)


@pytest.mark.parametrize(
    "options",
    [
        {"MaxKeys": -1},
        {"ContinuationToken": "not ours"},
        {"ContinuationToken": ""},
        {"EncodingType": "base64"},
    ],
)
def test_a_page_that_cannot_be_is_refused(s3: Any, bucket: str, options: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        s3.list_objects_v2(Bucket=bucket, **options)
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_marker_of_a_version_needs_its_key(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError, match="cannot be specified without a key marker"):
        s3.list_object_versions(Bucket=bucket, VersionIdMarker="v")
