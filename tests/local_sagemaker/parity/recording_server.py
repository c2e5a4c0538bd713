"""The server of the command line, with a file that keeps what each handler returned, before anything is left out."""

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from local_sagemaker import __main__, service
from local_sagemaker.wire.dispatch import Caller, Dispatcher, Handler, Request

RECORD = Path(os.environ["PARITY_RECORD"])
LOCK = threading.Lock()


class RecordingDispatcher(Dispatcher):
    """Writes one line of JSON for each answer: the operation and the response; first a line with all operations."""

    @property
    def handlers(self) -> dict[str, Handler]:  # type: ignore[override]
        found = super().handlers
        return {operation: self._recorded(operation, handler) for operation, handler in found.items()}

    @staticmethod
    def _recorded(operation: str, handler: Handler) -> Handler:
        def call(request: Request, caller: Caller) -> Request:
            response = handler(request, caller)
            write([operation, response])
            return response

        return call


def write(line: Any) -> None:
    """Append one line."""
    with LOCK, RECORD.open("a") as stream:
        stream.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    service.Dispatcher = RecordingDispatcher  # type: ignore[misc]
    original = service.LocalSageMaker.recover

    def recover(self: service.LocalSageMaker) -> None:
        """Say which operations there are, before any is called."""
        write(["", sorted(Dispatcher.handlers.func(self.dispatcher))])  # type: ignore[attr-defined]
        original(self)

    service.LocalSageMaker.recover = recover  # type: ignore[method-assign]
    sys.exit(__main__.main(["serve"]))
