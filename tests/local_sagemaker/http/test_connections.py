"""Connections over real sockets: they stay open, and each request begins where the one before has ended."""

import contextlib
import errno
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPConnection, HTTPResponse
from http.server import HTTPServer
from typing import Any

import pytest

from local_sagemaker.http.connections import RequestHandler, Server


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/ignore":
        start_response("413 Too Large", [("Content-Length", "2")])
        return [b"no"]
    if path == "/stream":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter([b"one,", b"", b"two"])
    if path == "/broken":
        raise RuntimeError("a fault of the application")
    body = environ["wsgi.input"].read()
    headers = [("Content-Length", str(len(body))), ("X-Method", environ["REQUEST_METHOD"])]
    start_response("204 No Content" if path == "/nothing" else "200 OK", headers if path != "/nothing" else [])
    return [body]


@pytest.fixture(name="server")
def server_fixture() -> Iterator[Server]:
    server = Server("127.0.0.1", 0, application, RequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(name="connection")
def connection_fixture(server: Server) -> Iterator[HTTPConnection]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    yield connection
    connection.close()


def ask(connection: HTTPConnection, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response.status, response.read()


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_one_connection_serves_many_requests_of_all_kinds(connection: HTTPConnection) -> None:
    assert ask(connection, "POST", "/", b"first") == (200, b"first")
    before = connection.sock
    assert ask(connection, "POST", "/ignore", b"x" * 3_000_000) == (413, b"no")
    assert ask(connection, "GET", "/stream") == (200, b"one,two")
    assert ask(connection, "HEAD", "/") == (200, b"")
    assert ask(connection, "DELETE", "/nothing") == (204, b"")
    assert ask(connection, "PUT", "/", iter([b"in ", b"chunks"])) == (200, b"in chunks")
    assert ask(connection, "POST", "/", b"last") == (200, b"last")
    assert connection.sock is before


def test_a_client_that_waits_to_be_told_is_told_to_go_on(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as client:
        client.sendall(b"PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"ok")
        assert b" 200 OK" in client.recv(1000)


def test_an_old_client_gets_a_stream_to_the_end_of_its_connection(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as client:
        client.sendall(b"GET /stream HTTP/1.0\r\nHost: localhost\r\n\r\n")
        received = b""
        while block := client.recv(1000):
            received += block
    assert received.endswith(b"\r\n\r\none,two")


def test_a_fault_ends_the_connection_and_not_the_server(server: Server, connection: HTTPConnection) -> None:
    with pytest.raises(ConnectionError):
        ask(connection, "GET", "/broken")
    assert ask(HTTPConnection("127.0.0.1", server.port, timeout=10), "POST", "/", b"on") == (200, b"on")


def test_a_server_that_stops_closes_the_connection_after_the_answer(server: Server, connection: HTTPConnection) -> None:
    ask(connection, "POST", "/", b"a")
    server.stopping = True
    connection.request("POST", "/", b"b")
    response = connection.getresponse()
    assert (response.headers["Connection"], response.read()) == ("close", b"b")


def test_a_connection_too_many_is_told_to_come_again_and_one_that_ends_makes_room(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_free", threading.Semaphore(2))
    held = [HTTPConnection("127.0.0.1", server.port, timeout=10) for _ in range(2)]
    for connection in held:
        assert ask(connection, "POST", "/", b"x") == (200, b"x")
    with socket.create_connection(("127.0.0.1", server.port), 10) as refused:
        answer = b"".join(iter(lambda: refused.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 1\r\n" in answer
    for connection in held:
        connection.close()
    deadline = time.monotonic() + 10
    while server._free._value < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert ask(held[0], "POST", "/", b"y") == (200, b"y")


def test_a_client_that_falls_silent_in_a_request_is_let_go(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RequestHandler, "timeout", 0.2)
    for half in (b"", b"POST / HTTP/1.1\r\nHost:", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"):
        with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
            connection.sendall(half)
            assert connection.recv(65536) == b""


def test_headers_that_trickle_hold_a_connection_no_longer_than_their_deadline(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RequestHandler, "header_seconds", 0.3)
    threads = threading.active_count()
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        started = time.monotonic()
        connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
        with contextlib.suppress(ConnectionError):  # a byte every twentieth of a second
            while time.monotonic() < started + 5:
                connection.sendall(b"a")
                time.sleep(0.05)
    assert 0.3 <= time.monotonic() - started < 2
    wait_for(lambda: threading.active_count() <= threads)


def test_a_body_may_take_longer_than_the_headers(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RequestHandler, "header_seconds", 0.2)
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
        time.sleep(0.4)
        connection.sendall(b"b")
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200")
        time.sleep(0.4)  # nor is the time between two requests limited so
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nc")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_half_sent_requests_keep_nobody_else_waiting_and_are_let_go(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RequestHandler, "header_seconds", 2.0)
    threads = threading.active_count()
    half = [socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(300)]
    try:
        for connection in half:
            connection.sendall(b"POST / HTTP/1.1\r\nHost:")
        assert ask(HTTPConnection("127.0.0.1", server.port, timeout=10), "POST", "/", b"x") == (200, b"x")
        wait_for(lambda: threading.active_count() <= threads + 1)
    finally:
        for connection in half:
            connection.close()


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/0.9\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET / http/1.1\r\n\r\n", 400),
        (b"GET / a b HTTP/1.1\r\n\r\n", 400),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", 431),
    ],
)
def test_what_is_not_http_is_refused_with_an_error_body_and_the_connection_ends(
    server: Server, line: bytes, status: int
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(line)
        answer = HTTPResponse(connection)
        answer.begin()
        body = answer.read()
        assert answer.status == status
        assert answer.getheader("Connection") == "close"
        assert b"<Code>MalformedHttpRequestException</Code>" in body
        assert b"aaaa" not in body  # nothing of the request comes back
        assert b"HTTP/1." not in body  # one answer, also for a client that counts status lines
        assert connection.recv(65536) == b""


def test_without_descriptors_the_server_pauses_and_says_what_to_do(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = [OSError(errno.EMFILE, "Too many open files")]
    accept = HTTPServer.get_request

    def get_request(self: Any) -> Any:
        if faults:
            raise faults.pop()
        return accept(self)

    monkeypatch.setattr(HTTPServer, "get_request", get_request)
    assert ask(HTTPConnection("127.0.0.1", server.port, timeout=10), "POST", "/", b"x") == (200, b"x")
    assert "raise the limit of open files" in caplog.text
