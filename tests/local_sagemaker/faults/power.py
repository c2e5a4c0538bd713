"""What a disk holds after a power cut: contents of files up to their last sync, names up to that of their folder.

That is less than any real disk keeps, and all that POSIX promises: https://pubs.opengroup.org/onlinepubs/9799919799/
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Event(NamedTuple):
    """One operation on a file, and the byte of the trace at which its record ends."""

    operation: str
    path: str
    number: int
    data: bytes
    end: int


def events(trace: bytes) -> Iterator[Event]:
    """The records of recorder.c; one that was cut off is left out."""
    position = 0
    while (line_end := trace.find(b"\n", position)) >= 0:
        operation, path, number, length = trace[position:line_end].decode().split("\t")
        end = line_end + 1 + int(length) + 1
        if end > len(trace):
            return
        yield Event(operation, path, int(number), trace[line_end + 1 : end - 1], end)
        position = end


@dataclass
class File:
    """Contents now, and as they were when they were last synced."""

    now: bytearray = field(default_factory=bytearray)
    synced: bytes = b""


class Disk:
    """The files of one folder, as the processor sees them and as the disk has them."""

    def __init__(self) -> None:
        self.now: dict[str, File] = {}
        self.named: dict[str, File] = {}  # as the synced folders name them
        self.folders: set[str] = set()

    def apply(self, event: Event) -> None:
        """Take one operation."""
        path = event.path
        if event.operation == "mkdir":
            self.folders.add(path)
        elif event.operation == "create":
            self.now[path] = File()
        elif event.operation == "unlink":
            self.now.pop(path, None)
        elif event.operation == "rename":
            self.now[event.data.decode()] = self.now.pop(path)
        elif event.operation == "link":
            self.now[event.data.decode()] = self.now[path]
        elif event.operation == "sync" and path not in self.now:
            self._sync_names(path)
        else:
            self._change(self.now[path], event)

    def left(self) -> dict[str, bytes]:
        """What is there after a power cut."""
        return {path: file.synced for path, file in self.named.items()}

    def _change(self, file: File, event: Event) -> None:
        if event.operation == "write":
            file.now.extend(bytes(max(0, event.number - len(file.now))))
            file.now[event.number : event.number + len(event.data)] = event.data
        elif event.operation == "truncate":
            file.now.extend(bytes(max(0, event.number - len(file.now))))
            del file.now[event.number :]
        else:
            file.synced = bytes(file.now)

    def _sync_names(self, folder: str) -> None:
        for path in {*self.now, *self.named}:
            if str(Path(path).parent) == folder.rstrip("/"):
                if path in self.now:
                    self.named[path] = self.now[path]
                else:
                    del self.named[path]
