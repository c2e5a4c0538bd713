"""Locks on real S3 semantics: local SageMaker's S3 keeps the conditions of writes."""

import json
import os
import socket
import subprocess
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from command_line.lock import Lock, held, holder
from pipelines.errors import PipelineError
from tests.conftest import BUCKET


@pytest.fixture
def lock(request: pytest.FixtureRequest) -> Lock:
    return Lock(BUCKET, "houses", request.node.name, lease_seconds=60, wait_seconds=0.05, poll_seconds=0.01)


@pytest.fixture
def s3(server: Any) -> Any:
    return server.client("s3")


def test_a_second_one_waits_until_the_first_is_done(server: Any, s3: Any, lock: Lock) -> None:
    order: list[str] = []
    patient = replace(lock, wait_seconds=20.0)

    def second() -> None:
        with held(server.client("s3"), patient, order.append):
            order.append("second")

    with held(s3, lock, order.append):
        thread = threading.Thread(target=second)
        thread.start()
        while not order:
            time.sleep(0.01)
        order.append("first is done")
    thread.join()
    assert order[0].startswith(f"Waiting: {lock.name} is locked by process ")
    assert order[1:] == ["first is done", "second"]


def test_one_that_waits_for_too_long_says_who_holds_it_and_where_it_lies(s3: Any, lock: Lock) -> None:
    with held(s3, lock, print), pytest.raises(PipelineError) as caught, held(s3, lock, print):
        pass
    assert f"{lock.name} is still locked by process " in str(caught.value)
    assert f"s3://{BUCKET}/houses/locks/{lock.name}.json" in str(caught.value)


def test_a_failure_lets_go_of_it(s3: Any, lock: Lock) -> None:
    with pytest.raises(ZeroDivisionError), held(s3, lock, print):
        _ = 1 / 0
    with held(s3, lock, print):
        pass


def test_one_whose_holder_has_died_ends_by_itself(s3: Any, lock: Lock) -> None:
    dead = replace(lock, lease_seconds=0.0)
    holding = held(s3, dead, print)
    holding.__enter__()
    with held(s3, lock, print), pytest.raises(PipelineError), held(s3, lock, print):
        holding.__exit__(None, None, None)  # it comes back from the dead, and does not release what is another's


def test_of_many_at_once_one_holds_it(server: Any, lock: Lock) -> None:
    inside, most = [0], [0]
    patient = replace(lock, wait_seconds=30.0)

    def enter() -> None:
        with held(server.client("s3"), patient, lambda _: None):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.02)
            inside[0] -= 1

    threads = [threading.Thread(target=enter) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_a_holder_that_lives_renews_it_beyond_its_lease(s3: Any, lock: Lock) -> None:
    short = replace(lock, lease_seconds=1.2)
    with held(s3, short, print):
        time.sleep(1.6)
        assert holder(s3, short) is not None
        with pytest.raises(PipelineError), held(s3, short, print):
            pass
    assert holder(s3, short) is None


def test_that_of_a_process_of_this_machine_that_has_died_is_free_at_once(s3: Any, lock: Lock) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    until = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()

    def held_by(process: int, host: str) -> None:
        document = {"holder": "somebody", "until": until, "host": host, "process": process}
        s3.put_object(Bucket=BUCKET, Key=lock.key, Body=json.dumps(document).encode())

    held_by(ended.pid, "another-machine")
    assert holder(s3, lock) == "somebody"
    held_by(os.getpid(), socket.gethostname())
    assert holder(s3, lock) == "somebody"
    held_by(ended.pid, socket.gethostname())
    assert holder(s3, lock) is None
    with held(s3, lock, print):
        pass


def test_who_waits_is_called_meanwhile(server: Any, s3: Any, lock: Lock) -> None:
    looks: list[int] = []
    watching = replace(lock, wait_seconds=2.0, meanwhile=lambda: looks.append(1))
    with held(s3, lock, print), pytest.raises(PipelineError), held(server.client("s3"), watching, print):
        pass
    assert len(looks) >= 2
