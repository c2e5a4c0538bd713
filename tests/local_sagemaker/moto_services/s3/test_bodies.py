"""The bodies of uploads: every framing, every check, and nothing left where one fails."""

import base64
import hashlib
import io
import zlib
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.moto_services.s3.blobs import BlobFolder
from local_sagemaker.moto_services.s3.bodies import holds_an_object, receive
from local_sagemaker.wire.http_request import HttpRequest

DATA = b"the bytes of an object" * 100
CRC32 = base64.b64encode(zlib.crc32(DATA).to_bytes(4, "big")).decode()


def environ(body: bytes, **headers: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": "/bucket/key",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }


def chunked(*chunks: bytes, trailer: str = "", extension: str = "") -> bytes:
    framed = b"".join(b"%x%s\r\n%s\r\n" % (len(chunk), extension.encode(), chunk) for chunk in chunks)
    return framed + f"0{extension}\r\n{trailer}\r\n".encode()


def refused(folder: BlobFolder, request: dict[str, Any]) -> str:
    with pytest.raises(ServiceError) as caught:
        receive(HttpRequest(request), folder)
    assert list(folder.path.iterdir()) == []
    return caught.value.code


@pytest.fixture
def folder(tmp_path: Path) -> BlobFolder:
    return BlobFolder(tmp_path / "objects")


def test_a_plain_body_is_the_object(folder: BlobFolder) -> None:
    request = environ(DATA, x_amz_content_sha256=hashlib.sha256(DATA).hexdigest())
    blob = receive(HttpRequest(request), folder)
    assert blob.path.read_bytes() == DATA
    assert request["CONTENT_LENGTH"] == "0"


@pytest.mark.parametrize(
    ("kind", "extension"),
    [
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", ""),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", ";chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35"),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", ";chunk-signature=ad80c730"),
    ],
)
def test_a_body_in_chunks_loses_its_framing(folder: BlobFolder, kind: str, extension: str) -> None:
    body = chunked(DATA[:1000], DATA[1000:], extension=extension)
    request = environ(body, x_amz_content_sha256=kind, x_amz_decoded_content_length=str(len(DATA)))
    assert receive(HttpRequest(request), folder).path.read_bytes() == DATA


def test_the_checksum_of_the_trailer_is_verified_and_handed_on(folder: BlobFolder) -> None:
    framing = {"x_amz_content_sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x_amz_trailer": "x-amz-checksum-crc32"}
    request = environ(chunked(DATA, trailer=f"x-amz-checksum-crc32:{CRC32}\r\n"), **framing)
    receive(HttpRequest(request), folder).discard()
    assert request["HTTP_X_AMZ_CHECKSUM_CRC32"] == CRC32
    assert request["HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM"] == "CRC32"
    assert (
        refused(folder, environ(chunked(DATA, trailer="x-amz-checksum-crc32:AAAAAA==\r\n"), **framing)) == "BadDigest"
    )


def test_a_checksum_that_is_only_named_is_computed(folder: BlobFolder) -> None:
    request = environ(DATA, x_amz_sdk_checksum_algorithm="CRC32")
    receive(HttpRequest(request), folder)
    assert request["HTTP_X_AMZ_CHECKSUM_CRC32"] == CRC32


MD5 = base64.b64encode(hashlib.md5(DATA, usedforsecurity=False).digest()).decode()


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content_md5": base64.b64encode(b"0" * 16).decode()}, "BadDigest"),
        ({"content_md5": "no base64"}, "InvalidDigest"),
        ({"x_amz_content_sha256": "0" * 64}, "XAmzContentSHA256Mismatch"),
        ({"x_amz_checksum_crc32c": "AAAAAA=="}, "BadDigest"),
        ({"x_amz_checksum_crc64nvme": "AAAAAAAAAAA="}, "BadDigest"),
        ({"x_amz_checksum_sha256": MD5}, "BadDigest"),
        ({"x_amz_checksum_xxhash64": "AAAAAAAAAAA="}, "InvalidRequest"),
        ({"x_amz_decoded_content_length": "7"}, "IncompleteBody"),
    ],
)
def test_a_body_that_is_not_what_the_request_says_is_refused(
    folder: BlobFolder, headers: dict[str, str], code: str
) -> None:
    assert refused(folder, environ(DATA, **headers)) == code


@pytest.mark.parametrize("body", [b"zz\r\n", b"5\r\nab", b"2\r\nabc\r\n0\r\n\r\n", b""])
def test_chunks_that_are_none_are_refused(folder: BlobFolder, body: bytes) -> None:
    assert refused(folder, environ(body, x_amz_content_sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER")) in (
        "InvalidRequest",
        "IncompleteBody",
    )


def test_a_client_that_hangs_up_leaves_nothing(folder: BlobFolder) -> None:
    request = environ(DATA)
    request["CONTENT_LENGTH"] = str(len(DATA) + 1)
    assert refused(folder, request) == "IncompleteBody"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"QUERY_STRING": "partNumber=1&uploadId=u"}, True),
        ({"PATH_INFO": "/bucket/folder/"}, True),
        ({"HTTP_HOST": "bucket.s3.localhost:5599", "PATH_INFO": "/key"}, True),
        ({"HTTP_HOST": "bucket.s3.localhost:5599", "PATH_INFO": "/"}, False),
        ({"PATH_INFO": "/bucket"}, False),
        ({"PATH_INFO": "/bucket/"}, False),
        ({"QUERY_STRING": "tagging"}, False),
        ({"QUERY_STRING": "acl&x=y"}, False),
        ({"HTTP_X_AMZ_COPY_SOURCE": "bucket/other"}, False),
        ({"REQUEST_METHOD": "POST"}, False),
    ],
)
def test_the_bodies_of_objects_are_told_from_others(changes: dict[str, str], expected: bool) -> None:
    assert holds_an_object(HttpRequest({**environ(b""), **changes})) is expected
