"""Where the body of a request ends, and its bytes, read strictly: RFC 9112, sections 5 to 7.

What two readers could understand in two ways is refused, and the connection is not used again.
"""

import io
import re
from email.message import Message
from typing import Any, BinaryIO

from local_sagemaker.errors import ServiceError

LONGEST_LINE = 1 << 16
MOST_TRAILERS = 100
LENGTH = re.compile(r"[0-9]{1,18}")
CHUNK = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(;[^\r\n]*)?\r\n")


class MalformedRequest(ServiceError):
    """The request is not HTTP, or its body is not what its headers say; nothing after it can be understood."""

    def __init__(self, message: str, code: str = "MalformedHttpRequestException", status: int = 400) -> None:
        super().__init__(code, message, status)


def body_length(headers: Message) -> int | None:
    """The bytes of the body that headers announce, or None where it comes in chunks; MalformedRequest if unclear."""
    if headers.defects or any("\n" in value or "\r" in value for value in headers.values()):
        raise MalformedRequest("The headers of the request must have the form Name: value, one per line.")
    if len(headers.get_all("Host", [])) > 1:
        raise MalformedRequest("The request has more than one Host header.")
    codings = [
        coding.strip().lower() for value in headers.get_all("Transfer-Encoding", []) for coding in value.split(",")
    ]
    lengths = [length.strip() for length in headers.get_all("Content-Length", [])]
    if codings and codings != ["chunked"]:
        raise MalformedRequest(f"Transfer-Encoding {', '.join(codings)} is not supported: use chunked.", status=501)
    if codings and lengths:
        raise MalformedRequest("The request has both a Content-Length and a Transfer-Encoding: send one of them.")
    if codings:
        return None
    if len(lengths) > 1 or not all(LENGTH.fullmatch(length) for length in lengths):
        raise MalformedRequest(f"The Content-Length {', '.join(lengths)} is not a single number of bytes.")
    return int(lengths[0]) if lengths else 0


def body_stream(stream: BinaryIO, length: int | None) -> BinaryIO:
    """The bytes of a body of a length, or of one in chunks (None), to its end and no further.

    Reading raises MalformedRequest where the body is shorter than it says, or its chunks are malformed.
    """
    return io.BufferedReader(_Chunked(stream) if length is None else _Exact(stream, length), LONGEST_LINE)


class _Exact(io.RawIOBase):
    """A body with a Content-Length."""

    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream = stream
        self._length = self._left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)[: self._left]
        if not view:
            return 0
        size = _read_some(self._stream, view)
        if size == 0:
            raise _incomplete(f"{self._length - self._left} of the {self._length} bytes of its Content-Length came")
        self._left -= size
        return size


class _Chunked(io.RawIOBase):
    """A body in chunks: `size-in-hex[;extension]`, the bytes, ..., a size of 0, trailers; CRLF after each."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = 0
        self._begun = self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left == 0 and not self._ended:
            self._next_chunk()
        view = memoryview(buffer)[: self._left]
        if self._ended or not view:
            return 0
        size = _read_some(self._stream, view)
        if size == 0:
            raise _incomplete("it ended inside a chunk")
        self._left -= size
        return size

    def _next_chunk(self) -> None:
        if self._begun and self._line() != b"\r\n":
            raise MalformedRequest("A chunk of the body is longer than its declared size.")
        line = self._line()
        found = CHUNK.fullmatch(line)
        if found is None:
            raise MalformedRequest(f"{line[:20]!r} is not the size of a chunk.")
        self._begun, self._left = True, int(found[1], 16)
        if self._left == 0:
            for _ in range(MOST_TRAILERS):
                if self._line() == b"\r\n":
                    self._ended = True
                    return
            raise MalformedRequest(f"The body has more than {MOST_TRAILERS} trailers.")

    def _line(self) -> bytes:
        line = self._stream.readline(LONGEST_LINE)
        if not line:
            raise _incomplete("it ended between two chunks")
        return line


def _read_some(stream: BinaryIO, view: memoryview) -> int:
    read = getattr(stream, "readinto1", None) or stream.readinto  # type: ignore[attr-defined]
    return int(read(view) or 0)


def _incomplete(what: str) -> MalformedRequest:
    return MalformedRequest(f"The body of the request is not complete: {what}.", "IncompleteBody")
