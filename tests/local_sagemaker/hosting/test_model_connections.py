"""The client of a model process, against sockets that answer in every way."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from local_sagemaker.hosting.model_connections import BadAnswer, ModelConnections, NotReached

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 3\r\n\r\n"
Answer = Callable[[socket.socket], None]


@pytest.fixture(name="serve")
def serve_fixture() -> Iterator[Callable[[Answer], ModelConnections]]:
    """A listener that lets a function answer each connection; what is asked is in `requests`."""
    listener = socket.create_server(("127.0.0.1", 0))
    opened: list[ModelConnections] = []

    def accept(answer: Answer) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def serve(answer: Answer) -> ModelConnections:
        threading.Thread(target=accept, args=(answer,), daemon=True).start()
        opened.append(ModelConnections(listener.getsockname()[1]))
        return opened[-1]

    yield serve
    for connections in opened:
        connections.close()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def ask(connections: ModelConnections, seconds: float = 10, **headers: str) -> tuple[int, dict[str, str], bytes]:
    return connections.request("POST", "/invocations", headers, b"1,2", seconds)


def test_a_request_is_one_message_and_the_connection_is_used_again(
    serve: Callable[[Answer], ModelConnections],
) -> None:
    seen: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        while received := connection.recv(65536):
            seen.append(received)
            connection.sendall(OK + b"a,b")

    connections = serve(answer)
    for _ in range(2):
        assert ask(connections, Accept="text/csv") == (200, {"content-type": "text/csv", "content-length": "3"}, b"a,b")
    head = b"POST /invocations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nAccept: text/csv\r\n\r\n1,2"
    assert seen == [head, head]  # both through the one connection that answer() has


def test_an_answer_may_come_in_pieces(serve: Callable[[Answer], ModelConnections]) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        for byte in OK + b"abc":
            connection.sendall(bytes([byte]))

    assert ask(serve(answer))[2] == b"abc"


def test_a_connection_that_is_closed_too_early_is_a_fault(serve: Callable[[Answer], ModelConnections]) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK + b"a")
        connection.close()

    with pytest.raises(ConnectionError, match="closed before the answer was complete"):
        ask(serve(answer))


def test_no_answer_in_time_and_nobody_there_are_told_apart(serve: Callable[[Answer], ModelConnections]) -> None:
    silent = threading.Event()
    with pytest.raises(TimeoutError):
        ask(serve(lambda connection: (connection, silent.wait(10))[0] and None), 0.1)
    silent.set()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(NotReached):
        ask(ModelConnections(port))


def test_a_header_cannot_smuggle_another(serve: Callable[[Answer], ModelConnections]) -> None:
    with pytest.raises(ValueError, match="more than one line"):
        ask(serve(lambda connection: None), Accept="text/csv\r\nX-More: 1")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n\r\nabc", "no Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "or several"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc", "not a number"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc", "not a number"),
        (OK + b"abcd", "longer than its Content-Length of 3 bytes"),
        (2 * (OK + b"abc"), "longer than its Content-Length of 3 bytes"),
        (b"\x16\x03\x01\x02", r"not HTTP/1\.1"),
        (b"HTTP/1.1 fine\r\nContent-Length: 0\r\n\r\n", r"not HTTP/1\.1"),
        (b"HTTP/1.1 " + b"a" * 100_000, r"not HTTP/1\.1"),
    ],
)
def test_what_is_not_one_answer_with_its_length_is_a_fault_and_the_connection_is_closed(
    serve: Callable[[Answer], ModelConnections], sent: bytes, words: str
) -> None:
    ended = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        with contextlib.suppress(ConnectionError):  # what was not read of the answer resets the connection
            connection.sendall(sent)
            connection.recv(65536)
        ended.set()

    with pytest.raises(BadAnswer, match=words):
        ask(serve(answer))
    assert ended.wait(10)


def test_what_a_model_sends_after_its_answer_is_not_the_next_callers(
    serve: Callable[[Answer], ModelConnections],
) -> None:
    surplus = threading.Event()

    def answer(connection: socket.socket) -> None:
        number = b"1" if not surplus.is_set() else b"2"
        connection.recv(65536)
        connection.sendall(OK + 3 * number)
        if number == b"1":
            while not surplus.is_set():
                surplus.wait(0.05)
                connection.sendall(OK + b"old")
                surplus.set()

    connections = serve(answer)
    assert ask(connections)[2] == b"111"
    assert surplus.wait(10)
    assert ask(connections)[2] == b"222"
