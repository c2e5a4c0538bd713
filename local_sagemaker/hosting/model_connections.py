"""HTTP connections to one model process that are kept open: what an invocation costs is mostly here.

urllib3 takes as long as a small model does. This client needs to understand model_server.py only, which answers
each request with a Content-Length and keeps connections open.
"""

import re
import select
import socket
import threading
from collections.abc import Mapping

ADDRESS = "127.0.0.1"
BLOCK = 1 << 16
LONGEST_HEAD = 1 << 16
STATUS_LINE = b"HTTP/1.1 "


class NotReached(Exception):
    """Nothing of the request was sent: there is nobody to connect to."""


class BadAnswer(Exception):
    """The model answered, but not as HTTP with a Content-Length that is right; its connection is closed."""


class ModelConnections:
    """The connections to a port; a thread that finds none idle opens one more, so there are as many as threads."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[socket.socket] = []
        self._lock = threading.Lock()
        self._closed = False

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer.

        The names of the headers are in lower case. NotReached where nobody listens; TimeoutError where no
        answer comes; BadAnswer where it is not one answer with its length; another OSError where the connection is
        lost before its end; ValueError for a header of two lines.
        """
        connection = self._take(timeout_seconds)
        try:
            connection.sendall(_head(method, path, headers, len(body)) + body)
            answer = _receive(connection)
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return answer
        connection.close()
        return answer

    def close(self) -> None:
        """Let go of the idle connections, and of the others once they are."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self, timeout_seconds: float) -> socket.socket:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is not None and select.select([connection], [], [], 0)[0]:
            connection.close()  # the model has closed it, or has sent more than its answer, which is nobody's
            connection = None
        if connection is None:
            try:
                connection = socket.create_connection((ADDRESS, self._port), timeout_seconds)
            except OSError as error:
                raise NotReached(str(error)) from None
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if connection.gettimeout() != timeout_seconds:
            connection.settimeout(timeout_seconds)
        return connection


def _head(method: str, path: str, headers: Mapping[str, str], length: int) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {ADDRESS}", f"Content-Length: {length}"]
    for name, value in headers.items():
        if "\r" in value or "\n" in value:
            raise ValueError(f"The header {name} has more than one line.")
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def _receive(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    received = bytearray()
    while (end := received.find(b"\r\n\r\n")) < 0:
        if len(received) > LONGEST_HEAD or not STATUS_LINE.startswith(received[: len(STATUS_LINE)]):
            raise BadAnswer("the answer is not HTTP/1.1")
        _receive_more(connection, received)
    line, *lines = received[:end].decode("latin-1").split("\r\n")
    status = re.fullmatch(r"HTTP/1\.1 ([1-5]\d\d)( .*)?", line)
    if status is None:
        raise BadAnswer("the answer is not HTTP/1.1")
    fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    lengths = {value for name, value in fields if name == "content-length"}
    if len(lengths) != 1 or not re.fullmatch(r"[0-9]{1,15}", length := lengths.pop()):
        raise BadAnswer("the answer has no Content-Length, or several, or one that is not a number")
    stop = end + 4 + int(length)
    while len(received) < stop:
        _receive_more(connection, received)
    if len(received) > stop:
        raise BadAnswer(f"the answer is longer than its Content-Length of {length} bytes")
    return int(status[1]), dict(fields), bytes(received[end + 4 : stop])


def _receive_more(connection: socket.socket, received: bytearray) -> None:
    block = connection.recv(BLOCK)
    if not block:
        raise ConnectionError("the connection was closed before the answer was complete")
    received += block
