"""The model server inside the private /opt/ml: the framework images' handlers behind /ping and /invocations.

Started as a file by the interpreter that stands for the image, with what its family says (image_families.py): the
toolkit that calls the handlers (dispatchers.py), and the module with those that a script leaves out.
"""

import argparse
import errno
import importlib.util
import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    import neighbours

    neighbours.make_importable()

from local_sagemaker.toolkits.answers import CUSTOM_ATTRIBUTES, Answer, error_answer, plain

if TYPE_CHECKING:
    from local_sagemaker.toolkits.dispatchers import Dispatcher

DECODED_TYPES = ("application/json", "text/csv")  # their bodies reach the handlers as text
DEFAULT_ACCEPT = "application/json"
DEFAULT_PROGRAM = "inference"  # of sagemaker-inference
LOCAL_HOSTS = ("127.0.0.1", "localhost")
ADDRESS_IN_USE = 98  # the exit code that tells ModelProcess to try another port
Invoke = Callable[[bytes, str, Mapping[str, str]], Answer]


class Script:
    """A user's module, called as the image's toolkit calls it."""

    def __init__(self, dispatcher: "Dispatcher", default_accept: str, flask: bool) -> None:
        self._dispatcher = dispatcher
        self._flask = flask  # whether the image answers as a Flask application
        self._default_accept = default_accept

    def __call__(self, body: bytes, content_type: str, headers: Mapping[str, str]) -> Answer:
        """Answer one invocation; what goes wrong is an answer too."""
        accept = next((value for name, value in headers.items() if name.lower() == "accept"), "")
        accept = self._default_accept if accept in ("", "*/*") else accept
        try:
            errors = "replace" if self._flask else "strict"
            data = body.decode(errors=errors) if content_type in DECODED_TYPES else body
            answer = self._dispatcher(data, content_type, accept, headers)
            return _with_charset(answer) if self._flask else answer
        except Exception as error:
            traceback.print_exc()
            return error_answer(error, self._flask)


def _with_charset(answer: Answer) -> Answer:
    """A content type of text as Werkzeug completes it."""
    if answer.content_type.startswith("text/") and ";" not in answer.content_type:
        return replace(answer, content_type=f"{answer.content_type}; charset=utf-8")
    return answer


class RequestHandler(BaseHTTPRequestHandler):
    """GET /ping and POST /invocations, on connections that stay open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave as one packet
    invoke: Invoke
    answering = threading.Lock()  # in the image, a worker process handles one request at a time

    def do_GET(self) -> None:
        """The health check."""
        found = self.path == "/ping"
        self._send(Answer(200, "text/plain", b"") if found else plain(404, f"There is no {self.path}."))

    def do_POST(self) -> None:
        """An invocation."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Host", "").partition(":")[0] not in LOCAL_HOSTS or "Origin" in self.headers:
            self._send(plain(403, "Only the server of this machine may ask."))  # and no page in a browser
            return
        if self.path != "/invocations":
            self._send(plain(404, f"There is no {self.path}."))
            return
        content_type = self.headers.get("Content-Type") or "application/json"
        with self.answering:
            answer = type(self).invoke(body, content_type, dict(self.headers.items()))
        self._send(answer)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """The log is for what the model says, and for errors."""

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        if answer.custom_attributes:
            self.send_header(CUSTOM_ATTRIBUTES, answer.custom_attributes)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)


class Server(ThreadingHTTPServer):
    """A thread per connection; a burst of connections may wait for one.

    Where several workers listen, one that is answering leaves a new connection to the others.
    """

    daemon_threads = True
    request_queue_size = 128

    def server_activate(self) -> None:
        """Listen; another worker may take a connection first, which is not a reason to wait for the next one."""
        super().server_activate()
        self.socket.setblocking(False)

    def get_request(self) -> tuple[socket.socket, Any]:
        """A new connection, once nothing is being answered; an OSError, which is awaited, where it is gone."""
        with RequestHandler.answering:
            connection, address = super().get_request()
        connection.setblocking(True)
        return connection, address


def main() -> None:
    """Load the model, then serve on the port of the loopback interface until a signal ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--toolkit", default="inference", help="one of DISPATCHERS, or none")
    parser.add_argument("--default-handlers", help="a module beside this file")
    parser.add_argument("--algorithm", action="store_true", help="the image serves without a script, too")
    given = parser.parse_args()
    from local_sagemaker.toolkits import workers
    from local_sagemaker.toolkits.dispatchers import CannotStart

    folder = os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml") + "/model"
    try:
        count = workers.wanted(os.environ)
        RequestHandler.invoke = load(folder, given.toolkit, given.default_handlers, given.algorithm)
        server = Server(("127.0.0.1", given.port), RequestHandler)
    except CannotStart as reason:
        sys.exit(str(reason))
    except OSError as error:
        sys.exit(ADDRESS_IN_USE if error.errno == errno.EADDRINUSE else str(error))
    workers.run(count, server.serve_forever)


def load(model_folder: str, toolkit: str, default_handlers: str | None, algorithm: bool) -> Invoke:
    """What answers invocations: the user's program, or the algorithm of the image; CannotStart where it fails."""
    from local_sagemaker.toolkits.dispatchers import DISPATCHERS, CannotStart, Functions

    program = os.environ.get("SAGEMAKER_PROGRAM", "")
    if not program and algorithm:
        return _algorithm(model_folder)
    code = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or f"{model_folder}/code"
    sys.path.insert(0, code.removeprefix("file://"))
    if not program and not (default_handlers and toolkit == "inference"):
        raise CannotStart("SAGEMAKER_PROGRAM is not set: name the module with model_fn and its like.")
    name = (program or DEFAULT_PROGRAM).removesuffix(".py")
    try:
        scriptless = not program and importlib.util.find_spec(name) is None
        module = None if scriptless else importlib.import_module(name)
        dispatcher = DISPATCHERS[toolkit](Functions.of(module, name, lambda: _functions(default_handlers)))
        dispatcher.load(model_folder)
    except CannotStart:
        raise
    except ModuleNotFoundError as error:
        traceback.print_exc()
        raise CannotStart(f"The program {name} cannot be imported from {code}: {error}.") from None
    except Exception as error:
        traceback.print_exc()
        raise CannotStart(f"The program {name} failed as it started: {type(error).__name__}: {error}") from None
    accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", DEFAULT_ACCEPT)
    return Script(dispatcher, accept, flask=toolkit != "inference")


def _functions(module: str | None) -> dict[str, Callable[..., object]]:
    if module is None:
        return {}
    found = importlib.import_module(f"local_sagemaker.toolkits.{module}")
    return {name: function for name, function in vars(found).items() if name.endswith("_fn")}


def _algorithm(model_folder: str) -> Invoke:
    from local_sagemaker.toolkits.dispatchers import CannotStart
    from local_sagemaker.toolkits.xgboost.serving import Scoring

    try:
        return Scoring(model_folder, os.environ)
    except Exception as error:
        traceback.print_exc()
        said = str(error).partition("\nStack trace:")[0]  # XGBoost adds its own, which is in the log
        raise CannotStart(f"The model cannot be loaded: {said}") from None


if __name__ == "__main__":
    main()
