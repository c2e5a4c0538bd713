"""The handler contract of the model server, over real HTTP."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import flask
import pytest

pytestmark = pytest.mark.e2e

SERVER = Path(__file__).parents[3] / "local_sagemaker" / "toolkits" / "model_server.py"
Ask = Callable[..., tuple[int, str, bytes]]
Serve = Callable[..., Ask]


@pytest.fixture(name="serve")
def serve_fixture(tmp_path: Path) -> Iterator[Serve]:
    """Start a model server for a program; what it returns sends one request on a connection that stays open."""
    processes: list[subprocess.Popen[bytes]] = []

    def serve(program: str, *options: str, **variables: str) -> Ask:
        code = tmp_path / "model" / "code"
        code.mkdir(parents=True, exist_ok=True)
        (code / "serve.py").write_text(program)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        environment = {"SAGEMAKER_PROGRAM": "serve", "SAGEMAKER_BASE_DIR": str(tmp_path), **variables}
        command = [sys.executable, str(SERVER), "--port", str(port), *options]
        log = (tmp_path / "log").open("wb")
        processes.append(subprocess.Popen(command, env=environment, stderr=log))
        ask = asking(port)
        deadline = time.monotonic() + 40
        while True:
            try:
                assert ask(path="/ping", method="GET")[0] == 200
                return ask
            except (ConnectionError, http.client.HTTPException):
                ask = asking(port)
                assert time.monotonic() < deadline
                assert processes[-1].poll() is None, (tmp_path / "log").read_text()
                time.sleep(0.01)

    yield serve
    for process in processes:
        process.kill()
        process.wait()


def asking(port: int) -> Ask:
    """What sends one request after another on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def ask(
        body: bytes | str = b"", content_type: str | None = "text/csv", accept: str | None = None,
        path: str = "/invocations", method: str = "POST", **more: str,
    ) -> tuple[int, str, bytes]:  # fmt: skip
        headers = {"Content-Type": content_type, "Accept": accept, **more}
        connection.request(method, path, body, {key: value for key, value in headers.items() if value is not None})
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read()

    ask.port = port  # type: ignore[attr-defined]
    return ask


def again(ask: Ask) -> Ask:
    """Another connection to the same server."""
    return asking(ask.port)  # type: ignore[attr-defined]


def three(predict: str = "pass", output: str = "return prediction", data: str = "return body") -> str:
    return (
        "def model_fn(d): return 'model'\n"
        f"def input_fn(body, content_type): {data}\n"
        f"def predict_fn(data, model): {predict}\n"
        f"def output_fn(prediction, accept): {output}\n"
    )


def test_the_three_functions_are_called_in_sequence(serve: Serve) -> None:
    ask = serve(three("return (data, model)", "return repr(prediction), 'text/x'"))
    assert ask("1,2") == (200, "text/x", b"('1,2', 'model')")


def test_text_types_arrive_as_text_and_others_as_bytes(serve: Serve) -> None:
    ask = serve(three("return type(data).__name__"))
    assert ask("é".encode(), "text/csv")[2] == b"str"
    assert ask("{}", "application/json")[2] == b"str"
    assert ask("{}", "text/csv; charset=utf-8")[2] == b"bytes"
    assert ask(b"\x93NUMPY", "application/x-npy")[2] == b"bytes"
    assert ask("{}", None)[2] == b"str"


def test_accept_is_passed_on_and_is_the_content_type_of_plain_results(serve: Serve) -> None:
    ask = serve(three("return b'x'"), SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/default")
    assert ask(accept="text/csv")[1] == "text/csv"
    assert ask(accept="*/*")[1] == ask(accept=None)[1] == "text/default"


def test_transform_fn_takes_the_place_of_the_three(serve: Serve) -> None:
    ask = serve(
        "def model_fn(d): return 1\ndef transform_fn(model, body, content_type, accept): return f'{model}{body}'"
    )
    assert ask("x")[2] == b"1x"


BAD = "raise BaseInferenceToolkitError(422, 'too many rows', 'Unprocessable')"
INFERENCE_ERROR = """
class BaseInferenceToolkitError(Exception):
    def __init__(self, status_code, message, phrase):
        self.status_code, self.message, self.phrase = status_code, message, phrase
"""


@pytest.mark.parametrize("error", ["ValueError('no such zip code')", "BadRequest('the field price is missing')"])
def test_the_flask_images_answer_every_exception_with_500_and_a_page_that_says_nothing(
    serve: Serve, tmp_path: Path, error: str
) -> None:
    program = "from werkzeug.exceptions import BadRequest\n" + three(f"raise {error}")
    ask = serve(program, "--toolkit", "containers")
    status, content_type, body = ask()
    assert (status, content_type) == (500, "text/html; charset=utf-8")
    assert body == flask_page()
    assert error.partition("(")[2].strip("')") in (tmp_path / "log").read_text()
    assert ask()[0] == 500  # it goes on serving


def flask_page() -> bytes:
    """What Flask itself answers to an exception."""
    app = flask.Flask("faulty")

    @app.route("/")
    def fail() -> str:
        raise ValueError

    return app.test_client().get("/").get_data()


def test_a_flask_image_answers_a_status_where_a_handler_returns_a_response(serve: Serve) -> None:
    response = "from werkzeug import Response\nreturn Response('send a price', 400, mimetype='text/plain')"
    program = three(output=response.replace("\n", "; "))
    assert serve(program, "--toolkit", "containers")() == (400, "text/plain; charset=utf-8", b"send a price")


def test_a_flask_image_completes_the_content_type_of_texts_and_replaces_what_is_not_utf_8(serve: Serve) -> None:
    ask = serve(three("return data"), "--toolkit", "containers")
    assert ask(b"\xff1", accept="text/csv") == (200, "text/csv; charset=utf-8", "\ufffd1".encode())
    assert ask(b"1", accept="application/json")[1] == "application/json"


def test_an_error_of_the_inference_toolkit_has_its_status_message_and_traceback(serve: Serve) -> None:
    status, _, body = serve(INFERENCE_ERROR + three(BAD))()
    assert status == 422
    assert body.startswith(b"too many rows\nTraceback (most recent call last):")


@pytest.mark.parametrize(
    "error", ["ValueError('no such zip code')", "Teapot('no such zip code')", "NotFound('no such zip code')"]
)
def test_any_other_error_of_an_inference_image_is_500_whatever_it_carries(
    serve: Serve, tmp_path: Path, error: str
) -> None:
    program = (
        "from werkzeug.exceptions import NotFound\n"
        "class Teapot(Exception): status_code, message = 418, 'no tea'\n" + three(f"raise {error}")
    )
    ask = serve(program)
    status, content_type, body = ask()
    assert (status, content_type) == (500, "text/plain; charset=utf-8")
    assert b"no such zip code\nTraceback" in body
    assert "Traceback" in (tmp_path / "log").read_text()
    assert ask()[0] == 500  # it goes on serving


def test_a_result_that_cannot_be_sent_is_500_and_says_so(serve: Serve) -> None:
    ask = serve(three("return {'a': 1}"))
    status, _, body = ask()
    assert status == 500
    assert body.startswith(b"The handlers returned dict: text or bytes can be sent.")


def test_another_path_is_not_found_and_the_connection_stays_open(serve: Serve) -> None:
    ask = serve(three("return 'x'"))
    assert ask(path="/elsewhere")[0] == 404
    assert ask(path="/elsewhere", method="GET")[0] == 404
    assert ask()[0] == 200


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (three() + "def transform_fn(m, b, c, a): pass", "has transform_fn and input_fn, predict_fn, output_fn"),
        (
            "def model_fn(d, context, more): pass\ndef transform_fn(m, b, c, a): pass",
            "model_fn takes 3 arguments but 1",
        ),
        ("def model_fn(d): pass\ndef input_fn(b, c): pass", "has no predict_fn, output_fn, and no transform_fn"),
    ],
)
def test_a_program_that_breaks_the_contract_is_refused_at_the_start(serve: Serve, program: str, reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        serve(program)


def test_the_server_listens_on_the_loopback_interface_only_and_imports_little(serve: Serve, tmp_path: Path) -> None:
    ask = serve(three("import sys; return ' '.join(sys.modules)"))
    modules = ask()[2].decode().split()
    assert not {"werkzeug", "urllib3", "numpy", "asyncio", "local_sagemaker.errors"} & set(modules)
    assert '"127.0.0.1"' in SERVER.read_text()
    assert str(SERVER.parent) not in os.environ.get("PYTHONPATH", "")


def test_a_page_in_a_browser_cannot_ask_the_model(serve: Serve) -> None:
    ask = serve(three("return data"))
    assert ask("1", Host="evil.example.com")[0] == 403
    assert ask("1", Origin="http://127.0.0.1")[0] == 403
    assert ask("1", Host="localhost:80")[0] == 200


def test_the_image_s_handlers_stand_in_for_those_that_a_script_lacks(serve: Serve) -> None:
    model = "class Model:\n    def predict(self, data): return data.sum(axis=1)\n"
    options = ("--toolkit", "containers", "--default-handlers", "scikit_learn_handlers")
    ask = serve(f"{model}def model_fn(d): return Model()", *options)
    assert ask("1,2\n3,4\n", accept="text/csv") == (200, "text/csv; charset=utf-8", b"3.0\n7.0\n")
    assert ask("[[1, 2]]", "application/json", "application/json")[2] == b"[3.0]"
    status, content_type, body = ask("1", "image/png")
    assert (status, content_type) == (415, "application/json")
    assert b"UnsupportedFormatError" in body
    assert ask("1,2\n3,4", accept="image/png")[0] == 406


def test_a_program_is_not_needed_where_the_image_has_a_model_fn(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "xgboost-model").write_bytes(b"x")
    with pytest.raises(AssertionError, match="The model cannot be loaded"):
        serve("", "--algorithm", SAGEMAKER_PROGRAM="")
    with pytest.raises(AssertionError, match="SAGEMAKER_PROGRAM is not set"):
        serve("", "--toolkit", "containers", "--default-handlers", "scikit_learn_handlers", SAGEMAKER_PROGRAM="")


def test_a_user_s_module_may_be_named_like_a_file_of_ours(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "model" / "code").mkdir(parents=True)
    (tmp_path / "model" / "code" / "answers.py").write_text("WORD = 'mine'")
    ask = serve("import answers\n" + three("return answers.WORD"))
    assert ask()[2] == b"mine"


WORKING = """
import os, time
def model_fn(d): return os.getpid()
def transform_fn(model, body, content_type, accept):
    if body == "die": os._exit(7)
    time.sleep(0.2 if body == "slow" else 0)
    return f"{model} {os.getpid()}"
"""


def test_workers_are_forked_from_the_process_that_loaded_the_model(serve: Serve) -> None:
    ask = serve(WORKING, "--toolkit", "containers", SAGEMAKER_MODEL_SERVER_WORKERS="3")
    loaded, answering = ask()[2].split()
    assert loaded != answering


def test_one_that_is_answering_leaves_new_connections_to_another(serve: Serve) -> None:
    ask = serve(WORKING, "--toolkit", "containers", SAGEMAKER_MODEL_SERVER_WORKERS="2")
    with ThreadPoolExecutor(2) as threads:
        slow = threads.submit(again(ask), "slow")
        time.sleep(0.1)
        assert again(ask)()[2] != slow.result()[2]


def test_a_worker_that_dies_takes_only_its_own_request_with_it(serve: Serve, tmp_path: Path) -> None:
    ask = serve(WORKING, "--toolkit", "containers", SAGEMAKER_MODEL_SERVER_WORKERS="2")
    loaded = ask()[2].split()[0]
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        again(ask)("die")
    assert [again(ask)()[2].split()[0] for _ in range(4)] == [loaded] * 4
    assert "ended with exit code 7 and is started again" in (tmp_path / "log").read_text()


def test_a_process_with_threads_is_not_forked(serve: Serve, tmp_path: Path) -> None:
    program = WORKING.replace("def model_fn(d):", "import threading\ndef model_fn(d):\n    start()\n   ") + (
        "def start(): threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    loaded, answering = serve(program, "--toolkit", "containers", SAGEMAKER_MODEL_SERVER_WORKERS="2")()[2].split()
    assert loaded == answering
    said = "One worker serves instead of 2: the process has 1 more thread once the model is loaded."
    assert said in (tmp_path / "log").read_text()
