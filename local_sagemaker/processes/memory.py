"""How much memory processes, and all that they have started, have."""

import os
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_bytes(pids: Iterable[int]) -> int:
    """The resident memory of some processes and of their descendants; what they share counts for each of them.

    0 on a machine whose kernel is not Linux.
    """
    if sys.platform != "linux":
        return 0
    children = defaultdict(list)
    for path in Path("/proc").glob("[0-9]*/stat"):
        # The second field, a name in brackets, may hold anything; the fourth is the parent.
        parent = _read(path).rpartition(")")[2].split()[1:2]
        children[int(parent[0]) if parent else 0].append(int(path.parent.name))
    found, left = set(), list(pids)
    while left:
        pid = left.pop()
        if pid not in found:
            found.add(pid)
            left += children[pid]
    pages = (_read(Path(f"/proc/{pid}/statm")).split()[1:2] for pid in found)
    return sum(int(page) * PAGE for each in pages for page in each)


def machine_bytes() -> int:
    """The memory of this machine."""
    return os.sysconf("SC_PHYS_PAGES") * PAGE


def _read(path: Path) -> str:
    """A file of /proc; nothing where its process has just ended."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
