"""A log file as timed events: who reads a job's log is told when each line was written, as CloudWatch tells it."""

import bisect
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LOG = logging.getLogger("local_sagemaker.jobs")
PAGE_BYTES = 1 << 20  # as much as CloudWatch returns at once
LARGEST_EVENT = 256 * 1024  # bytes; a longer line is split, so that no log needs more memory than this
LONGEST_MARKS = 64  # bytes; one line of the record is shorter
TIMES = ".times"  # beside output.log: output.times, lines of `SIZE MILLISECONDS`
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Event:
    """One line of a log: bytes `start` to `end` of the file; `timestamp` is in milliseconds since 1970."""

    start: int
    end: int
    timestamp: int
    message: str


def append_line(log: Path, line: str) -> None:
    """Add a line to a log that processes append to by themselves."""
    with log.open("a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")


class LogFile:
    """A log that a process appends to by itself, and beside it a record of when it had which size.

    The process writes to the file directly, so that no line is lost with the server; the moments are noted
    by whoever looks at the file (the job runtime every tenth of a second, each reader once more).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._times = path.with_suffix(TIMES)

    def note(self) -> None:
        """Record that what is new in the file was written by now."""
        with _LOCK:
            self._note()

    def events(self, start: int = 0, ended: bool = True) -> Iterator[Event]:
        """The lines from byte `start` on, in their order and without empty ones, which CloudWatch has not either.

        `ended` says that nobody writes any more: only then is a last line without a line end one.
        """
        with _LOCK:
            self._note()
            marks = self._marks()
        if not marks:
            return
        sizes = [size for size, _ in marks]
        with self.path.open("rb") as stream:
            stream.seek(start)
            while start < sizes[-1]:
                line = stream.readline(min(LARGEST_EVENT, sizes[-1] - start))
                whole = line.endswith(b"\n") or len(line) == LARGEST_EVENT or ended
                if not line or not whole:
                    return
                end = start + len(line)
                message = line.decode("utf-8", "replace").rstrip("\r\n")
                if message:
                    yield Event(start, end, marks[bisect.bisect_left(sizes, end)][1], message)
                start = end

    def before(self, end: int, ended: bool = True) -> list[Event]:
        """The last lines before byte `end`, as many as are in one page of CloudWatch Logs."""
        start = max(0, end - PAGE_BYTES)
        if start:
            with self.path.open("rb") as stream:
                stream.seek(start)
                start += len(stream.readline(LARGEST_EVENT))
        return [event for event in self.events(start, ended) if event.end <= end]

    @property
    def size(self) -> int:
        """Bytes until now."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def created(self) -> int | None:
        """When the first line was written, in milliseconds; None while there is none."""
        with _LOCK:
            self._note()
            if not self._times.exists():
                return None
            with self._times.open(encoding="ascii") as stream:
                return _parsed(stream.readline())[1]

    @property
    def last_written(self) -> int:
        """When something was written last, in milliseconds; 0 while there is nothing."""
        with _LOCK:
            self._note()
            return self._last_mark()[1]

    def _note(self) -> None:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return
        size, moment = self._last_mark()
        if status.st_size == size:
            return
        try:
            self._append(f"{status.st_size} {max(status.st_mtime_ns // 1_000_000, moment)}\n".encode())
        except OSError as error:  # a full disk: the lines have the moment of the next time that there is room
            LOG.debug("the times of %s were not written: %s", self.path, error)

    def _append(self, mark: bytes) -> None:
        """Add a whole line, or none."""
        with self._times.open("ab", buffering=0) as stream:
            size = os.fstat(stream.fileno()).st_size
            written = 0
            try:
                written = stream.write(mark)
            finally:
                if written < len(mark):
                    stream.truncate(size)

    def _last_mark(self) -> tuple[int, int]:
        try:
            with self._times.open("rb") as stream:
                stream.seek(max(0, os.fstat(stream.fileno()).st_size - LONGEST_MARKS))
                return _parsed(stream.read().decode("ascii").rstrip("\n").rpartition("\n")[2])
        except FileNotFoundError:
            return 0, 0

    def _marks(self) -> list[tuple[int, int]]:
        """Sizes and moments, both ascending."""
        try:
            return [_parsed(line) for line in self._times.read_text("ascii").splitlines()]
        except FileNotFoundError:
            return []


@dataclass(frozen=True)
class LogStream:
    """The log of one host under its name in CloudWatch; `ended` says that it is complete."""

    name: str
    log: LogFile
    ended: bool


def _parsed(mark: str) -> tuple[int, int]:
    size, moment = mark.split()
    return int(size), int(moment)
