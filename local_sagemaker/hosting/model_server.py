"""The model server inside the private /opt/ml: the framework images' handlers behind /ping and /invocations.

Started as a file by the interpreter that stands for the image, so it imports the standard library only.
The handler contract: model_fn(model_dir) once; for each request input_fn(body, content_type),
predict_fn(data, model) and output_fn(prediction, accept), or transform_fn(model, body, content_type,
accept) in place of the three. What the images do differently is that of their toolkits:

sagemaker-containers 2.8.6 (_transformer.py, _worker.py): a Flask application. Any exception is status 500 and
Flask's page; bytes that are not UTF-8 are replaced in text.
sagemaker-inference 1.10 (transformer.py): an exception that derives from its BaseInferenceToolkitError has its own
status, any other 500; the body is the message and the traceback.
"""

import argparse
import errno
import importlib
import inspect
import os
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MODEL_FOLDER = "/opt/ml/model"
DECODED_TYPES = ("application/json", "text/csv")  # their bodies reach input_fn as text
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
DEFAULT_ACCEPT = "application/json"
LOCAL_HOSTS = ("127.0.0.1", "localhost")
ADDRESS_IN_USE = 98  # the exit code that tells ModelProcess to try another port
CANNOT_START = 1
THREE = {"input_fn": 2, "predict_fn": 2, "output_fn": 2}  # with their numbers of arguments
CONTAINERS, INFERENCE = "sagemaker-containers", "sagemaker-inference"
# Flask's answer to an exception that nobody has handled; the exception itself is in the log only.
FLASK_PAGE = """<!doctype html>
<html lang=en>
<title>500 Internal Server Error</title>
<h1>Internal Server Error</h1>
<p>The server encountered an internal error and was unable to complete your request. \
Either the server is overloaded or there is an error in the application.</p>
"""


class CannotStart(Exception):
    """The user's module does not keep the contract; the message says what it lacks."""


@dataclass(frozen=True)
class Answer:
    """An HTTP response."""

    status: int
    content_type: str
    body: bytes
    custom_attributes: str | None = None  # which InvokeEndpoint hands on to its caller


class Handlers:
    """The functions of a user's module, and the model that its model_fn has loaded."""

    def __init__(self, program: str, model_folder: str, toolkit: str, default_accept: str = DEFAULT_ACCEPT) -> None:
        module = importlib.import_module(program.removesuffix(".py"))
        model_fn = _function(module, program, "model_fn", 1)
        if model_fn is None:
            raise CannotStart(f"The program {program} has no model_fn.")
        transform_fn = _function(module, program, "transform_fn", 4)
        found = {name: _function(module, program, name, count) for name, count in THREE.items()}
        three = {name: function for name, function in found.items() if function is not None}
        if transform_fn is not None and three:
            raise CannotStart(
                f"The program {program} has transform_fn and {', '.join(three)}: the former excludes the latter."
            )
        missing = [name for name in THREE if name not in three]
        if transform_fn is None and missing:
            raise CannotStart(f"The program {program} has no {', '.join(missing)}, and no transform_fn in their place.")
        self._transform = transform_fn or _in_sequence(three)
        self._toolkit = toolkit
        self._default_accept = default_accept
        self._one_at_a_time = threading.Lock()  # in the image, a worker process handles one request at a time
        self._model = model_fn(model_folder)

    def __call__(self, body: bytes, content_type: str, accept: str) -> Answer:
        """Answer one invocation; what goes wrong is an answer too."""
        accept = self._default_accept if accept in ("", "*/*") else accept
        try:
            errors = "replace" if self._toolkit == CONTAINERS else "strict"
            data = body.decode(errors=errors) if content_type in DECODED_TYPES else body
            with self._one_at_a_time:
                result = self._transform(self._model, data, content_type, accept)
            return _answer(result, accept, self._toolkit)
        except Exception as error:
            traceback.print_exc()
            return _error_answer(error, self._toolkit)


class RequestHandler(BaseHTTPRequestHandler):
    """GET /ping and POST /invocations, on connections that stay open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave as one packet
    handlers: Handlers

    def do_GET(self) -> None:
        """The health check."""
        found = self.path == "/ping"
        self._send(Answer(200, "text/plain", b"") if found else _plain(404, f"There is no {self.path}."))

    def do_POST(self) -> None:
        """An invocation."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Host", "").partition(":")[0] not in LOCAL_HOSTS or "Origin" in self.headers:
            self._send(_plain(403, "Only the server of this machine may ask."))  # and no page in a browser
            return
        if self.path != "/invocations":
            self._send(_plain(404, f"There is no {self.path}."))
            return
        content_type = self.headers.get("Content-Type") or "application/json"
        self._send(self.handlers(body, content_type, self.headers.get("Accept", "")))

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
    """A thread per connection; a burst of connections may wait for one."""

    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    """Load the model, then serve on the port of the loopback interface until a signal ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--toolkit", choices=(CONTAINERS, INFERENCE), required=True)
    options = parser.parse_args()
    here = str(Path(__file__).parent)
    sys.path = [folder for folder in sys.path if folder != here]  # a model's module may be named like one here
    folder = os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml") + "/model"
    try:
        RequestHandler.handlers = load(os.environ.get("SAGEMAKER_PROGRAM", ""), folder, options.toolkit)
        server = Server(("127.0.0.1", options.port), RequestHandler)
    except CannotStart as reason:
        sys.exit(str(reason))
    except OSError as error:
        sys.exit(ADDRESS_IN_USE if error.errno == errno.EADDRINUSE else str(error))
    server.serve_forever()


def load(program: str, model_folder: str, toolkit: str) -> Handlers:
    """Import the program from SAGEMAKER_SUBMIT_DIRECTORY and load its model; CannotStart where that fails."""
    if not program:
        raise CannotStart("SAGEMAKER_PROGRAM is not set: name the module with model_fn and its like.")
    code = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or f"{model_folder}/code"
    sys.path.insert(0, code.removeprefix("file://"))
    accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", DEFAULT_ACCEPT)
    try:
        return Handlers(program, model_folder, toolkit, accept)
    except CannotStart:
        raise
    except ModuleNotFoundError as error:
        traceback.print_exc()
        raise CannotStart(f"The program {program} cannot be imported from {code}: {error}.") from None
    except Exception as error:
        traceback.print_exc()
        raise CannotStart(f"The program {program} failed as it started: {type(error).__name__}: {error}") from None


def _function(module: Any, program: str, name: str, count: int) -> Callable[..., Any] | None:
    function: Callable[..., Any] | None = getattr(module, name, None)
    if function is None:
        return None
    found = len(inspect.signature(function).parameters)
    if found != count:
        # The toolkit passes its server's context to a function with one parameter more; there is none here.
        raise CannotStart(f"{name} of the program {program} takes {found} arguments instead of {count}.")
    return function


def _in_sequence(three: dict[str, Callable[..., Any]]) -> Callable[..., Any]:
    def transform(model: Any, body: bytes | str, content_type: str, accept: str) -> Any:
        data = three["input_fn"](body, content_type)
        prediction = three["predict_fn"](data, model)
        return three["output_fn"](prediction, accept)

    return transform


def _answer(result: Any, accept: str, toolkit: str) -> Answer:
    """What a handler may return: body, (body, content type), or a Flask or Werkzeug response."""
    if hasattr(result, "get_data") and hasattr(result, "status_code"):
        attributes = result.headers.get(CUSTOM_ATTRIBUTES)
        return Answer(result.status_code, result.content_type or accept, result.get_data(), attributes)
    body, content_type = result if isinstance(result, tuple) else (result, accept)
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, bytes | bytearray):
        raise TypeError(f"The handlers returned {type(body).__name__}: text or bytes can be sent.")
    if toolkit == CONTAINERS and content_type.startswith("text/") and ";" not in content_type:
        content_type += "; charset=utf-8"  # as Werkzeug completes it
    return Answer(200, content_type, bytes(body))


def _error_answer(error: Exception, toolkit: str) -> Answer:
    """What the image answers to an exception; to be called where it is handled."""
    if toolkit == CONTAINERS:
        return Answer(500, "text/html; charset=utf-8", FLASK_PAGE.encode())
    expected = any(base.__name__ == "BaseInferenceToolkitError" for base in type(error).__mro__)
    status = getattr(error, "status_code", 500) if expected else 500
    message = getattr(error, "message", str(error)) if expected else str(error)
    return _plain(status, f"{message}\n{traceback.format_exc()}")


def _plain(status: int, text: str) -> Answer:
    return Answer(status, "text/plain; charset=utf-8", text.encode())


if __name__ == "__main__":
    main()
