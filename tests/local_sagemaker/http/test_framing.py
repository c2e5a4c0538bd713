"""A body is read to its end and no further; what can be understood in two ways is refused."""

import io
import re
from http.client import parse_headers

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_sagemaker.http.framing import MalformedRequest, body_length, body_stream

NEXT = b"GET / HTTP/1.1\r\n"


def length_of(*lines: str) -> int | None:
    return body_length(parse_headers(io.BytesIO("\r\n".join([*lines, "", ""]).encode("latin-1"))))


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        ((), 0),
        (("Content-Length: 0",), 0),
        (("content-length:  12 ",), 12),
        (("Content-Length: 999999999999999999",), 999999999999999999),
        (("Transfer-Encoding: chunked",), None),
        (("Transfer-Encoding: Chunked",), None),
    ],
)
def test_the_length_of_a_body_is_what_one_header_says(lines: tuple[str, ...], length: int | None) -> None:
    assert length_of(*lines) == length


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: -5",),
        ("Content-Length: +5",),
        ("Content-Length: abc",),
        ("Content-Length:",),
        ("Content-Length: 1_0",),
        ("Content-Length: ٣",),
        ("Content-Length: 9999999999999999999",),
        ("Content-Length: 2, 2",),
        ("Content-Length: 2", "Content-Length: 2"),
        ("Content-Length: 2", "Content-Length: 60"),
        ("Content-Length: 2", "Transfer-Encoding: chunked"),
        ("Content-Length : 2",),
        ("Host: 127.0.0.1", "Host: 127.0.0.1"),
        ("Host:", " 127.0.0.1"),
        ("no colon",),
    ],
)
def test_headers_that_do_not_say_one_length_are_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(MalformedRequest) as caught:
        length_of(*[line.encode().decode("latin-1") for line in lines])
    assert caught.value.status == 400


@pytest.mark.parametrize("coding", ["gzip", "xchunked", "gzip, chunked", "chunked, chunked", "identity", ""])
def test_other_codings_than_chunked_are_not_implemented(coding: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        length_of(f"Transfer-Encoding: {coding}")
    assert caught.value.status == 501


@given(st.binary(max_size=300), st.lists(st.integers(1, 50)), st.integers(1, 400))
def test_a_body_ends_where_the_next_request_begins(body: bytes, sizes: list[int], block: int) -> None:
    chunks, rest = [], body
    for size in sizes:
        chunks, rest = [*chunks, rest[:size]], rest[size:]
    framed = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(chunk), chunk) for chunk in [*chunks, rest] if chunk)
    for stream, length in (
        (io.BytesIO(body + NEXT), len(body)),
        (io.BytesIO(framed + b"0\r\nX-Trailer: a\r\n\r\n" + NEXT), None),
    ):
        reader, found = body_stream(stream, length), b""
        while read := reader.read(block):
            found += read
        assert found == body
        assert stream.read() == NEXT


@pytest.mark.parametrize("missing", [1, 3])
def test_a_body_that_is_shorter_than_its_length_is_incomplete(missing: int) -> None:
    with pytest.raises(MalformedRequest, match=f"{3 - missing} of the 3 bytes") as caught:
        body_stream(io.BytesIO(b"abc"[: 3 - missing]), 3).read()
    assert caught.value.code == "IncompleteBody"


@pytest.mark.parametrize(
    "framed",
    [
        b"",
        b"ZZ\r\n{}\r\n0\r\n\r\n",
        b"-2\r\n{}\r\n0\r\n\r\n",
        b"ff\r\n{}",
        b"2\r\n{}",
        b"2\r\n{}\r\n",
        b"1\r\n{}\r\n0\r\n\r\n",
        b"2\n{}\n0\n\n",
        b"2\r\n{}\r\n0\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
        b"f" * 16 + b"\r\nab",
        b"0\r\n" + b"a: b\r\n" * 200,
    ],
)
def test_chunks_that_are_malformed_or_end_too_early_are_refused(framed: bytes) -> None:
    with pytest.raises(MalformedRequest):
        body_stream(io.BytesIO(framed), None).read()


@given(st.binary(max_size=200))
def test_whatever_comes_as_chunks_is_a_body_or_malformed(framed: bytes) -> None:
    try:
        body_stream(io.BytesIO(framed), None).read()
    except MalformedRequest:
        return
    assert re.match(rb"[0-9a-fA-F]", framed)
