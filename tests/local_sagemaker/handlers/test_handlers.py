"""Handlers: which keys of a user's file stand for what, and calls that cannot harm the server."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.handlers.handlers import HandlerFailed, Handlers

ARN = "arn:aws:lambda:us-east-1:000000000000:function:notify"
FILE = f"""
import os, subprocess, sys, time
from pathlib import Path

def notify(event, context):
    print("notified of", event["word"])
    return {{"said": event["word"], "by": context.function_name}}

def wait(event, context):
    Path(event["file"]).write_text(str(os.getpid()))
    time.sleep(60)

HANDLERS = {{
    {ARN!r}: notify,
    "Lambda": lambda event, context: {{"any": True}},
    "EMR": [sys.executable, "-c", "import json, sys; print(json.dumps({{'got': json.load(sys.stdin)}}))"],
    "AutoML": [sys.executable, "-c", "raise SystemExit(3)"],
    "Raises": lambda event, context: 1 / 0,
    "Ends": lambda event, context: os._exit(7),
    "Sends": lambda event, context: object(),
    "Text": lambda event, context: "text",
    "Waits": wait,
    "SeesSecrets": lambda event, context: dict(os.environ),
    "111.dkr.ecr.us-east-1.amazonaws.com/own": notify,
    "my-image:1": "python3",
    "my/trainer": ["sh", "handlers.py", "train"],
}}
"""


@pytest.fixture
def handlers(tmp_path: Path) -> Handlers:
    file = tmp_path / "handlers.py"
    file.write_text(FILE)
    return Handlers.load(file)


def result(handlers: Handlers, key: str, event: Any, tmp_path: Path) -> dict[str, Any]:
    return handlers.call(key, tmp_path / "log", {}).result(event, {"function_name": "notify"})


@pytest.mark.parametrize(
    ("step", "key"),
    [
        ({"Type": "Lambda", "FunctionArn": ARN}, ARN),
        ({"Type": "Lambda", "FunctionArn": f"{ARN}:live"}, ARN),
        ({"Type": "Lambda", "FunctionArn": f"{ARN}-others"}, "Lambda"),
        ({"Type": "EMR"}, "EMR"),
        ({"Type": "QualityCheck"}, None),
        ({"Type": "my-image:1"}, "my-image:1"),
    ],
)
def test_a_function_goes_before_its_step_type(handlers: Handlers, step: dict[str, Any], key: str | None) -> None:
    assert handlers.key_for(step) == key


def test_images_stand_for_interpreters_or_for_what_runs_in_place_of_their_entrypoint(handlers: Handlers) -> None:
    assert handlers.images() == {"my-image:1": ["python3"]}
    own = "111.dkr.ecr.us-east-1.amazonaws.com/own"
    commands = handlers.entrypoints()
    assert commands.keys() == {own, "my/trainer"}
    assert commands[own][-3:] == ["entrypoint", str(handlers.file), own]
    assert commands["my/trainer"] == ["sh", str(handlers.file), "train"]


def test_a_callable_gets_event_and_context_and_what_it_prints_is_in_the_log(handlers: Handlers, tmp_path: Path) -> None:
    assert result(handlers, ARN, {"word": "hello"}, tmp_path) == {"said": "hello", "by": "notify"}
    assert (tmp_path / "log").read_text() == "notified of hello\n"


def test_a_command_gets_the_event_as_json_and_prints_the_result(handlers: Handlers, tmp_path: Path) -> None:
    assert result(handlers, "EMR", {"a": [1]}, tmp_path) == {"got": {"a": [1]}}


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("Raises", "ZeroDivisionError: division by zero"),
        ("Ends", "ended with exit code 7"),
        ("Sends", "TypeError: Object of type object is not JSON serializable"),
        ("Text", "returned 'text', which is not a dictionary"),
        ("AutoML", "ended with exit code 3"),
    ],
)
def test_a_handler_that_fails_in_any_way_is_an_error_with_its_log(
    handlers: Handlers, tmp_path: Path, key: str, words: str
) -> None:
    with pytest.raises(HandlerFailed, match=words) as failed:
        result(handlers, key, {}, tmp_path)
    assert str(tmp_path / "log") in str(failed.value)


def test_a_call_that_is_stopped_ends_with_all_that_it_started(handlers: Handlers, tmp_path: Path) -> None:
    call = handlers.call("Waits", tmp_path / "log", {})
    started = tmp_path / "pid"
    failures: list[str] = []

    def run() -> None:
        with pytest.raises(HandlerFailed) as failed:
            call.result({"file": str(started)}, {})
        failures.append(str(failed.value))

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 20
    while not (started.exists() and started.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    call.stop()
    thread.join(20)
    assert "exit code -9" in failures[0]
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)


def test_a_handler_sees_no_credentials_of_the_caller(
    handlers: Handlers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    monkeypatch.setenv("GITHUB_TOKEN", "real")
    assert "real" not in result(handlers, "SeesSecrets", {}, tmp_path).values()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1", "TypeError: it has no dictionary HANDLERS"),
        ("HANDLERS = {'EMR': 3}", "the handler of 'EMR' is neither a callable nor a command"),
        ("HANDLERS = {", "SyntaxError"),
        ("raise SystemExit(4)", "exit code 4"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "handlers.py"
    with pytest.raises(LocalSageMakerError, match="does not exist"):
        Handlers.load(file)
    file.write_text(text)
    with pytest.raises(LocalSageMakerError, match=words):
        Handlers.load(file)
