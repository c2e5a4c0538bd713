"""The studio as a person has it: served on a port, over local SageMaker or over another account."""

import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from studio.account.account import Account, connect
from studio.serve import listen
from studio.web.app import Studio
from studio.web.guard import Gatekeeper
from tests.conftest import LocalServer, free_port
from tests.studio.world import World, make_world

LESSONS = Path(__file__).parents[2] / "lessons"


@dataclass(frozen=True)
class Served:
    """A studio that answers."""

    url: str
    keeper: Gatekeeper
    account: Account


@contextmanager
def served(account: Account, login: str | None = None) -> Iterator[Served]:
    """Serve an account's pages from a thread of this process."""
    listener = listen(0)
    keeper = Gatekeeper(listener.getsockname()[1], login)
    config = uvicorn.Config(
        Studio(account, keeper, LESSONS).application(), log_level="error", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Served(f"http://127.0.0.1:{keeper.port}", keeper, account)
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """Plain moto, as an account that nobody prepared for the studio."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{url}/moto-api/", timeout=1)
            break
        except OSError:
            time.sleep(0.05)
    yield url
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def moto_account(moto_url: str) -> Account:
    """The account of plain moto."""
    return connect(moto_url, None, "us-east-1", False)


@pytest.fixture(scope="session")
def world(server: LocalServer) -> World:
    """Local SageMaker with a pipeline that ran well and badly, a version, and an endpoint that serves it."""
    return make_world(server)


@pytest.fixture(scope="session")
def studio(server: LocalServer, world: World) -> Iterator[Served]:
    """The studio of that world."""
    with served(connect(server.url, None, "us-east-1", False)) as running:
        yield running


class Answering:
    """A client whose operations answer what they are given, or raise it; what was asked is kept."""

    def __init__(self, **answers: Any) -> None:
        self._answers, self.asked = answers, []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def call(**request: Any) -> Any:
            self.asked.append((name, request))
            answer = self._answers[name]
            found = answer(**request) if callable(answer) else answer
            if isinstance(found, Exception):
                raise found
            return found

        return call


class FakeAccount:
    """An account without a network."""

    region, endpoint_url, is_local, may_change = "us-east-1", "http://127.0.0.1:1", True, True

    def __init__(self, **clients: Answering) -> None:
        self._clients = {name.replace("_", "-"): client for name, client in clients.items()}

    def client(self, service: str) -> Any:
        return self._clients[service]

    def arn(self, resource: str) -> str:
        return f"arn:aws:sagemaker:us-east-1:000000000000:{resource}"
