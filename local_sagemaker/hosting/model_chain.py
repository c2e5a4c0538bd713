"""The model processes of one variant: asked one after another, started again when they die."""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from local_sagemaker.hosting.model_process import (
    ModelFailedToStart,
    ModelProcess,
    ModelRequest,
    ModelResponse,
    ModelUnavailable,
)
from local_sagemaker.processes.log_events import LogFile

LOG = logging.getLogger("local_sagemaker.hosting")
LONGEST_PAUSE_SECONDS = 60.0  # between two attempts to start a model that does not start any more
ANY = "*/*"


@dataclass(frozen=True)
class Death:
    """The last time that a process of the chain died: when (seconds since 1970), and what was said of it."""

    moment: float
    message: str


class ModelChain:
    """One process, or several of which each gets the answer of the one before it (a serial inference pipeline)."""

    def __init__(self, processes: Sequence[ModelProcess], start_seconds: float) -> None:
        self.last_death: Death | None = None
        self._processes = processes
        self._start_seconds = start_seconds
        self._starting = threading.Lock()
        self._failures = 0
        self._fault = ""
        self._next_attempt = 0.0  # on the monotonic clock
        self._stopped = False

    def start(self) -> None:
        """Start all; ModelFailedToStart where one does not start."""
        for process in self._processes:
            process.start(self._start_seconds)

    def stop(self) -> None:
        """End all for good."""
        self._stopped = True
        for process in self._processes:
            process.stop()

    def say(self, text: str) -> None:
        """Write a line into the log."""
        self._processes[0].say(text)

    def alive(self) -> bool:
        """Whether all run."""
        return all(process.alive() for process in self._processes)

    def invoke(self, request: ModelRequest) -> ModelResponse:
        """The answer of the last one, or of the first that refuses; only the last one is told what the client accepts.

        ModelUnavailable where a process dies while it answers, or cannot be started again.
        """
        body, content_type, timeout = request.body, request.content_type, request.timeout_seconds
        for number, process in enumerate(self._processes, start=1):
            asked = request.accept if number == len(self._processes) else ANY
            try:
                response = process.invoke(body, content_type, asked, request.headers, timeout)
            except ModelUnavailable as fault:
                if fault.reached:
                    raise
                self.revive()
                response = process.invoke(body, content_type, asked, request.headers, timeout)
            if not response.succeeded:
                return response
            body, content_type = response.body, response.content_type
        return response

    def revive(self) -> None:
        """Start again what has died; ModelUnavailable where that fails, or has failed a moment ago."""
        for process in self._processes:
            with self._starting:  # a process that is being started runs, and does not answer yet
                if not process.alive() and not self._stopped:
                    self._start_again(process)

    def revive_in_background(self) -> None:
        """Do the same without waiting for it; a start that is under way, or to be awaited, is enough."""
        for process in self._processes:
            LogFile(process.log).note()  # nobody else looks at the log as it is written
        if not self.alive() and not self._starting.locked() and time.monotonic() >= self._next_attempt:
            threading.Thread(target=self._try_to_revive, name="revive", daemon=True).start()

    def _try_to_revive(self) -> None:
        try:
            self.revive()
        except ModelUnavailable:
            return  # it is logged, and tried again later

    def _start_again(self, process: ModelProcess) -> None:
        if time.monotonic() < self._next_attempt:
            raise ModelUnavailable(self._fault)
        if not self._failures:
            message = f"The process of the model {process.name} died ({process.end}) and is started again"
            self.last_death = Death(time.time(), f"{message}: see {process.log}.")
            LOG.warning("%s: see %s", message, process.log)
            process.say(f"{message}.")
        try:
            process.start(self._start_seconds)
        except ModelFailedToStart as error:
            self._failures += 1
            self._fault = str(error)
            self._next_attempt = time.monotonic() + min(2.0**self._failures, LONGEST_PAUSE_SECONDS)
            self.last_death = Death(time.time(), self._fault)
            LOG.warning("%s", error)
            raise ModelUnavailable(self._fault) from None
        self._failures = 0
