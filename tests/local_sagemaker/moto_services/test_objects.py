"""S3 objects whose bytes are files."""

import hashlib
import io
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker.moto_services.s3.checksums import compute_checksum

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


def test_presigned_urls_put_and_get(server: Any, s3: Any) -> None:
    target = {"Bucket": BUCKET, "Key": "signed"}
    request = urllib.request.Request(s3.generate_presigned_url("put_object", target), b"signed bytes", method="PUT")
    with urllib.request.urlopen(request) as response:
        assert response.status == 200
    with urllib.request.urlopen(s3.generate_presigned_url("get_object", target)) as response:
        assert response.read() == b"signed bytes"


@pytest.mark.parametrize(
    ("asked", "start", "end"), [("0-9", 0, 10), ("90-", 90, 100), ("-5", 95, 100), ("99-500", 99, 100)]
)
def test_ranges_are_the_services(s3: Any, asked: str, start: int, end: int) -> None:
    s3.put_object(Bucket=BUCKET, Key="ranged", Body=bytes(range(100)))
    found = s3.get_object(Bucket=BUCKET, Key="ranged", Range=f"bytes={asked}")
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert found["ContentRange"] == f"bytes {start}-{end - 1}/100"
    assert found["Body"].read() == bytes(range(start, end))


def test_a_range_beyond_the_end_is_refused(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="short", Body=b"short")
    with pytest.raises(ClientError, match="InvalidRange"):
        s3.get_object(Bucket=BUCKET, Key="short", Range="bytes=5-")


def test_parts_are_copied_from_ranges(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="long", Body=bytes(range(256)) * (1 << 16))  # 16 MB
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="joined")["UploadId"]
    parts = []
    for number, asked in ((1, "bytes=0-5242879"), (2, "bytes=255-256")):
        copied = s3.upload_part_copy(
            Bucket=BUCKET,
            Key="joined",
            UploadId=upload,
            PartNumber=number,
            CopySource={"Bucket": BUCKET, "Key": "long"},
            CopySourceRange=asked,
        )
        parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
    s3.complete_multipart_upload(Bucket=BUCKET, Key="joined", UploadId=upload, MultipartUpload={"Parts": parts})
    found = s3.get_object(Bucket=BUCKET, Key="joined")["Body"].read()
    assert found == (bytes(range(256)) * (1 << 15))[: 5 << 20] + b"\xff\x00"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums_are_kept_and_given_back(s3: Any, algorithm: str) -> None:
    body = b"checked" * 1000
    sent = s3.put_object(Bucket=BUCKET, Key="checked", Body=body, ChecksumAlgorithm=algorithm)
    head = s3.head_object(Bucket=BUCKET, Key="checked", ChecksumMode="ENABLED")
    expected = compute_checksum(body, algorithm).decode()
    assert sent[f"Checksum{algorithm}"] == head[f"Checksum{algorithm}"] == expected


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is read from /proc")
def test_large_objects_do_not_live_in_memory(server: Any, s3: Any, tmp_path: Path) -> None:
    """100 MB put, uploaded in parts, copied and read while the server grows by less than half of one of them."""
    size = 100 << 20
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(size)
    before = peak_memory(server.up().pid)
    with (tmp_path / "large").open("rb") as stream:
        s3.put_object(Bucket=BUCKET, Key="large-put", Body=stream)
    s3.upload_file(str(tmp_path / "large"), BUCKET, "large-parts")
    s3.copy_object(Bucket=BUCKET, Key="large-copy", CopySource={"Bucket": BUCKET, "Key": "large-parts"})
    for key in ("large-put", "large-copy"):
        blocks = s3.get_object(Bucket=BUCKET, Key=key)["Body"].iter_chunks(1 << 20)
        assert sum(len(block) for block in blocks) == size
        s3.delete_object(Bucket=BUCKET, Key=key)
    s3.delete_object(Bucket=BUCKET, Key="large-parts")
    assert peak_memory(server.up().pid) - before < 50 << 20


def peak_memory(pid: int) -> int:
    """Bytes of memory that a process had at most."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")
