"""What the machine of a job has, and what it means when that is used up; imports the standard library only."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

USABLE = 0.95  # of the memory: the kernel kills a process that has all of it, and says nothing
# Where Linux says what a container may have, by version 2 and 1 of control groups.
CONTAINER_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def limit_memory() -> None:
    """Let an allocation fail that would need more memory than there is, on Linux, so that the job can say so."""
    if sys.platform != "linux":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = int(memory() * USABLE)
    if soft == resource.RLIM_INFINITY or soft > wanted:
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


def share_memory(processes: int) -> None:
    """Let this process, one of so many forks, have as much of the memory that is left as each of the others."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if soft != resource.RLIM_INFINITY:
        used = _status("VmData")
        resource.setrlimit(resource.RLIMIT_DATA, (used + max(0, soft - used) // processes, hard))


def room_for_forks() -> int:
    """How many forks of this process the memory has room for, each of which copies a quarter of what it shares.

    What this process has freed is given back first: else it counts as used.
    """
    import resource

    give_back_memory()
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    limit, used = memory() if soft == resource.RLIM_INFINITY else soft, _status("VmRSS")
    return (limit - used) * 4 // used


def _status(name: str) -> int:
    """Bytes of this process, as Linux counts them."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))


def give_back_memory() -> None:
    """Let the system have the memory that this process has freed: a fork shares it, and a page used again is copied."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc, which keeps it otherwise
    if trim is not None:
        trim(0)


def memory() -> int:
    """The bytes of memory of this machine, or of its container."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in CONTAINER_LIMITS:
        try:
            found.append(int(path.read_text(encoding="ascii")))
        except (OSError, ValueError):  # not this version, or no limit
            continue
    return min(found)


def used_up(error: BaseException) -> str | None:
    """What an error means, in one sentence, where memory or disk are used up; None for all others."""
    # As Python says it, C++ libraries, and Python again where a thread's stack has no room.
    if isinstance(error, MemoryError) or any(text in str(error) for text in ("bad_alloc", "can't start new thread")):
        return (
            f"The job needs more memory than this machine has, {memory() / 1e9:.1f} GB: take a larger instance type "
            "(jobs.processing or jobs.training in the YAML), or give fewer rows; `plan --data` says what they need."
        )
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or os.strerror(errno.ENOSPC) in str(error):  # as libraries pass it on
        named = getattr(error, "filename", None)
        place = f" ({named})" if named else ""
        return (
            f"The disk is full{place}: raise volume_gb (jobs.processing or jobs.training in the YAML), or give fewer "
            "rows; `plan --data` says what they need."
        )
    return None
