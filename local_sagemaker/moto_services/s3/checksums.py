"""The checksums that S3 clients may send, computed block by block.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
"""

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable
from typing import Protocol

from awscrt import checksums as crt


class Hash(Protocol):
    """What hashlib's objects do."""

    def update(self, data: bytes, /) -> None:
        """Take the next block."""

    def digest(self) -> bytes:
        """The checksum of all blocks."""


class _Cyclic:
    """A cyclic redundancy check; its digest is big endian."""

    def __init__(self, function: Callable[[bytes, int], int], size: int) -> None:
        self._function = function
        self._size = size
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


ALGORITHMS: dict[str, Callable[[], Hash]] = {
    "CRC32": lambda: _Cyclic(zlib.crc32, 4),
    "CRC32C": lambda: _Cyclic(crt.crc32c, 4),
    "CRC64NVME": lambda: _Cyclic(crt.crc64nvme, 8),
    "SHA1": lambda: hashlib.sha1(usedforsecurity=False),
    "SHA256": hashlib.sha256,
}


def encoded(checksum: Hash) -> str:
    """A checksum as headers carry it."""
    return base64.b64encode(checksum.digest()).decode()


def compute_checksum(body: bytes | Iterable[bytes], algorithm: str, encode_base64: bool = True) -> bytes:
    """moto's function of this name, for bytes and for what yields them."""
    checksum = ALGORITHMS[algorithm]()
    for block in (body,) if isinstance(body, bytes) else body:
        checksum.update(block)
    return base64.b64encode(checksum.digest()) if encode_base64 else checksum.digest()
