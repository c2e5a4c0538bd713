"""Starting and stopping the local SageMaker of a project, from the client's side.

Imports only the standard library: every command line tool calls it before anything else.
"""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from local_sagemaker.client import sdk_defaults, sdk_redirection
from local_sagemaker.client.running import Server as Server
from local_sagemaker.client.running import find as find
from local_sagemaker.client.running import foreign, health
from local_sagemaker.client.running import what_keeps_it as what_keeps_it
from local_sagemaker.configuration import (
    PORT,
    configured_enforcement,
    configured_handlers,
    configured_port,
    configured_region,
    configured_state,
    configured_time_scale,
    free_port,
    kept_port,
)
from local_sagemaker.errors import LocalSageMakerError, is_disk_full
from local_sagemaker.wire.identity import ADMINISTRATOR_KEY, identity_of_key, role_key, session_name

START_SECONDS = 60
STOP_SECONDS = 60
LOG_BYTES = 10 << 20  # of server.log, beyond which a start begins another and keeps this one as server.log.1
ROOM = 1 << 20  # bytes that a start needs: tables and logs


def use_local(state: Path, announce: Callable[[str], None] | None = None, handlers: Path | None = None) -> Server:
    """Start the server where none runs, and point this process (boto3, the SDK) at it and at nothing else.

    `handlers` are those of a server that is started now, unless SAGEMAKER_LOCAL_HANDLERS names others.
    """
    server = up(state, announce, handlers)
    os.environ.update(client_environment(server.port))
    os.environ[sdk_defaults.VARIABLE] = str(sdk_defaults.write(server.state, os.environ["AWS_REGION"]))
    sdk_redirection.redirect()
    for name in [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL_")]:
        del os.environ[name]
    for name in (
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_SESSION_TOKEN",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    ):
        os.environ.pop(name, None)
    return server


def client_environment(port: int) -> dict[str, str]:
    """The environment of a client: the endpoint, credentials that open nothing, no configuration of the user's."""
    region = configured_region()
    no_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY", ""), "127.0.0.1", "localhost"]))
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": _access_key(),
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }


def _access_key() -> str:
    """The administrator's, or that of the role of SAGEMAKER_LOCAL_ROLE in a session of AWS_ROLE_SESSION_NAME."""
    role = os.environ.get("SAGEMAKER_LOCAL_ROLE")
    if not role:
        return ADMINISTRATOR_KEY
    key = role_key(role, os.environ.get("AWS_ROLE_SESSION_NAME") or session_name())
    if identity_of_key(key) is None:
        raise LocalSageMakerError(f"SAGEMAKER_LOCAL_ROLE is {role!r}: set it to the name of a role, or its ARN.")
    return key


def up(state: Path, announce: Callable[[str], None] | None = None, handlers: Path | None = None) -> Server:
    """The server of this state folder: the one that runs, or a new one in the background, with these handlers.

    LocalSageMakerError where the port is another program's or another project's, where the server does not
    answer, and where the folder cannot be written.
    """
    state = configured_state(state)
    try:
        return _up(state, announce, handlers)
    except OSError as error:
        place = error.filename or state
        text = f"{place} cannot be used ({error.strerror or error}): move it away, or fix its permissions."
        raise LocalSageMakerError(text) from None


def _up(state: Path, announce: Callable[[str], None] | None, default: Path | None) -> Server:
    server = _found_or_started(state, configured_port(state), announce, default)
    if server.state != state and "SAGEMAKER_LOCAL_PORT" not in os.environ:
        server = _found_or_started(state, _port_of_its_own(state, server, announce), announce, default)
    if server.state != state:
        raise LocalSageMakerError(
            f"Port {server.port} serves the local SageMaker of {server.state}: stop it with `local down` in its own "
            "project, or set SAGEMAKER_LOCAL_PORT to another port."
        )
    handlers = configured_handlers()
    if handlers is not None and server.handlers != handlers:
        raise LocalSageMakerError(
            f"The local SageMaker on port {server.port} runs with {server.handlers or 'no handlers'} instead of "
            f"{handlers}: stop it with `local down` first."
        )
    if configured_enforcement() and not server.enforces:
        raise LocalSageMakerError(
            f"The local SageMaker on port {server.port} runs without --enforce-iam: stop it with `local down` first."
        )
    if "SAGEMAKER_LOCAL_TIME_SCALE" in os.environ and server.time_scale != configured_time_scale():
        raise LocalSageMakerError(
            f"The local SageMaker on port {server.port} runs with the time scale {server.time_scale:g} instead of "
            f"{configured_time_scale():g}: stop it with `local down` first."
        )
    return server


def _found_or_started(state: Path, port: int, announce: Callable[[str], None] | None, handlers: Path | None) -> Server:
    """The server of a port, which may be another project's, or a new one of this state folder."""
    server = find(port, state)
    if server is not None and not server.has_lost(state):
        return server
    _prepare(state)
    with _alone(state):
        server = find(port, state)
        if server is not None and server.has_lost(state):
            if announce:
                announce(f"The state folder {state} was removed while local SageMaker ran: it is started again.")
            down(port, state)
            server = None
        if server is None:
            if announce:
                announce(f"Starting local SageMaker on port {port}, state in {state} ...")
            server = _start(state, port, configured_handlers() or handlers)
            if announce and server.warning and server.state == state:
                announce(server.warning)
    return server


def down(port: int, state: Path | None = None, force: bool = False) -> Server | None:
    """Stop the server of a port and wait for its end; None where none ran.

    LocalSageMakerError where its state is in another folder than `state`, unless `force` is given.
    """
    server = find(port, state)
    if server is None:
        return None
    if state is not None and server.state != state and not force:
        raise LocalSageMakerError(
            f"Port {port} serves the local SageMaker of {server.state}, not of {state}: stop it from its own project, "
            "or add --force."
        )
    os.kill(server.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _alive(server.pid):
        if time.monotonic() > deadline:
            raise LocalSageMakerError(
                f"Local SageMaker (process {server.pid}) did not stop in {STOP_SECONDS} s: "
                f"end it with `kill -9 {server.pid}`; its state survives that."
            )
        time.sleep(0.05)
    return server


def _port_of_its_own(state: Path, other: Server, announce: Callable[[str], None] | None) -> int:
    """A free port for a state folder whose port another project's server has; kept in the folder."""
    _prepare(state)
    with _alone(state):
        port = kept_port(state)
        if port is None or port == other.port:
            port = free_port()
            (state / PORT).write_text(f"{port}\n", encoding="ascii")
    if announce:
        announce(
            f"Port {other.port} serves the local SageMaker of {other.state}: this one has port {port}, also later "
            f"(kept in {state / PORT}; SAGEMAKER_LOCAL_PORT sets another)."
        )
    return port


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """One `up` of a state folder at a time: the second waits, and finds what the first has started."""
    with (state / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prepare(state: Path) -> None:
    try:
        state.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=state, buffering=0) as room:
            room.write(bytes(ROOM))
    except OSError as error:
        if is_disk_full(error):
            raise LocalSageMakerError(
                f"The disk of the state folder {state} is full: make room, or choose another folder with "
                "SAGEMAKER_LOCAL_STATE."
            ) from None
        raise LocalSageMakerError(
            f"The state folder {state} cannot be written ({error.strerror}): fix its permissions, "
            "or choose another folder with SAGEMAKER_LOCAL_STATE."
        ) from None


def _start(state: Path, port: int, handlers: Path | None) -> Server:
    package = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "local_sagemaker", "serve", "--state", str(state), "--port", str(port)]
    log_path = state / "server.log"
    if log_path.exists() and log_path.stat().st_size > LOG_BYTES:
        log_path.replace(state / "server.log.1")
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=package.parent,
            env={**os.environ, "AWS_EC2_METADATA_DISABLED": "true", **_handlers(handlers)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return _await_health(port, process, log_path)


def _handlers(handlers: Path | None) -> dict[str, str]:
    return {"SAGEMAKER_LOCAL_HANDLERS": str(handlers)} if handlers else {}


def _await_health(port: int, process: subprocess.Popen[bytes], log: Path) -> Server:
    """The server on the port once it answers: the new one, or one that another project has started meanwhile."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            return health(port)
        except ConnectionRefusedError:
            if process.poll() is not None:
                break
        except (HTTPException, OSError):
            pass  # it listens, and is not ready
        except (ValueError, KeyError, TypeError):
            raise foreign(port) from None
        time.sleep(0.02)
    lines = log.read_text(errors="replace").strip().splitlines()
    reason = lines[-1] if lines else "it did not answer"
    raise LocalSageMakerError(f"Local SageMaker did not start on port {port}: {reason} (log: {log}).")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """A child that has ended but was not waited for, where the server was started by this very process."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False
