"""Several workers of one model server, as the images have them: processes forked from the one that loaded the model."""

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import NoReturn

from local_sagemaker.toolkits.dispatchers import CannotStart

WORKERS = "SAGEMAKER_MODEL_SERVER_WORKERS"  # of sagemaker-containers and sagemaker-inference
THREADS = "OMP_NUM_THREADS"
MOST = 64
PR_SET_PDEATHSIG = 1  # linux/prctl.h
TASKS = Path("/proc/self/task")
SAFE = "jemalloc_bg_thd"  # pyarrow's; jemalloc sees to it that a fork does no harm


def wanted(environment: MutableMapping[str, str]) -> int:
    """How many workers a container asks for; one where it does not say. CannotStart for what is no such number.

    With several, each has one thread where nothing else is said, as in the XGBoost image.
    """
    said = environment.get(WORKERS, "1").strip()
    if not said.isdecimal() or not 1 <= int(said) <= MOST:
        raise CannotStart(f"{WORKERS} is {said!r}: set it to a whole number from 1 to {MOST}, or leave it out.")
    if int(said) > 1:
        environment.setdefault(THREADS, "1")
    return int(said)


def run(count: int, work: Callable[[], None]) -> None:
    """Do the work in that many processes, which share what was loaded; one that ends is forked again.

    A process with threads cannot be forked safely: then this one works alone, and says so.
    """
    reason = _unsafe() if count > 1 else ""
    if count > 1 and not reason:
        _supervise(count, work)
    if reason:
        print(f"One worker serves instead of {count}: {reason}.", file=sys.stderr, flush=True)
    work()


def _unsafe() -> str:
    """Why this process is not to be forked; threads of libraries are seen too."""
    if not TASKS.is_dir():
        return "only on Linux can be seen whether it is safe to fork the process"
    threads = [(task / "comm").read_text().strip() for task in TASKS.iterdir()]
    others = len(threads) - 1 - threads.count(SAFE)
    return (
        f"the process has {others} more {'thread' if others == 1 else 'threads'} once the model is loaded"
        if others
        else ""
    )


def _supervise(count: int, work: Callable[[], None]) -> NoReturn:
    gc.collect()
    gc.freeze()  # else the first collection of a worker copies the pages that all share
    for _ in range(count):
        _fork(work)
    while True:
        _, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        print(f"A worker of the model ended with {how} and is started again.", file=sys.stderr, flush=True)
        _fork(work)


def _fork(work: Callable[[], None]) -> None:
    sys.stdout.flush()
    parent = os.getpid()
    if os.fork() == 0:
        try:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() == parent:  # else it died before the line above
                work()
        finally:
            os._exit(1)  # what this process has from the other is not to be cleaned up twice
