"""The body of a PutObject or UploadPart, from the socket to a file in blocks, checked against what the client says.

Formats: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator

from local_sagemaker.errors import ServiceError
from local_sagemaker.moto_services.s3.blobs import BLOCK, Blob, BlobFolder
from local_sagemaker.moto_services.s3.checksums import ALGORITHMS, Hash, encoded
from local_sagemaker.moto_services.s3.install import BODY
from local_sagemaker.wire.http_request import HttpRequest

STREAMING = "STREAMING-"
CHECKSUM = "x-amz-checksum-"
NO_CHECKSUMS = ("x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type")
OTHER_BODIES = {"acl", "tagging", "retention", "legal-hold"}  # PUTs to an object that are about it
LONGEST_LINE = 1 << 16


def holds_an_object(request: HttpRequest) -> bool:
    """Whether the body of an S3 request is the bytes of an object, or of a part of one."""
    if request.method != "PUT" or "X-Amz-Copy-Source" in request.headers:
        return False
    if OTHER_BODIES & set(request.parameters):
        return False
    path = request.path.lstrip("/")
    host = re.sub(r":\d+$", "", request.headers.get("Host", ""))
    key = path if host.endswith(".localhost") else path.partition("/")[2]  # bucket.s3.localhost/key, or /bucket/key
    return bool(key)


def receive(request: HttpRequest, folder: BlobFolder) -> Blob:
    """Write the body to a file and hand that to moto in the body's place.

    ServiceError where it is not whole, or not what its checksums say; OSError where the disk is full.
    """
    body = _Body(request)
    blob = folder.write(body.blocks(), body.hashes())
    try:
        found = body.verify(blob)
    except BaseException:
        blob.discard()
        raise
    environ = request.environ
    for name in ("HTTP_X_AMZ_CONTENT_SHA256", "HTTP_X_AMZ_TRAILER", "HTTP_TRANSFER_ENCODING"):
        environ.pop(name, None)
    if found is not None:
        algorithm, value = found
        environ["HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM"] = algorithm
        environ[f"HTTP_X_AMZ_CHECKSUM_{algorithm}"] = value
    environ.update({"CONTENT_LENGTH": "0", BODY: blob})
    return blob


class _Body:
    """The body of one request, and the checks that the request asks for."""

    def __init__(self, request: HttpRequest) -> None:
        self._headers = request.headers
        self._stream = request.environ["wsgi.input"]
        self._content_sha256 = self._headers.get("X-Amz-Content-SHA256", "")
        self._trailer: dict[str, str] = {}
        self._sha256: Hash | None = hashlib.sha256() if re.fullmatch(r"[0-9a-f]{64}", self._content_sha256) else None
        self._algorithm = self._find_algorithm()
        self._checksum = ALGORITHMS[self._algorithm]() if self._algorithm else None

    def hashes(self) -> list[Hash]:
        """What is to be computed beside the MD5."""
        return [computed for computed in (self._sha256, self._checksum) if computed is not None]

    def blocks(self) -> Iterator[bytes]:
        """The bytes of the object, without the framing of aws-chunked."""
        if self._content_sha256.startswith(STREAMING):
            yield from self._chunks()
            return
        while block := self._stream.read(BLOCK):
            yield block

    def verify(self, blob: Blob) -> tuple[str, str] | None:
        """Raise ServiceError where a check fails; the algorithm and the value of the checksum, if there is one."""
        length = self._headers.get("X-Amz-Decoded-Content-Length")
        if length is None and not self._content_sha256.startswith(STREAMING):
            length = self._headers.get("Content-Length")
        if length and int(length) != blob.size:
            raise ServiceError("IncompleteBody", f"The request has {blob.size} bytes of a body of {length}.")
        self._verify_md5(blob)
        if self._sha256 is not None and self._sha256.digest().hex() != self._content_sha256:
            raise ServiceError(
                "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match the body."
            )
        if self._algorithm is None or self._checksum is None:
            return None
        value, name = encoded(self._checksum), CHECKSUM + self._algorithm.lower()
        said = self._trailer.get(name) or self._headers.get(name) or value
        if said != value:
            raise ServiceError("BadDigest", f"The {self._algorithm} you specified is not that of the body.")
        return self._algorithm, value

    def _verify_md5(self, blob: Blob) -> None:
        said = self._headers.get("Content-MD5")
        if not said:
            return
        try:
            expected = base64.b64decode(said, validate=True).hex()
        except binascii.Error:
            expected = ""
        if len(expected) != 32:
            raise ServiceError("InvalidDigest", "The Content-MD5 you specified was invalid.")
        if expected != blob.md5:
            raise ServiceError("BadDigest", "The Content-MD5 you specified did not match what we received.")

    def _find_algorithm(self) -> str | None:
        """The algorithm of the checksum header, of the trailer, or the one that is only named."""
        headers = [name.lower() for name, _ in self._headers]
        names = [header for header in headers if header.startswith(CHECKSUM) and header not in NO_CHECKSUMS]
        names += [name.strip().lower() for name in self._headers.get("X-Amz-Trailer", "").split(",")]
        given = [name.removeprefix(CHECKSUM).upper() for name in names if name.startswith(CHECKSUM)]
        given = given or [self._headers.get("X-Amz-SDK-Checksum-Algorithm", "").upper()]
        if given[0] and given[0] not in ALGORITHMS:
            known = ", ".join(ALGORITHMS)
            raise ServiceError("InvalidRequest", f"Local SageMaker does not know the checksum {given[0]}: use {known}.")
        return given[0] or None

    def _chunks(self) -> Iterator[bytes]:
        """`size-in-hex[;chunk-signature=...]`, the bytes, ..., a size of 0, the trailer; CRLF after each."""
        while size := self._chunk_size():
            left = size
            while left:
                block = self._stream.read(min(BLOCK, left))
                if not block:
                    raise ServiceError("IncompleteBody", "The request ended inside a chunk.")
                left -= len(block)
                yield block
            if self._line():
                raise ServiceError("InvalidRequest", "A chunk of the body is longer than its declared size.")
        while line := self._line():
            name, _, value = line.partition(":")
            self._trailer[name.strip().lower()] = value.strip()

    def _chunk_size(self) -> int:
        text = self._line().partition(";")[0]
        if not re.fullmatch(r"[0-9a-fA-F]{1,16}", text):
            raise ServiceError("InvalidRequest", f"The body is not aws-chunked: {text[:20]!r} is not a chunk size.")
        return int(text, 16)

    def _line(self) -> str:
        line: bytes = self._stream.readline(LONGEST_LINE)
        return line.decode("latin-1").rstrip("\r\n")
