"""Requests to an HTTP server by a number of clients, each of which asks again as soon as it has its answer."""

import re
import selectors
import socket
import time
from dataclasses import dataclass, field

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """What is asked, and a part of the right answer."""

    port: int
    path: str
    body: bytes
    expected: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def message(self) -> bytes:
        """The request as it is sent."""
        headers = {
            "Host": "127.0.0.1",
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Content-Length": str(len(self.body)),
            **self.headers,
        }
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode() + self.body


def requests_a_second(asked: Asked, clients: int, seconds: float) -> float:
    """Answers a second on that many connections; SystemExit for an answer that is not the right one.

    All clients are one thread, so that they take little of what the server needs of the machine.
    """
    message, answered = asked.message, 0
    received: dict[socket.socket, bytearray] = {}
    with selectors.DefaultSelector() as selector:
        try:
            for _ in range(clients):
                connection = socket.create_connection(("127.0.0.1", asked.port), 60)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                received[connection] = bytearray()
                selector.register(connection, selectors.EVENT_READ)
                connection.sendall(message)
            start = time.perf_counter()
            while (passed := time.perf_counter() - start) < seconds or not answered:
                for key, _ in selector.select(60):
                    connection = key.fileobj
                    assert isinstance(connection, socket.socket)
                    if _complete(connection, received[connection], asked):
                        answered += 1
                        connection.sendall(message)
        finally:
            for connection in received:
                connection.close()
    return answered / passed


def _complete(connection: socket.socket, received: bytearray, asked: Asked) -> bool:
    """Read on; whether an answer is complete, which is then taken away."""
    block = connection.recv(1 << 16)
    received += block
    end = received.find(b"\r\n\r\n")
    if not block:
        raise SystemExit(f"{asked.path} on port {asked.port} closed the connection after {bytes(received[:500])!r}")
    length = LENGTH.search(received, 0, end) if end > 0 else None
    if length is None or len(received) < end + 4 + int(length[1]):
        return False
    if not received.startswith(b"HTTP/1.1 200") or asked.expected not in received:
        raise SystemExit(f"{asked.path} on port {asked.port} answered {bytes(received[:500])!r}")
    received.clear()
    return True
