"""Work in several processes: what it gives, and how it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from steps.failure import JobError
from steps.workers import in_parallel, meanwhile

ROOT = Path(__file__).resolve().parents[2]


def test_results_come_in_the_order_of_the_items_from_several_processes(tmp_path: Path) -> None:
    factor, later = np.arange(3), tmp_path / "later"

    def work(item: int) -> tuple[int, int]:
        if item == 1:
            later.touch()
        while item == 0 and not later.exists():  # the first is not the first to be ready
            time.sleep(0.01)
        return int(factor[item % 3]) * item, os.getpid()

    found = list(in_parallel(work, range(7), processes=2))
    assert [result for result, _ in found] == [item % 3 * item for item in range(7)]
    assert len({process for _, process in found}) == 2
    assert os.getpid() not in {process for _, process in found}


@pytest.mark.parametrize(("items", "processes"), [([], 2), ([3], 2), ([3, 4], 1)])
def test_one_item_or_one_core_needs_no_other_process(items: list[int], processes: int) -> None:
    found = in_parallel(lambda item: (item, os.getpid()), items, processes)
    assert list(found) == [(item, os.getpid()) for item in items]


def test_work_goes_on_beside_this_process_until_its_result_is_asked_for() -> None:
    with meanwhile([os.getpid, lambda: time.sleep(0.02), os.getpid], processes=2) as begun:
        found = [result() for result in begun]
    assert found[1] is None
    assert os.getpid() not in found


def test_processes_beside_a_busy_one_let_it_go_first() -> None:
    own = os.nice(0)
    for busy, nice in ((False, own), (True, min(own + 10, 19))):
        with meanwhile([lambda: os.nice(0)] * 2, processes=2, busy=busy) as begun:
            assert [result() for result in begun] == [nice, nice]
    assert os.nice(0) == own


def test_with_one_process_work_is_done_once_when_it_is_asked_for() -> None:
    done = list[int]()
    with meanwhile([lambda: done.append(1), lambda: done.append(2)], processes=1) as (first, _):
        assert done == []
        assert [first(), first()] == [None, None]
    assert done == [1]


def test_what_work_beside_raises_is_raised_where_it_is_asked_for() -> None:
    def failing() -> None:
        raise JobError("late.parquet lacks area.")

    with meanwhile([failing, os.getpid], processes=2) as (first, second):
        assert second() != os.getpid()
        with pytest.raises(JobError, match="lacks area"):
            first()


def test_what_the_work_raises_is_raised() -> None:
    def work(item: int) -> int:
        if item == 2:
            raise JobError("late.parquet lacks area.")
        return item

    found = in_parallel(work, range(10), processes=2)
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(JobError, match="lacks area"):
        next(found)


def test_a_process_that_is_killed_ends_the_work_with_a_sentence() -> None:
    with pytest.raises(JobError, match="A process of this job was killed, mostly because memory ran out"):
        list(in_parallel(lambda _: os.kill(os.getpid(), signal.SIGKILL), range(4), processes=2))
    kill = [lambda: os.kill(os.getpid(), signal.SIGKILL)]
    with pytest.raises(JobError, match="A process of this job was killed"), meanwhile(kill, processes=2) as (killed,):
        killed()


def test_results_that_nobody_takes_wait_in_small_numbers() -> None:
    taken = []

    def items() -> object:
        for item in range(1000):
            taken.append(item)
            yield item

    found = in_parallel(lambda item: item, items(), processes=2)  # type: ignore[arg-type]
    assert next(found) == 0
    assert len(taken) == 3
    found.close()  # type: ignore[attr-defined]


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("send", "ended_by"), [(os.kill, signal.SIGKILL), (os.kill, signal.SIGTERM), (os.killpg, signal.SIGINT)]
)
def test_the_processes_end_with_the_one_that_began_them(
    send: Callable[[int, int], None], ended_by: signal.Signals
) -> None:
    code = (
        "import os, time\nfrom steps.workers import in_parallel\n"
        # One write, even where Python has no buffer.
        "def work(_):\n    os.write(1, b'%d\\n' % os.getpid())\n    time.sleep(60)\n"
        "list(in_parallel(work, range(2), processes=2))"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        others = [int(process.stdout.readline()) for _ in range(2)]
        send(process.pid, ended_by)
        assert process.wait(10) == -ended_by
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{other}").exists() for other in others) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(Path(f"/proc/{other}").exists() for other in others)


@pytest.mark.e2e
def test_each_of_the_processes_has_its_share_of_the_memory() -> None:
    code = """
import resource
resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30))
from steps.workers import in_parallel
def work(size):
    bytearray(size)
    return size
print(list(in_parallel(work, [300 << 20] * 2, processes=2)))
try:
    list(in_parallel(work, [700 << 20] * 2, processes=2))
except MemoryError:
    print("too much")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str([300 << 20] * 2), "too much"]


def test_what_was_freed_before_the_fork_is_given_back() -> None:
    code = """
import os
import numpy as np
from steps.workers import meanwhile
kept = [np.ones(1 << 12) for _ in range(6000)]  # pieces of 32 kB, of which the last one stays
del kept[:-1]
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
before = resident()
with meanwhile([lambda: None], processes=2):
    print(before - resident() > 100)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_what_was_freed_has_room_for_forks() -> None:
    code = """
import os, resource
import numpy as np
from steps.workers import cores
kept = [np.ones(1 << 12) for _ in range(12800)]  # 400 MB in pieces, of which the last one stays
del kept[:-1]
resource.setrlimit(resource.RLIMIT_DATA, (500 << 20, resource.RLIM_INFINITY))
print(cores() == len(os.sched_getaffinity(0)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_where_memory_has_no_room_for_forks_there_are_none() -> None:
    code = """
import os, resource, sys
from steps.workers import cores
kept = b"x" * (400 << 20)
free = cores()
resource.setrlimit(resource.RLIMIT_DATA, (500 << 20, resource.RLIM_INFINITY))
print(free == len(os.sched_getaffinity(0)), cores())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "1"]
