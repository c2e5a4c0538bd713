"""What a client gets where no model serves the endpoint that it asks."""

import threading
import time
from typing import Any, cast

import pytest

from local_sagemaker.hosting.endpoint_host import EndpointHost
from local_sagemaker.http import invocations
from local_sagemaker.state.records import Records


class Host:
    """An endpoint host that begins to serve after a number of looks."""

    closed = False

    def __init__(self, looks: float) -> None:
        self.looks = looks

    def serves(self, _: str) -> bool:
        self.looks -= 1
        return self.looks < 0


class Kept:
    """The records of one endpoint."""

    def __init__(self, status: str | None) -> None:
        self.status = status

    def get(self, *_: str) -> dict[str, Any] | None:
        return self.status and {"EndpointStatus": self.status}  # type: ignore[return-value]


def waited(host: Host, status: str | None) -> None:
    invocations._wait_for_its_return("houses", cast(EndpointHost, host), cast(Records, Kept(status)))


def test_what_served_before_the_server_was_killed_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invocations, "POLL_SECONDS", 0)
    for status in ("Updating", "InService"):
        host = Host(3)
        waited(host, status)
        assert host.looks == -1


@pytest.mark.parametrize("status", ["Creating", "Failed", "Deleting", None])
def test_what_never_served_is_not_waited_for(status: str | None) -> None:
    host = Host(3)
    waited(host, status)
    assert host.looks == 2


def test_nobody_waits_longer_than_for_an_answer_or_for_a_server_that_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invocations, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(invocations, "INVOCATION_TIMEOUT_SECONDS", 0.05)
    start = time.monotonic()
    waited(Host(float("inf")), "Updating")
    assert time.monotonic() - start >= 0.05
    monkeypatch.setattr(invocations, "INVOCATION_TIMEOUT_SECONDS", 60.0)
    host = Host(float("inf"))
    waiting = threading.Thread(target=waited, args=(host, "Updating"))
    waiting.start()
    host.closed = True
    waiting.join(10)
    assert not waiting.is_alive()
