"""A real local SageMaker for the tests that need one: its own port, its own state, real clients."""

import gc
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import hypothesis
import pytest
from botocore.config import Config

from local_sagemaker.client import lifecycle
from local_sagemaker.client.lifecycle import Server

REGION = "us-east-1"
os.environ["AWS_DEFAULT_REGION"] = REGION  # for test modules that import the SDK, which needs it then
# `make test &` in a script ignores Ctrl-C, and so would all that the tests start and press it for.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["GOMP_SPINCOUNT"] = "3000"  # threads that wait leave the core to the other worker's tests, as in the jobs
BUCKET = "test-bucket"
# Options of a run where any model will do: few rounds, and gates that let it pass.
QUICK = ("-p", "Rounds=60", "-p", "MaxRmseRatio=9", "-p", "MinR2=-9", "-p", "MaxMape=9", "-p", "MaxSegmentMape=9",
         "-p", "MaxCoverageGap=0.99", "-p", "MaxBaselineRatio=9", "-p", "MaxUndercovered=99",
         "-p", "MinImprovement=-0.99")  # fmt: skip


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kill(pid: int) -> None:
    """kill -9 a server that this process started, and wait for its end."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that has a server process is of the slower layer, without saying so itself."""
    for item in items:
        if {"server", "new_server"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.e2e)


def pytest_collection_finish() -> None:
    """What was imported lives until the end: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


def examples(full: int) -> int:
    """How many generated cases a test tries: all of them in `make soak`, else a sample."""
    return full if os.environ.get("SOAK") else full // 5


hypothesis.settings.register_profile("sample", max_examples=examples(100), deadline=None)
hypothesis.settings.load_profile("sample")


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees AWS settings, or a server, of the person who runs it."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "SAGEMAKER_")):
            monkeypatch.delenv(name)


class LocalServer:
    """A server process with a state folder of its own, that can be stopped, killed and started again."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.port = free_port()
        self.environment = {
            "SAGEMAKER_LOCAL_PORT": str(self.port),
            "SAGEMAKER_LOCAL_STATE": str(state),
            **lifecycle.client_environment(self.port),
        }

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> Server:
        """Start it, if it does not run."""
        before = {name: os.environ.get(name) for name in self.environment}
        os.environ.update(self.environment)
        try:
            return lifecycle.up(self.state)
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name)
                else:
                    os.environ[name] = value

    def down(self) -> None:
        """Stop it, if it runs."""
        lifecycle.down(self.port)

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of this server; it does not retry, so that each fault is seen."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}, **options),
        )


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Callable[[], LocalServer]]:
    """Makes servers that one test may stop and kill as it likes."""
    servers: list[LocalServer] = []

    def make() -> LocalServer:
        servers.append(LocalServer(tmp_path / f"state-{len(servers)}"))
        return servers[-1]

    yield make
    for server in servers:
        server.down()


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[LocalServer]:
    """A server with a bucket, and with more variables in its environment, until its tests have ended."""
    server = LocalServer(folder)
    server.environment.update(environment)
    server.up()
    try:
        server.client("s3").create_bucket(Bucket=BUCKET)
        yield server
    finally:
        server.down()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """One server for all tests that only add to it; it has a bucket."""
    with running(tmp_path_factory.mktemp("local-sagemaker")) as shared:
        yield shared


@pytest.fixture(scope="session")
def sagemaker(server: LocalServer) -> Any:
    """A SageMaker client of the shared server."""
    return server.client("sagemaker")


@pytest.fixture(scope="session")
def s3(server: LocalServer) -> Any:
    """An S3 client of the shared server."""
    return server.client("s3")
