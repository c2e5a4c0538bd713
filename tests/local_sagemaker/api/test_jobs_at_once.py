"""Jobs that are created, stopped and counted by many threads in the same instant."""

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.processes.outcome import Outcome
from local_sagemaker.state.database import Database
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.work.jobs import Jobs
from local_sagemaker.work.tags import Tags

CALLER = Caller("000000000000", "us-east-1")
QUOTA = 3


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    records = Records(Database(tmp_path / "state.db"))
    return Jobs(records, {}, Tags(records), 1, QUOTA)


def until_stopped(_: Any, stop: threading.Event, *_rest: Any) -> Outcome:
    stop.wait(30)
    return Outcome("Stopped")


def together(count: int, work: Callable[[int], None]) -> None:
    barrier = threading.Barrier(count)
    threads = [threading.Thread(target=lambda number=number: (barrier.wait(), work(number))) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_the_quota_holds_however_many_ask_at_once(jobs: Jobs) -> None:
    codes: list[str] = []

    def create(number: int) -> None:
        try:
            jobs.create("Transform", {"TransformJobName": f"job-{number}"}, CALLER, until_stopped)
        except ServiceError as error:
            codes.append(error.code)

    together(30, create)
    assert codes == ["ResourceLimitExceeded"] * (30 - QUOTA)
    assert len(jobs.running()) == QUOTA
    for kind, name in jobs.running():
        jobs.stop(kind, name)
        assert jobs.wait(kind, name)["TransformJobStatus"] == "Stopped"


@pytest.fixture
def many_switches() -> Iterator[None]:
    """Threads that give way to each other all the time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.e2e
@pytest.mark.usefixtures("many_switches")
def test_a_job_that_is_found_can_be_stopped(jobs: Jobs) -> None:
    for number in range(100):
        name, faults = f"job-{number}", list[str]()

        def act(actor: int, name: str = name, faults: list[str] = faults) -> None:
            if actor == 0:
                jobs.create("Transform", {"TransformJobName": name}, CALLER, until_stopped)
                return
            while True:
                try:
                    jobs.stop("Transform", name)
                    return
                except ServiceError as error:
                    if error.code != "ResourceNotFound":
                        faults.append(error.message)
                        return

        together(2, act)
        assert faults == []
        assert jobs.wait("Transform", name)["TransformJobStatus"] == "Stopped"
