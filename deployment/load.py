"""How many requests an endpoint answers within a latency goal: more and more clients, each asking again at once.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-loadtest.html
"""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Ask = Callable[[], bool]  # one request; whether it was answered with a prediction
Announce = Callable[[str], None]
SAFETY = 0.5  # of the largest rate, which AWS's guide begins with
MINUTE = 60.0


@dataclass(frozen=True)
class Bounds:
    """The goal, and what the test may take: the 99th percentile in milliseconds, clients, seconds, requests."""

    latency_ms: float
    clients: int = 32
    step_seconds: float = 5.0
    requests: int = 20_000


@dataclass(frozen=True)
class Step:
    """What so many clients at once got; latencies in milliseconds."""

    clients: int
    seconds: float
    latencies: Sequence[float] = field(repr=False)
    failed: int

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency that this share of the answers does not exceed (nearest rank); infinite without answers."""
        ordered = sorted(self.latencies)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.inf

    def meets(self, latency_ms: float) -> bool:
        """Whether all were answered, 99 % of them within the goal."""
        return not self.failed and self.percentile(0.99) <= latency_ms


@dataclass(frozen=True)
class Load:
    """The steps of a test; `why_ended` says why there are no more."""

    steps: tuple[Step, ...]
    best: Step | None
    why_ended: str

    def scaling_target(self, instances: int) -> int:
        """InvocationsPerInstance of target tracking, per minute: half of what an instance answers at the best."""
        rate = self.best.rate if self.best is not None else 0.0
        return math.floor(rate / instances * MINUTE * SAFETY)


def load(ask: Ask, bounds: Bounds, announce: Announce) -> Load:
    """Double the clients until the goal is missed, or a bound is met; the best step is that with the largest rate."""
    steps: list[Step] = []
    clients, left = 1, bounds.requests
    while True:
        step = _step(ask, clients, bounds.step_seconds, left)
        steps.append(step)
        left -= len(step.latencies) + step.failed
        announce(
            f"{clients:4d} clients  {step.rate:8.1f} answers/s  p50 {step.percentile(0.5):8.1f} ms  "
            f"p99 {step.percentile(0.99):8.1f} ms  {step.failed} failed"
        )
        why = _why_ended(step, bounds, left)
        if why is not None:
            break
        clients = min(2 * clients, bounds.clients)
    good = [each for each in steps if each.meets(bounds.latency_ms)]
    return Load(tuple(steps), max(good, key=lambda each: each.rate, default=None), why)


def _why_ended(step: Step, bounds: Bounds, left: int) -> str | None:
    if step.failed:
        return f"{step.failed} request{'s' * (step.failed > 1)} failed"
    if not step.meets(bounds.latency_ms):
        return f"the 99th percentile is above {bounds.latency_ms:g} ms"
    if left <= 0:
        return f"{bounds.requests} requests were sent"
    if step.clients >= bounds.clients:
        return f"{bounds.clients} clients are the most that were allowed"
    return None


def _step(ask: Ask, clients: int, seconds: float, most: int) -> Step:
    """So many clients for some seconds, with `most` requests at the most."""
    latencies: list[float] = []
    failed = 0
    lock = threading.Lock()
    budget = [most]
    began = time.perf_counter()

    def client() -> None:
        nonlocal failed
        while time.perf_counter() - began < seconds:
            with lock:
                if budget[0] <= 0:
                    return
                budget[0] -= 1
            start = time.perf_counter()
            answered = ask()
            elapsed = (time.perf_counter() - start) * 1000
            with lock:
                if answered:
                    latencies.append(elapsed)
                else:
                    failed += 1

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Step(clients, time.perf_counter() - began, latencies, failed)
