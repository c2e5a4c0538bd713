"""A command that says nothing in its first two seconds says that it is at work: nobody wonders whether it hangs."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

SECONDS = 2.0
WORKING = ": working ..."


class Heard:
    """A stream as it is, whose first word is heard."""

    def __init__(self, stream: TextIO, heard: threading.Event) -> None:
        self._stream, self._heard = stream, heard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """As of the stream."""
        self._heard.set()
        return self._stream.write(text)


@contextmanager
def patience(command: str, seconds: float = SECONDS) -> Iterator[None]:
    """Say on stderr that a command is at work, if nothing was written for so long since the block began."""
    output, errors, heard = sys.stdout, sys.stderr, threading.Event()

    def say() -> None:
        if not heard.wait(seconds):
            print(f"{command}{WORKING}", file=errors, flush=True)

    watch = threading.Thread(target=say, daemon=True)
    sys.stdout, sys.stderr = Heard(output, heard), Heard(errors, heard)
    watch.start()
    try:
        yield
    finally:
        sys.stdout, sys.stderr = output, errors
        heard.set()
        watch.join()
