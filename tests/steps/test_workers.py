"""Work in several processes: what it gives, and how it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from steps.failure import JobError
from steps.workers import beside, in_parallel

ROOT = Path(__file__).resolve().parents[2]


def test_results_come_in_the_order_of_the_items_from_several_processes() -> None:
    factor = np.arange(3)

    def work(item: int) -> tuple[int, int]:
        time.sleep(0.02 * (item == 0))  # the first is the last to be ready
        return int(factor[item % 3]) * item, os.getpid()

    found = list(in_parallel(work, range(7), processes=2))
    assert [result for result, _ in found] == [item % 3 * item for item in range(7)]
    assert len({process for _, process in found}) == 2
    assert os.getpid() not in {process for _, process in found}


@pytest.mark.parametrize(("items", "processes"), [([], 2), ([3], 2), ([3, 4], 1)])
def test_one_item_or_one_core_needs_no_other_process(items: list[int], processes: int) -> None:
    found = in_parallel(lambda item: (item, os.getpid()), items, processes)
    assert list(found) == [(item, os.getpid()) for item in items]


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


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGTERM])
def test_the_processes_end_with_the_one_that_began_them(ended_by: signal.Signals) -> None:
    code = (
        "import os, time\nfrom steps.workers import in_parallel\n"
        "list(in_parallel(lambda item: (print(os.getpid(), flush=True), time.sleep(60)), range(2), processes=2))"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        others = [int(process.stdout.readline()) for _ in range(2)]
        process.send_signal(ended_by)
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{other}").exists() for other in others) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(Path(f"/proc/{other}").exists() for other in others)


def test_work_beside_is_done_at_the_end_of_the_block_in_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work() -> None:
        while not (tmp_path / "in the block").exists():  # it would never end if the block came after it
            time.sleep(0.005)
        (tmp_path / "process").write_text(str(os.getpid()))

    monkeypatch.setattr("steps.workers.cores", lambda: 2)
    with beside(work):
        (tmp_path / "in the block").touch()
    assert int((tmp_path / "process").read_text()) != os.getpid()


def test_what_is_raised_beside_comes_before_what_the_block_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        raise JobError("the test rows do not tell the truth")

    monkeypatch.setattr("steps.workers.cores", lambda: 2)
    with pytest.raises(JobError, match="do not tell the truth"), beside(work):
        pass
    with pytest.raises(JobError, match="do not tell the truth"), beside(work):
        raise JobError("there is nothing to learn")
    with pytest.raises(JobError, match="nothing to learn"), beside(lambda: None):
        raise JobError("there is nothing to learn")


def test_a_process_beside_that_is_killed_is_told_and_ctrl_c_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steps.workers.cores", lambda: 2)
    with pytest.raises(JobError, match="was killed"), beside(lambda: os.kill(os.getpid(), signal.SIGKILL)):
        pass
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), beside(lambda: time.sleep(60)):
        raise KeyboardInterrupt
    assert time.monotonic() - began < 10


def test_on_one_core_the_work_is_done_before_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    monkeypatch.setattr("steps.workers.cores", lambda: 1)
    with beside(lambda: done.append(os.getpid())):
        assert done == [os.getpid()]


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
from steps.workers import beside
os.sched_setaffinity(0, range(os.cpu_count()))
kept = [np.ones(1 << 12) for _ in range(6000)]  # pieces of 32 kB, of which the last one stays
del kept[:-1]
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
before = resident()
with beside(lambda: None):
    print(before - resident() > 100 or os.cpu_count() == 1)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
