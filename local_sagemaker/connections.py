"""HTTP connections that stay open: Werkzeug's server closes each one, which costs an invocation most of its time."""

import email.utils
import functools
import logging
import time
from collections.abc import Iterable
from typing import IO, Any, BinaryIO, cast

from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.exceptions import ClientDisconnected
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wsgi import LimitedStream

LOG = logging.getLogger("local_sagemaker")
BLOCK = 1 << 20
NO_BODY = (204, 304)


class Server(ThreadedWSGIServer):
    """A thread for each connection; once `stopping` is set, each is closed after the request that it is answering."""

    stopping = False


class RequestHandler(MotoRequestHandler):
    """The requests of one connection, one after another."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave as one packet

    def run_wsgi(self) -> None:
        """Let the application answer one request, and leave the connection ready for the next."""
        self.environ = environ = self.make_environ()
        body = environ["wsgi.input"]
        if not environ.get("wsgi.input_terminated"):
            body = environ["wsgi.input"] = LimitedStream(cast(IO[bytes], self.rfile), _length(environ))
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
        except (ConnectionError, TimeoutError, ClientDisconnected) as error:
            LOG.debug("a client went away: %s", error)
            self.close_connection = True
        except Exception:
            LOG.exception("an answer could not be sent")  # part of it may have left: the client must see it end
            self.close_connection = True

    def make_environ(self) -> dict[str, Any]:
        """Leave out moto's search for headers with an underscore where there is none."""
        if any("_" in name for name in self.headers):
            return super().make_environ()
        return {**WSGIRequestHandler.make_environ(self), PRESERVED_HEADER_NAMES_ENVIRON_KEY: {}}

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


def _length(environ: dict[str, Any]) -> int:
    text = environ.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdecimal() else 0


def _drain(body: BinaryIO) -> None:
    """Read what the application left of the request, so that the next one begins where it should."""
    while body.read(BLOCK):
        pass
