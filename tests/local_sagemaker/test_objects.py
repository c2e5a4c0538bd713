"""S3 objects whose bytes are files."""

import hashlib
import io
from pathlib import Path
from typing import Any

BUCKET = "test-bucket"


def test_bytes_lie_in_files_and_come_back_whole_and_in_parts(server: Any, s3: Any) -> None:
    data = bytes(range(256)) * 100
    s3.put_object(Bucket=BUCKET, Key="bytes", Body=data)
    assert s3.get_object(Bucket=BUCKET, Key="bytes")["Body"].read() == data
    part = s3.get_object(Bucket=BUCKET, Key="bytes", Range="bytes=256-511")
    assert part["Body"].read() == bytes(range(256))
    assert data in [path.read_bytes() for path in (server.state / "objects").iterdir()]


def test_the_etag_is_the_hash_of_the_content_also_after_it_is_replaced(s3: Any) -> None:
    for body in (b"one", b"another"):
        s3.put_object(Bucket=BUCKET, Key="etag", Body=body)
        expected = hashlib.md5(body, usedforsecurity=False).hexdigest()
        assert s3.head_object(Bucket=BUCKET, Key="etag")["ETag"] == f'"{expected}"'


def test_a_multipart_upload_is_one_object(s3: Any) -> None:
    data = b"0123456789abcdef" * (1 << 20)  # 16 MB: boto3 sends it in parts
    s3.upload_fileobj(io.BytesIO(data), BUCKET, "large")
    assert s3.head_object(Bucket=BUCKET, Key="large")["ContentLength"] == len(data)
    assert s3.get_object(Bucket=BUCKET, Key="large")["Body"].read() == data


def test_a_copy_does_not_change_with_its_source(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="source", Body=b"before")
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "source"})
    s3.put_object(Bucket=BUCKET, Key="source", Body=b"after")
    assert s3.get_object(Bucket=BUCKET, Key="copy")["Body"].read() == b"before"


def test_an_earlier_version_stays_readable(s3: Any) -> None:
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="versioned", Key="k", Body=b"first")["VersionId"]
    s3.put_object(Bucket="versioned", Key="k", Body=b"second")
    assert s3.get_object(Bucket="versioned", Key="k", VersionId=first)["Body"].read() == b"first"


def test_keys_with_dots_and_slashes_are_only_names(server: Any, s3: Any) -> None:
    for key in ("../../escape", "/absolute", "a//b", "..", "ü ß"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode()
    assert not (server.state.parent / "escape").exists()
    assert not Path("/absolute").exists()
