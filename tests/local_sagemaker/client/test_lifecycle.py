"""Starting, finding and stopping the server."""

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker import configuration
from local_sagemaker.__main__ import main
from local_sagemaker.client import lifecycle, running
from local_sagemaker.client.lifecycle import Server
from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.http.connections import BUSY


class AnotherProgram(BaseHTTPRequestHandler):
    """A web server that is not ours."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Quiet."""


def hang_up(listener: socket.socket) -> None:
    """Close each connection at once, until the listener is closed."""
    with contextlib.suppress(OSError):  # how accept() tells that the listener was closed
        while True:
            listener.accept()[0].close()


def test_a_second_up_finds_the_first(new_server: Callable[[], Any]) -> None:
    server = new_server()
    first, second = server.up(), server.up()
    assert first.pid == second.pid
    assert second.url == server.url


def test_down_ends_the_process_and_says_when_there_was_none(new_server: Callable[[], Any]) -> None:
    server = new_server()
    started = server.up()
    stopped = lifecycle.down(server.port)
    assert stopped is not None
    assert stopped.pid == started.pid
    with pytest.raises(ProcessLookupError):
        os.kill(started.pid, 0)
    assert lifecycle.down(server.port) is None


@pytest.mark.parametrize("gone", ["folder", "database", "contents"])
def test_a_state_folder_that_is_removed_under_the_server_is_noticed_and_up_begins_anew(
    new_server: Callable[[], Any], gone: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = new_server()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    first = server.up()
    server.client("s3").create_bucket(Bucket="kept")
    if gone == "database":
        for file in server.state.glob("state.db*"):
            file.unlink()
    else:
        shutil.rmtree(server.state)
    if gone == "contents":
        server.state.mkdir()
    for request in (
        lambda: server.client("s3").create_bucket(Bucket="lost"),
        lambda: server.client("s3").list_buckets(),
        lambda: server.client("sagemaker").create_model_package_group(ModelPackageGroupName="lost"),
        lambda: server.client("iam").list_roles(),
    ):
        with pytest.raises(ClientError, match=r"was removed while local SageMaker ran.*`local up`") as refused:
            request()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 507  # which clients do not repeat
    for command in ("status", "env"):
        assert main([command, "--state", str(server.state)]) == 1
        assert (
            f"The state folder {server.state} was removed while it ran: `up` starts it again."
            in capsys.readouterr().err
        )
    said: list[str] = []
    second = lifecycle.up(server.state, said.append)
    assert second.pid != first.pid
    assert any("was removed while local SageMaker ran" in line for line in said)
    server.client("s3").create_bucket(Bucket="new")
    assert [bucket["Name"] for bucket in server.client("s3").list_buckets()["Buckets"]] == ["new"]
    assert lifecycle.up(server.state).pid == second.pid


def test_down_stops_the_server_of_another_folder_only_by_force(new_server: Callable[[], Any], tmp_path: Path) -> None:
    server = new_server()
    started = server.up()
    with pytest.raises(LocalSageMakerError, match=rf"serves the local SageMaker of {server.state}, not of .*--force"):
        lifecycle.down(server.port, tmp_path / "other")
    assert lifecycle.find(server.port) == started
    assert lifecycle.down(server.port, tmp_path / "other", force=True) == started


@pytest.mark.parametrize("speaks_http", [True, False])
def test_a_port_that_another_program_uses_is_named_with_the_way_out(
    new_server: Callable[[], Any], speaks_http: bool
) -> None:
    server = new_server()
    if speaks_http:
        other: Any = HTTPServer(("127.0.0.1", server.port), AnotherProgram)
        Thread(target=other.serve_forever, daemon=True).start()
    else:
        other = socket.create_server(("127.0.0.1", server.port))
        Thread(target=hang_up, args=(other,), daemon=True).start()
    try:
        with pytest.raises(LocalSageMakerError, match=rf"Port {server.port} is in use .* SAGEMAKER_LOCAL_PORT"):
            server.up()
        assert not server.state.exists()
    finally:
        other.shutdown() if speaks_http else other.close()
        if speaks_http:
            other.server_close()


def test_the_server_of_another_project_is_not_taken_for_ours(new_server: Callable[[], Any]) -> None:
    first, second = new_server(), new_server()
    first.up()
    second.environment["SAGEMAKER_LOCAL_PORT"] = str(first.port)
    with pytest.raises(LocalSageMakerError, match=r"serves the local SageMaker of .*state-0"):
        second.up()


def test_a_project_whose_port_another_one_has_gets_one_of_its_own_and_keeps_it(
    new_server: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, state = new_server(), tmp_path / "second"
    first.up()
    for name, value in first.environment.items():
        if name not in ("SAGEMAKER_LOCAL_PORT", "SAGEMAKER_LOCAL_STATE"):
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(configuration, "DEFAULT_PORT", first.port)
    said: list[str] = []
    second = lifecycle.up(state, said.append)
    try:
        assert second.state == state
        assert second.port != first.port
        assert f"Port {first.port} serves the local SageMaker of {first.state}" in said[0]
        assert lifecycle.up(state) == second
        assert main(["status", "--state", str(state)]) == 0
        assert f"on http://127.0.0.1:{second.port} " in capsys.readouterr().out
        assert main(["env", "--state", str(state)]) == 0
        assert f"AWS_ENDPOINT_URL=http://127.0.0.1:{second.port}" in capsys.readouterr().out
        assert main(["down", "--state", str(state)]) == 0
        first.down()
        assert main(["up", "--state", str(state)]) == 0  # the default port is free now, and this one is its own
        assert configuration.configured_port(state) == second.port
        assert lifecycle.find(second.port, state) is not None
    finally:
        lifecycle.down(second.port)


def test_a_kept_port_that_a_third_project_has_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "port").write_text("5611\n")
    other = Server(5611, 1, tmp_path / "third", 0.0)
    port = lifecycle._port_of_its_own(tmp_path, other, None)
    assert port != 5611
    assert configuration.configured_port(tmp_path) == port


@pytest.mark.parametrize("text", ["", "many", "0", "99999", "\xff"])
def test_a_kept_port_that_is_none_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "port").write_text(text, encoding="latin-1")
    assert configuration.configured_port(tmp_path) == configuration.DEFAULT_PORT


def start_up(server: Any) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "local_sagemaker", "up"],
        env={**os.environ, **server.environment},
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_two_ups_at_the_same_moment_start_one_server(new_server: Callable[[], Any]) -> None:
    server = new_server()
    running = [start_up(server) for _ in range(3)]
    said = {process.communicate()[0] for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert said == {f"Local SageMaker runs on {server.url} (process {server.up().pid}), state in {server.state}.\n"}


def test_two_projects_that_start_at_the_same_moment_on_one_port_are_told_apart(new_server: Callable[[], Any]) -> None:
    first, second = new_server(), new_server()
    second.environment["SAGEMAKER_LOCAL_PORT"] = str(first.port)
    running = [start_up(first), start_up(second)]
    said = [process.communicate()[0] for process in running]
    assert sorted(process.returncode for process in running) == [0, 1]
    loser = said[[process.returncode for process in running].index(1)]
    assert "serves the local SageMaker of" in loser or "is in use by another" in loser


def test_a_server_with_too_many_connections_is_asked_again_and_not_taken_for_another_program() -> None:
    health = json.dumps({"pid": 7, "state": "/state", "started": 1.0}).encode()
    answers = [BUSY, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(health), health)]
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        Thread(target=serve, daemon=True).start()
        found = lifecycle.find(listener.getsockname()[1])
    assert found is not None
    assert found.pid == 7


def test_a_server_that_hangs_is_named_with_the_way_out(
    new_server: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = new_server()
    pid = server.up().pid
    monkeypatch.setattr(running, "HEALTH_SECONDS", 0.3)
    monkeypatch.setattr(running, "HANGING_SECONDS", 0.3)
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(
            LocalSageMakerError, match=rf"\(process {pid}\).* does not answer: end it with `kill -9 {pid}`"
        ):
            server.up()
    finally:
        os.kill(pid, signal.SIGCONT)
    monkeypatch.undo()
    assert server.up().pid == pid


def test_a_log_that_has_grown_large_is_put_aside_at_the_next_start(
    new_server: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = new_server()
    server.state.mkdir()
    (server.state / "server.log").write_text("of earlier days\n" * 10)
    monkeypatch.setattr(lifecycle, "LOG_BYTES", 100)
    server.up()
    assert "earlier" in (server.state / "server.log.1").read_text()
    assert "earlier" not in (server.state / "server.log").read_text()


def test_the_lock_of_a_dead_server_is_no_obstacle(new_server: Callable[[], Any]) -> None:
    server = new_server()
    server.state.mkdir()
    (server.state / "lock").write_text(json.dumps({"pid": 999999999, "port": server.port}))
    assert server.up().pid != 999999999


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to run the command as another user")
def test_a_state_folder_without_permission_is_named_with_the_way_out(tmp_path: Path) -> None:
    for folder in [tmp_path, *tmp_path.parents][:3]:
        folder.chmod(folder.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    forbidden = tmp_path / "forbidden"
    forbidden.mkdir(mode=0o755)
    program = (
        "import os, sys; 'x'.encode('idna');"  # the resolver's codec, which the other user cannot import
        "sys.path.insert(0, sys.argv[1]); from local_sagemaker.__main__ import main;"
        "os.setgid(65534); os.setuid(65534); sys.exit(main(['up', '--state', sys.argv[2], '--port', '1']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(Path(__file__).parents[3]), str(forbidden / "state")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "forbidden/state cannot be written (Permission denied)" in done.stderr
    assert "SAGEMAKER_LOCAL_STATE" in done.stderr


@pytest.mark.parametrize("port", ["many", "0", "99999", "²"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("SAGEMAKER_LOCAL_PORT", port)
    with pytest.raises(LocalSageMakerError, match="SAGEMAKER_LOCAL_PORT"):
        configuration.configured_port(Path("state"))


def test_clients_are_pointed_here_and_nowhere_else(
    new_server: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = new_server()
    monkeypatch.setenv("SAGEMAKER_LOCAL_PORT", str(server.port))
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.example.com")
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "real")
    for name in lifecycle.client_environment(server.port):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    lifecycle.use_local(server.state)
    assert os.environ["AWS_ENDPOINT_URL"] == server.url
    assert os.environ["AWS_ACCESS_KEY_ID"] == "local"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"} & set(os.environ)


def test_the_command_line_starts_reports_and_stops(new_server: Callable[[], Any]) -> None:
    server = new_server()

    def command(name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "local_sagemaker", name],
            env={**os.environ, **server.environment},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
        )

    assert command("status").returncode == 3
    assert server.url in command("up").stdout
    assert "runs on" in command("status").stdout
    assert "stopped" in command("down").stdout


def test_env_prints_what_a_client_of_it_needs(new_server: Callable[[], Any], tmp_path: Path) -> None:
    server = new_server()
    server.up()
    command = [sys.executable, "-m", "local_sagemaker", "env"]
    environment = {"PATH": os.environ["PATH"], "SAGEMAKER_LOCAL_PORT": str(server.port)}
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    exports = dict(line.removeprefix("export ").split("=", 1) for line in printed.splitlines())
    assert exports["AWS_ENDPOINT_URL"] == server.url
    defaults = json.loads(Path(exports["SAGEMAKER_USER_CONFIG_OVERRIDE"]).read_text())
    assert defaults["SageMaker"]["PythonSDK"]["Modules"]["TelemetryOptOut"] is True


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x"])
def test_a_port_that_does_not_exist_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["up", "--port", port])
    assert f"argument --port: '{port}' is not a port number, 1 to 65535" in capsys.readouterr().err
