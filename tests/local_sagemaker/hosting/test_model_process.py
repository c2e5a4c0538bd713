"""A model behind HTTP in a process of its own, through real processes and sockets."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.hosting.model_process import ModelFailedToStart, ModelProcess, ModelUnavailable

Start = Callable[..., ModelProcess]
Container = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.e2e

PID = """
import os
def model_fn(model_dir): return None
def transform_fn(model, body, content_type, accept): return str(os.getpid())
"""


def pid_of(process: ModelProcess) -> int:
    return int(process.invoke(b"", "text/csv", "text/csv", {}).body)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_model_answers_from_its_own_opt_ml(start: Start, container: Container) -> None:
    process = start(container())
    response = process.invoke(b"1,2", "text/csv", "application/json", {})
    assert (response.status, response.content_type) == (200, "application/json")
    assert response.body == b"m|str|text/csv"


def test_a_dotted_program_with_a_py_ending_and_the_default_code_folder(start: Start, container: Container) -> None:
    for program in ("handlers.serve", "handlers.serve.py"):
        process = start(container(Environment={"SAGEMAKER_PROGRAM": program}))
        assert process.invoke(b"", "text/csv", "*/*", {}).status == 200
        process.stop()


def test_code_from_s3_is_used_as_submit_directory(start: Start, container: Container, store: Any) -> None:
    code = store.put_model({"serve.py": PID}, "s3://models/sourcedir.tar.gz")
    environment = {"SAGEMAKER_PROGRAM": "serve.py", "SAGEMAKER_SUBMIT_DIRECTORY": code}
    assert pid_of(start(container(Environment=environment))) > 0


def test_a_model_data_source_may_be_files_or_an_archive(start: Start, container: Container, store: Any) -> None:
    made = container()
    url = made.pop("ModelDataUrl")
    source = {"S3Uri": url, "S3DataType": "S3Object", "CompressionType": "Gzip"}
    assert start({**made, "ModelDataSource": {"S3DataSource": source}}).alive()

    program = (
        "def model_fn(d): return open(d + '/model.txt').read()\n"
        "def transform_fn(m, b, c, a): return f'{m}|{type(b).__name__}|{c}'"
    )
    store.put("s3://models/plain/model.txt", b"m")
    store.put("s3://models/plain/code/handlers/serve.py", program.encode())
    source = {"S3Uri": "s3://models/plain/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    process = start({**made, "ModelDataSource": {"S3DataSource": source}})
    assert process.invoke(b"", "text/csv", "text/csv", {}).body == b"m|str|text/csv"


def test_many_threads_may_ask_at_once_and_connections_are_kept(start: Start, container: Container) -> None:
    process = start(container())
    pool = process._pool
    assert pool is not None
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: process.invoke(b"x", "text/csv", "text/csv", {}).status, range(400)))
    assert answers == [200] * 400
    assert 1 <= len(pool._idle) <= 17


def test_handlers_are_called_one_at_a_time(start: Start, container: Container) -> None:
    program = """
import threading, time
inside = threading.Semaphore(1)
def model_fn(model_dir): return None
def transform_fn(model, body, content_type, accept):
    assert inside.acquire(blocking=False), "two at once"
    time.sleep(0.01); inside.release()
    return "ok"
"""
    process = start(container(program))
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: process.invoke(b"", "a/b", "*/*", {}).body, range(24)))
    assert answers == [b"ok"] * 24


def test_a_model_gets_a_clean_environment(start: Start, container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret-of-the-caller")
    program = """
import json, os
def model_fn(model_dir): return dict(os.environ)
def transform_fn(model, body, content_type, accept): return json.dumps(model)
"""
    body = start(container(program)).invoke(b"", "a/b", "*/*", {}).body.decode()
    assert "secret-of-the-caller" not in body
    assert "http://127.0.0.1:5599" in body


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("def model_fn(d): raise OSError('no booster')", "failed as it started: OSError: no booster"),
        ("import nothing_of_the_kind", "cannot be imported"),
        ("def input_fn(b, c): pass", "has no model_fn"),
        ("import os; os._exit(9)", "ended with exit code 9"),
    ],
)
def test_a_model_that_fails_to_start_says_why(
    start: Start, container: Container, program: str, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelFailedToStart, match=reason) as fault:
        start(container(program))
    assert len(str(fault.value)) < 1024
    assert [path.name for path in (tmp_path / "hosts" / "m").iterdir()] == ["output.log"]


def test_a_model_fn_that_raises_says_why(start: Start, container: Container) -> None:
    program = "def model_fn(d): raise OSError('no booster')\ndef transform_fn(m, b, c, a): pass"
    with pytest.raises(ModelFailedToStart, match="failed as it started: OSError: no booster"):
        start(container(program))


def test_a_model_that_does_not_answer_in_time_is_given_up(start: Start, container: Container) -> None:
    program = "import time\ndef model_fn(d): time.sleep(60)\ndef transform_fn(m, b, c, a): pass"
    with pytest.raises(ModelFailedToStart, match="ping health check"):
        start(container(program), timeout_seconds=0.5)


def test_a_missing_program_a_missing_model_and_an_unknown_image_are_named(start: Start, container: Container) -> None:
    scikit_learn = "1.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
    with pytest.raises(ModelFailedToStart, match="SAGEMAKER_PROGRAM is not set"):
        start(container(Image=scikit_learn, Environment={}))
    with pytest.raises(ModelFailedToStart, match=r"s3://models/none\.tar\.gz"):
        start(container(ModelDataUrl="s3://models/none.tar.gz"))
    with pytest.raises(ModelFailedToStart, match="image 'mine:1'"):
        start(container(Image="mine:1"))


def test_an_unsafe_archive_is_refused_by_name(start: Start, container: Container, store: Any) -> None:
    url = store.put_model({"/etc/evil": "x"}, "s3://models/evil.tar.gz")
    with pytest.raises(ModelFailedToStart, match="its member '/etc/evil' leaves the folder"):
        start(container(ModelDataUrl=url))
    assert not Path("/etc/evil").exists()


def test_a_dead_process_is_unavailable_and_can_be_started_again(start: Start, container: Container) -> None:
    process = start(container(PID))
    first = pid_of(process)
    os.kill(first, signal.SIGKILL)
    while process.alive():
        time.sleep(0.01)
    with pytest.raises(ModelUnavailable, match="is not running"):
        process.invoke(b"", "a/b", "*/*", {})
    process.start()
    assert pid_of(process) != first


def test_a_process_that_dies_while_it_answers_is_unavailable(start: Start, container: Container) -> None:
    program = "import os\ndef model_fn(d): pass\ndef transform_fn(m, b, c, a): os._exit(1)"
    with pytest.raises(ModelUnavailable, match="died during the invocation"):
        start(container(program)).invoke(b"", "a/b", "*/*", {})


def test_stop_ends_the_process_and_leaves_only_the_log(start: Start, container: Container, tmp_path: Path) -> None:
    process = start(container(PID))
    pid = pid_of(process)
    process.stop()
    assert is_gone(pid)
    assert not process.alive()
    assert [path.name for path in (tmp_path / "hosts" / "m").iterdir()] == ["output.log"]
    with pytest.raises(ModelFailedToStart, match="was stopped"):
        process.start()


def test_stop_ends_a_start_that_is_under_way(start: Start, container: Container, tmp_path: Path, store: Any) -> None:
    from local_sagemaker.processes.images import ImageMap

    program = "import time\ndef model_fn(d): time.sleep(60)\ndef transform_fn(m, b, c, a): pass"
    process = ModelProcess("slow", container(program), tmp_path / "hosts", store, ImageMap(), {})
    faults: list[BaseException] = []

    def run() -> None:
        try:
            process.start()
        except ModelFailedToStart as fault:
            faults.append(fault)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.3)
    process.stop()
    thread.join(10)
    assert "was stopped while it started" in str(faults[0])
