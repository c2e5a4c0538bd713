"""Processes of a job that work on pieces of its data at once, one on each core; the standard library's pool."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from itertools import chain, islice
from typing import Any, TypeVar

from steps.failure import JobError
from steps.machine import give_back_memory, room_for_forks, share_memory

Item = TypeVar("Item")
Result = TypeVar("Result")
LATER = 10  # in the unit of nice(2): a tenth of the time that another process gets on the same core
PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>
_work: Callable[[Any], Any]  # of this process, where it is one of the pool


def cores() -> int:
    """How many cores this process and its forks may use; one where memory has no room for a fork.

    One also where a fork is not safe, which is everywhere but on Linux.
    """
    if sys.platform != "linux":
        return 1
    return max(1, min(len(os.sched_getaffinity(0)), room_for_forks()))


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
    with _pool(work, count) as pool:
        waiting = deque[Future[Result]]()
        for item in chain(first, rest):
            waiting.append(pool.submit(_do, item))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def meanwhile(
    work: Sequence[Callable[[], Any]], processes: int | None = None, busy: bool = False
) -> Iterator[list[Callable[[], Any]]]:
    """Begin some pieces of work in forks, while this process goes on; for each, what waits for its result.

    They begin in their order, and what holds of the forks of `in_parallel` holds of these. Where this process is `busy`
    they let it go first, if there is no core for each. With one process a piece is done here when its result is asked
    for. The end of the block waits for what has begun, and the rest never begins.
    """
    count = processes or cores()
    if count == 1 or not work:
        yield [cache(piece) for piece in work]
        return
    with _pool(lambda number: work[number](), min(count, len(work)), LATER if busy else 0) as pool:
        yield [pool.submit(_do, number).result for number in range(len(work))]


@contextmanager
def _pool(work: Callable[[Any], Any], count: int, later: int = 0) -> Iterator[ProcessPoolExecutor]:
    """So many forks that do `work`, with a niceness that is higher by `later`; JobError where one of them is killed."""
    give_back_memory()
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(count, context, _begin, (work, os.getpid(), count, later)) as pool:
        try:
            yield pool
        except BrokenProcessPool as error:
            raise JobError(
                "A process of this job was killed, mostly because memory ran out: take a larger instance type "
                "(jobs.processing in the YAML), or give fewer rows; `plan --data` says what they need."
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _begin(work: Callable[[Any], Any], parent: int, count: int, later: int) -> None:
    """In a process of the pool: it ends with its parent, however that ends, and has a share of the memory left."""
    global _work
    _work = work
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    signal.signal(
        signal.SIGINT, signal.SIG_DFL
    )  # Ctrl-C ends it at once, and the parent, which it reaches, too, says so
    share_memory(count)
    os.nice(later)


def _do(item: Any) -> Any:
    return _work(item)
