"""A serverless variant: processes are started when requests come, and end when none have come for a while.

https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
"""

import logging
import threading
import time

from local_sagemaker.clock import Clock
from local_sagemaker.hosting.fleet import Fleet, Instance, MakeChain
from local_sagemaker.hosting.model_process import ModelFailedToStart, ModelRequest, ModelResponse, ModelUnavailable

LOG = logging.getLogger("local_sagemaker.hosting")
IDLE_SECONDS = 300.0  # for which a process without requests is kept; the service does not say how long it does


class Throttled(Exception):
    """As many requests as MaxConcurrency allows are being answered."""


class ServerlessFleet(Fleet):
    """At most `concurrency` processes, each of which answers one request at a time."""

    def __init__(self, make: MakeChain, concurrency: int, clock: Clock) -> None:
        super().__init__(make, 0)
        self._concurrency = concurrency
        self._clock = clock
        self._lock = threading.Lock()
        self._busy = 0
        self._idle: list[tuple[Instance, float]] = []  # with the moments of their last answers

    def start(self) -> None:
        """Try one process: a model that does not start fails the deployment here, as it does on AWS."""
        instance = self._begin()
        with self._lock:
            self._idle.append((instance, time.monotonic()))

    def resize(self, count: int) -> None:
        """The number of processes is not chosen: requests choose it."""

    def alive(self) -> int:
        """1 until it is stopped: it answers, even if it has to start for it."""
        return 0 if self._stopped else 1

    def invoke(self, request: ModelRequest) -> tuple[Instance, ModelResponse]:
        """Ask an idle process, or a new one; Throttled where `concurrency` requests are being answered."""
        with self._lock:
            if self._busy >= self._concurrency:
                raise Throttled(f"{self._concurrency} requests are being answered, which is MaxConcurrency")
            self._busy += 1
            instance = self._idle.pop()[0] if self._idle else None
        try:
            if instance is not None and not instance.chain.alive():
                instance.chain.stop()
                self._forget(instance)
                instance = None
            if instance is None:
                try:
                    instance = self._begin()
                except ModelFailedToStart as fault:
                    raise ModelUnavailable(str(fault)) from None
            return instance, instance.invoke(request)
        finally:
            with self._lock:
                self._busy -= 1
                if instance is not None:
                    self._idle.append((instance, time.monotonic()))

    def revive(self) -> None:
        """End what nobody has asked for a while; nothing that died is started before it is asked."""
        oldest = time.monotonic() - self._clock.seconds(IDLE_SECONDS)
        with self._lock:
            stale = [instance for instance, moment in self._idle if moment < oldest]
            self._idle = [(instance, moment) for instance, moment in self._idle if moment >= oldest]
        for instance in stale:
            instance.chain.stop()
            self._forget(instance)

    def _begin(self) -> Instance:
        with self._lock:
            if self._stopped:
                raise ModelUnavailable("The variant is stopped.")
            self._number += 1
            instance = Instance(self._number, self._make(self._number))
            self._instances = (*self._instances, instance)
        began = time.monotonic()
        try:
            instance.chain.start()
        except BaseException:
            self._forget(instance)
            raise
        instance.chain.say(f"Cold start: a process began and was ready after {time.monotonic() - began:.2f} s.")
        return instance

    def _forget(self, instance: Instance) -> None:
        with self._lock:
            self._instances = tuple(each for each in self._instances if each is not instance)
