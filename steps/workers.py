"""Processes of a job that work on pieces of its data at once, one on each core; the standard library's pool."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from steps.failure import JobError
from steps.machine import give_back_memory, share_memory

Item = TypeVar("Item")
Result = TypeVar("Result")
PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>
KILLED = (
    "A process of this job was killed, mostly because memory ran out: take a larger instance type "
    "(jobs.processing in the YAML), or give fewer rows; `plan --data` says what they need."
)
_work: Callable[[Any], Any]  # of this process, where it is one of the pool


def cores() -> int:
    """How many cores this process may use; one where a fork is not safe, which is everywhere but on Linux."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


def in_parallel(
    work: Callable[[Item], Result], items: Iterable[Item], processes: int | None = None
) -> Iterator[Result]:
    """What `work` gives for each of the items, in their order, from so many processes: as many as there are cores.

    The processes are forks of this one, made with the first item: `work` may be a closure and sees what is in memory
    now, without copying it; items and results are pickled. Where one process would do, everything is done in this one.
    A few results wait at most, however slowly they are taken. What `work` raises is raised here; JobError where a
    process is killed. A fork must not use OpenMP (XGBoost, scikit-learn's trees) where this process has used it.
    """
    rest, count = iter(items), processes or cores()
    first = list(islice(rest, 2))
    if len(first) < 2 or count == 1:
        yield from map(work, chain(first, rest))
        return
    give_back_memory()
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(count, context, _begin, (work, os.getpid(), count)) as pool:
        waiting = deque[Future[Result]]()
        try:
            for item in chain(first, rest):
                waiting.append(pool.submit(_do, item))
                if len(waiting) > count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise JobError(KILLED) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def beside(work: Callable[[], None]) -> Iterator[None]:
    """Let another process, a fork of this one, do `work` while this one does the block; on one core it is done first.

    What `work` raises is raised at the end of the block, rather than what the block raises; JobError where the process
    is killed.
    """
    if cores() == 1:
        work()
        yield
        return
    give_back_memory()
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_report, args=(work, os.getpid(), there))
    process.start()
    there.close()
    try:
        yield
    except Exception:
        _await(process, here)
        raise
    except BaseException:  # Ctrl-C: nobody waits for what is not done
        process.kill()
        raise
    _await(process, here)


def _await(process: BaseProcess, here: Connection) -> None:
    """Wait for the process beside this one. Raises what it has raised."""
    try:
        error = here.recv()
    except EOFError:
        error = JobError(KILLED)
    process.join()
    if error is not None:
        raise error


def _report(work: Callable[[], None], parent: int, there: Connection) -> None:
    """In a process beside another: do the work, and tell how it ended."""
    _begin(lambda _: None, parent, 2)
    try:
        work()
    except Exception as error:  # for the process that waits to raise
        there.send(error)
    else:
        there.send(None)


def _begin(work: Callable[[Any], Any], parent: int, count: int) -> None:
    """In a process of the pool: it ends with its parent, however that ends, and has a share of the memory left."""
    global _work
    _work = work
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, too
    share_memory(count)


def _do(item: Any) -> Any:
    return _work(item)
