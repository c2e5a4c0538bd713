"""HTTP connections that stay open: Werkzeug's server closes each one, which costs an invocation most of its time."""

import contextlib
import email.utils
import errno
import functools
import io
import logging
import socket
import threading
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, BinaryIO, cast

from werkzeug.serving import ThreadedWSGIServer

from local_sagemaker.http.error_responses import error_response
from local_sagemaker.http.framing import MalformedRequest, body_length, body_stream
from local_sagemaker.moto_services.request_handler import MotoCompatibleHandler
from local_sagemaker.wire.http_request import HttpRequest

LOG = logging.getLogger("local_sagemaker")
BLOCK = 1 << 20
NO_BODY = (204, 304)
ACCEPT_PAUSE_SECONDS = 0.2
LINGER_SECONDS = 1.0
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Server(ThreadedWSGIServer):
    """A thread for each connection; once `stopping` is set, each is closed after the request that it is answering.

    Beyond `most_connections` at once, another is told to come again later.
    """

    stopping = False
    most_connections = 500

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._free = threading.Semaphore(self.most_connections)

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection; where the process has no descriptor left for it, a pause instead of a busy loop."""
        try:
            return super().get_request()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                LOG.error("no connection can be accepted (%s): raise the limit of open files, `ulimit -n`", error)
                time.sleep(ACCEPT_PAUSE_SECONDS)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin a thread for a connection, where there are not too many."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        with contextlib.suppress(OSError):  # it has gone away
            request.sendall(BUSY)
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()


class _Received(io.RawIOBase):
    """The bytes from a client; TimeoutError after `timeout` seconds without one, and at `deadline` (monotonic)."""

    def __init__(self, connection: socket.socket, timeout: float) -> None:
        self.deadline: float | None = None
        self._connection = connection
        self._timeout = timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.deadline is not None:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the headers of a request did not end in time")
            self._connection.settimeout(min(left, self._timeout))
        return self._connection.recv_into(buffer)

    def end_deadline(self) -> None:
        """From now on there is only the time-out."""
        self.deadline = None
        self._connection.settimeout(self._timeout)


class RequestHandler(MotoCompatibleHandler):
    """The requests of one connection, one after another."""

    timeout = 60.0  # seconds without a byte from the client, in a request or between two
    header_seconds = 20.0  # from the first byte of a request to the end of its headers
    default_request_version = "HTTP/1.1"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave as one packet

    def setup(self) -> None:
        """Read the connection with deadlines."""
        super().setup()
        self.rfile.close()
        self._received = _Received(self.connection, self.timeout)
        self.rfile = io.BufferedReader(self._received)

    def handle_one_request(self) -> None:
        """Wait for a request, then give its headers so long and no longer, however slowly they trickle."""
        try:
            cast(io.BufferedReader, self.rfile).peek(1)
        except TimeoutError:
            self.close_connection = True
            return
        self._received.deadline = time.monotonic() + self.header_seconds
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Read the request line and the headers; False, and an answer sent, where they are not HTTP/1.0 or 1.1."""
        if not super().parse_request():
            return False
        if len(self.requestline.split()) == 3 and self.request_version in ("HTTP/1.0", "HTTP/1.1"):
            return True
        self.send_error(400, "Bad request syntax")
        return False

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Refuse what is not HTTP with an error body like any other; the connection is not used again."""
        self.command, self.request_version, self.close_connection = "", "HTTP/1.1", True
        what = (message or HTTPStatus(code).phrase).partition(" (")[0]  # without what the client has sent
        text = f"The request cannot be read as HTTP of version 1.0 or 1.1: {what}."
        self._hang_up(*error_response(HttpRequest({}), MalformedRequest(text, status=code)))

    def run_wsgi(self) -> None:
        """Let the application answer one request, and leave the connection ready for the next."""
        self._received.end_deadline()
        try:
            body = body_stream(cast(BinaryIO, self.rfile), body_length(self.headers))
        except MalformedRequest as fault:
            self._refuse(fault)
            return
        self.environ = environ = self.make_environ()
        environ.update({"wsgi.input": body, "wsgi.input_terminated": True})
        started: list[Any] = []

        def start_response(*arguments: Any) -> Any:
            started.extend(arguments)

        try:
            answer = self.server.app(environ, start_response)
            try:
                self._send(started[0], started[1], answer)
            finally:
                close = getattr(answer, "close", None)
                if close is not None:
                    close()
            _drain(body)
        except (ConnectionError, TimeoutError, MalformedRequest) as error:
            LOG.debug("a client went away: %s", error)
            self.close_connection = True
        except Exception:
            LOG.exception("an answer could not be sent")  # part of it may have left: the client must see it end
            self.close_connection = True

    def _refuse(self, fault: MalformedRequest) -> None:
        """Answer a request of which nobody knows where it ends."""
        self.close_connection = True
        self._hang_up(*error_response(HttpRequest(self.make_environ()), fault))

    def _hang_up(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        """Send the last answer, and read on for a moment: closed on unread bytes, a connection loses its answer.

        https://www.rfc-editor.org/rfc/rfc9112#section-9.6
        """
        self._send(status, headers, [body])
        self._received.deadline = time.monotonic() + LINGER_SECONDS
        with contextlib.suppress(OSError):  # the client has gone, or takes its time
            self.connection.shutdown(socket.SHUT_WR)
            _drain(cast(BinaryIO, self.rfile))

    def handle_expect_100(self) -> bool:
        """Tell the client at once to go on."""
        answered = super().handle_expect_100()
        self.wfile.flush()
        return answered

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header, formatted once a second."""
        return _date(int(time.time()) if timestamp is None else int(timestamp))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """The jobs and the errors are what is worth a line."""

    def _send(self, status: str, headers: list[tuple[str, str]], blocks: Iterable[bytes]) -> None:
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        bodiless = self.command == "HEAD" or int(code) in NO_BODY
        chunked = not bodiless and all(name.lower() != "content-length" for name, _ in headers)
        if chunked and self.request_version == "HTTP/1.0":
            chunked = False
            self.close_connection = True  # its end is the end of the body
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        if cast(Server, self.server).stopping:
            self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        for block in blocks:
            if block and not bodiless:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()


@functools.lru_cache(maxsize=2)
def _date(second: int) -> str:
    return email.utils.formatdate(second, usegmt=True)


def _drain(body: BinaryIO) -> None:
    """Read what the application left of the request, so that the next one begins where it should."""
    while body.read(BLOCK):
        pass
