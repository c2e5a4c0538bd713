"""One supervised process, seen from the server: start, wait, stop, and a record for after a crash."""

import os
import secrets
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from local_sagemaker.processes.isolation import SUPERVISOR, PrivateFolder
from local_sagemaker.processes.leftovers import MARKER, Record, start_time

GRACE_SECONDS = 5.0  # between SIGTERM and SIGKILL; the service gives 120 to training and 30 to processing jobs


@dataclass(frozen=True)
class Command:
    """What to run, in terms of the container: the paths are those under /opt/ml."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    directory: str = "/opt/ml"


@dataclass(frozen=True)
class Ended:
    """The end of a process; 128 + n as exit code means that signal n killed it."""

    exit_code: int
    stopped: bool


class SupervisionFailed(Exception):
    """The supervisor of a process ended without saying how the process did."""


class SupervisedProcess:
    """A process in its private /opt/ml that ends with this one, whatever happens; its output goes to `log`.

    `record` is a file that names the process for as long as it runs (see leftovers).
    """

    def __init__(
        self,
        command: Command,
        private: PrivateFolder,
        log: Path,
        record: Path,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        token = secrets.token_hex(16)
        self._record = Record(record, token)
        self._record.write()
        with log.open("ab") as errors:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-I", "-S", str(SUPERVISOR), *_task(command, private, log, grace_seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**_seen(command.environment, private), MARKER: token},
                cwd="/",
                start_new_session=True,  # Ctrl-C at a terminal reaches the server only
            )
        self._commands = cast(IO[bytes], self._supervisor.stdin)
        self._reports = cast(IO[bytes], self._supervisor.stdout)
        self._lock = threading.Lock()
        self._unread = b""
        self._ended: Ended | None = None

    def fileno(self) -> int:
        """A descriptor that is readable when there is news, for select()."""
        return self._reports.fileno()

    def wait(self, timeout_seconds: float | None = None) -> Ended | None:
        """How the process ended, or None after the timeout; SupervisionFailed where nobody knows."""
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        with self._lock:
            while self._ended is None:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                if not select.select([self._reports], [], [], left)[0]:
                    return None
                self._read()
            return self._ended

    @property
    def pid(self) -> int:
        """The process of the supervisor, whose child the process is."""
        return self._supervisor.pid

    def alive(self) -> bool:
        """Whether the process still runs."""
        try:
            return self.wait(0) is None
        except SupervisionFailed:
            return False

    def stop(self) -> None:
        """Ask the process to end: SIGTERM now, SIGKILL after the grace period. Returns at once."""
        try:
            os.write(self._commands.fileno(), b"stop\n")
        except (BrokenPipeError, ValueError):
            return  # it has ended; wait() tells how

    def end(self) -> None:
        """Stop the process, if it still runs, and return when it and all that it started are gone."""
        self.stop()
        try:
            self.wait()
        except SupervisionFailed:
            return  # wait() has killed what was left

    def _read(self) -> None:
        block = os.read(self._reports.fileno(), 4096)
        *lines, self._unread = (self._unread + block).split(b"\n")
        for line in lines:
            word, number, *stopped = line.split()
            if word == b"pid":
                self._record.write(int(number), start_time(int(number)))
            else:
                self._ended = Ended(int(number), stopped == [b"1"])
        if self._ended is not None:
            self._supervisor.wait()
            self._record.end()
            self._commands.close()
            self._reports.close()
        elif not block:
            self._supervisor.wait()
            self._record.kill()
            raise SupervisionFailed(
                f"The supervisor of the process ended with code {self._supervisor.returncode}: see the job's log."
            )


def _task(command: Command, private: PrivateFolder, log: Path, grace_seconds: float) -> list[str]:
    """The arguments of the supervisor, see there."""
    folder = str(private.ml) if private.mounted else ""
    hosts = [str(private.hosts), private.name] if private.hosts.exists() else ["", ""]
    arguments = [private.rewrite(argument) for argument in command.arguments]
    return [private.rewrite(command.directory), str(log.absolute()), folder, *hosts, str(grace_seconds), *arguments]


def _seen(environment: Mapping[str, str], private: PrivateFolder) -> dict[str, str]:
    return {name: private.rewrite(value) for name, value in environment.items()}
