"""A load test finds the largest rate within the latency goal, and ends at its bounds."""

import threading
import time

import pytest

from deployment.load import Bounds, Step, load


class Endpoint:
    """Answers so many requests at once in some seconds each; the others wait. The request `breaks` is refused."""

    def __init__(self, at_once: int, seconds: float, breaks: int | None = None) -> None:
        self._room = threading.Semaphore(at_once)
        self._seconds = seconds
        self._breaks = breaks
        self._lock = threading.Lock()
        self.asked = 0

    def ask(self) -> bool:
        with self._lock:
            self.asked += 1
            number = self.asked
        with self._room:
            time.sleep(self._seconds)
        return number != self._breaks


@pytest.mark.e2e
def test_it_ends_where_the_latency_goal_is_missed_and_the_best_is_within_it() -> None:
    lines: list[str] = []
    found = load(Endpoint(2, 0.05).ask, Bounds(latency_ms=95, clients=64, step_seconds=0.4), lines.append)
    assert found.best is not None
    assert found.best.clients < found.steps[-1].clients
    assert found.best.percentile(0.99) <= 95
    assert found.why_ended == "the 99th percentile is above 95 ms"
    assert len(lines) == len(found.steps)


def test_a_goal_that_one_client_misses_has_no_rate() -> None:
    found = load(Endpoint(1, 0.02).ask, Bounds(latency_ms=1, step_seconds=0.1), lambda _: None)
    assert found.best is None
    assert found.scaling_target(1) == 0
    assert len(found.steps) == 1


def test_clients_and_requests_are_bounded() -> None:
    few = load(Endpoint(99, 0.001).ask, Bounds(latency_ms=9999, clients=3, step_seconds=0.05), lambda _: None)
    assert [step.clients for step in few.steps] == [1, 2, 3]
    assert few.why_ended == "3 clients are the most that were allowed"
    endpoint = Endpoint(99, 0.001)
    small = load(endpoint.ask, Bounds(latency_ms=9999, step_seconds=5, requests=7), lambda _: None)
    assert endpoint.asked == 7
    assert small.why_ended == "7 requests were sent"


def test_a_request_that_fails_ends_it_and_its_step_is_not_the_best() -> None:
    found = load(Endpoint(99, 0.001, breaks=1).ask, Bounds(latency_ms=9999, step_seconds=0.05), lambda _: None)
    assert (found.best, found.why_ended) == (None, "1 request failed")


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)])
def test_percentiles_are_of_the_nearest_rank(share: float, expected: float) -> None:
    assert Step(1, 1.0, [float(number) for number in range(100, 0, -1)], 0).percentile(share) == expected


def test_the_scaling_target_is_half_of_what_an_instance_answers_in_a_minute() -> None:
    step = Step(1, 2.0, [1.0] * 200, 0)
    found = load(lambda: True, Bounds(latency_ms=9999, clients=1, step_seconds=0.01), lambda _: None)
    assert type(found)((step,), step, "").scaling_target(2) == 1500
