"""The requests that something is answering: it ends when it has answered them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Outstanding:
    """Counts them, from many threads."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    @contextmanager
    def one(self) -> Iterator[None]:
        """A request, from its beginning to its end."""
        with self._changed:
            self.count += 1
        try:
            yield
        finally:
            with self._changed:
                self.count -= 1
                self._changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Wait until none is left, at most so long; whether none is."""
        with self._changed:
            return self._changed.wait_for(lambda: self.count == 0, seconds)
