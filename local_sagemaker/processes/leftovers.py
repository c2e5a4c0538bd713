"""Processes that outlived a killed server: a record of each one that runs, and their end at the next start."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from local_sagemaker.files import write_whole

# In the environment of a process and, by inheritance, of all that it starts: a secret of that process
# alone. So a recycled pid is never taken for it, and a child in another session is still found.
MARKER = "SAGEMAKER_LOCAL_PROCESS"
RECORD = "process.json"  # beside the /opt/ml of the process, where it does not see it


class Record:
    """The file that names one running process: its marker and, once known, its pid and start time."""

    def __init__(self, path: Path, token: str) -> None:
        self._path = path
        self._token = token

    def write(self, pid: int | None = None, started: str | None = None) -> None:
        """Write the record, whole or not at all."""
        write_whole(self._path, json.dumps({"token": self._token, "pid": pid, "started": started}))

    def end(self) -> None:
        """The process has ended with all that it started: forget it."""
        self._path.unlink(missing_ok=True)

    def kill(self) -> None:
        """End whatever still lives of the process, its supervisor having failed to do so."""
        if self._path.exists():
            kill_recorded(self._path)


def kill_leftovers(folder: Path, hosts: str) -> list[Path]:
    """After a kill -9 of the server: kill what still runs of the hosts below a folder; returns those that ran.

    `hosts` is the pattern of their folders, such as `*/algo-*`.
    """
    records = list(folder.glob(f"{hosts}/{RECORD}"))
    for record in records:
        kill_recorded(record)
    return [record.parent for record in records]


def kill_recorded(record: Path) -> None:
    """Kill what a record names, if it still lives, and delete the record."""
    named = json.loads(record.read_text("utf-8"))
    if sys.platform == "linux":
        _kill_marked(named["token"])
    elif named["pid"] is not None and start_time(named["pid"]) == named["started"]:
        os.killpg(named["pid"], signal.SIGKILL)
    record.unlink()


def start_time(pid: int) -> str | None:
    """When a process started, in a form to compare; None where there is no such process."""
    if sys.platform == "linux":
        try:
            # Field 22 of /proc/pid/stat; the second field, a name in brackets, may hold anything.
            return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
        except (FileNotFoundError, ProcessLookupError):
            return None
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def _kill_marked(token: str) -> None:
    mark = f"{MARKER}={token}".encode()
    found = True
    while found:  # again, until none is left: a dying process may have started another
        found = False
        for entry in os.scandir("/proc"):
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                found = _kill_if_marked(int(entry.name), mark) or found


def _kill_if_marked(pid: int, mark: bytes) -> bool:
    try:
        # The descriptor is taken first: it keeps naming this process, even if the pid is used again.
        descriptor = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if mark not in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            return False
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except (PermissionError, FileNotFoundError, ProcessLookupError):
        return False  # another user's process, or one that has just ended
    finally:
        os.close(descriptor)
    return True
