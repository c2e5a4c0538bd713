"""Calls the targets of schedules that are due, in a thread of its own.

What came due while the server was down is called when it is up again: of a schedule that recurs only the last time. A
target that fails is called again, as long and as often as its retry policy says.
"""

import logging
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any

from local_sagemaker.clock import Clock
from local_sagemaker.errors import ServiceError
from local_sagemaker.schedules.expressions import Expression, written
from local_sagemaker.schedules.operations import expression_of, within
from local_sagemaker.schedules.targets import Targets
from local_sagemaker.state.record_kinds import SCHEDULE
from local_sagemaker.state.record_types import Document
from local_sagemaker.state.records import Records

LOG = logging.getLogger("local_sagemaker.schedules")
LONGEST_WAIT = 5.0  # seconds: the clock of a machine that slept goes on without telling anybody
LONGEST_PAUSE = 60.0  # between two attempts
AGAIN = ("ThrottlingException", "ResourceLimitExceeded", "ResourceInUse")


class Runner:
    """Looks at the schedules when the next one is due, and when one was changed."""

    def __init__(
        self, records: Records, targets: Targets, clock: Clock, account: str, now: Callable[[], float] = time.time
    ) -> None:
        self._records = records
        self._targets = targets
        self._clock = clock
        self._account = account
        self._time = now
        self._closed = False
        self._changed = threading.Condition()
        self._dirty = True

    def start(self) -> None:
        """Begin to call what is due."""
        threading.Thread(target=self._watch, name="schedules", daemon=True).start()

    def close(self) -> None:
        """Call nothing any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def changed(self) -> None:
        """A schedule is new, is another, or is gone."""
        with self._changed:
            self._dirty = True
            self._changed.notify()

    def _watch(self) -> None:
        wait = 0.0
        while True:
            with self._changed:
                if not self._dirty and not self._closed:
                    self._changed.wait(min(wait, LONGEST_WAIT))
                self._dirty = False
                if self._closed:
                    return
            try:
                wait = self.look()
            except Exception:  # a thread that ends calls nothing any more
                LOG.exception("the schedules could not be looked at")
                wait = LONGEST_WAIT

    def look(self) -> float:
        """Call what is due; returns how many seconds there are until something is."""
        waits = [LONGEST_WAIT]
        for schedule in self._records.all(SCHEDULE):
            if schedule["State"] != "ENABLED" or "Due" not in schedule:
                continue
            wait = self._wait(schedule)
            if wait <= 0:
                self._attempt(schedule)
                wait = 0.0
            waits.append(wait)
        return min(waits)

    def _wait(self, schedule: Document) -> float:
        """How many seconds of this machine there are until the next attempt."""
        if "RetryAt" in schedule:
            return float(schedule["RetryAt"] - self._time())
        moment = schedule["Due"] + _offset(schedule, schedule["Due"])
        return self._clock.seconds(moment - self._now(schedule))

    def _now(self, schedule: Document) -> float:
        """The moment that it is for a schedule: time passes faster under a time scale, from its last change on."""
        begin = schedule["LastModificationDate"]
        return float(begin + (self._time() - begin) * self._clock.scale)

    def _attempt(self, schedule: Document) -> None:
        expression = expression_of(schedule)
        due, attempt = schedule["Due"], schedule.get("Attempts", 0) + 1
        if attempt == 1:
            due = expression.latest(due, min(self._now(schedule), schedule.get("EndDate", float("inf"))))
        try:
            self._targets.invoke(schedule, due, attempt, self._account)
        except Exception as error:
            self._failed(schedule, expression, due, attempt, error)
            return
        LOG.info("the schedule %s of %s has called %s", schedule["Name"], written(due), schedule["Target"]["Arn"])
        self._done(schedule, expression, due)

    def _failed(self, schedule: Document, expression: Expression, due: float, attempt: int, error: Exception) -> None:
        fault = error if isinstance(error, ServiceError) else ServiceError("InternalFailure", str(error), 500)
        policy, now = schedule["Target"]["RetryPolicy"], self._time()
        first = schedule.get("FirstAttempt", now)
        again = fault.status >= 500 or fault.code in AGAIN
        young = now - first < self._clock.seconds(policy["MaximumEventAgeInSeconds"])
        name, arn = schedule["Name"], schedule["Target"]["Arn"]
        if again and young and attempt <= policy["MaximumRetryAttempts"]:
            LOG.warning("the schedule %s could not call %s, and will again: %s", name, arn, fault.message)
            pause = self._clock.seconds(min(2.0**attempt, LONGEST_PAUSE))
            self._keep(schedule, Due=due, Attempts=attempt, FirstAttempt=first, RetryAt=now + pause)
            return
        LOG.warning("the schedule %s could not call %s, and has given up: %s", name, arn, fault.message)
        try:
            self._targets.give_up(schedule, fault)
        except ServiceError as lost:
            LOG.warning("the dead-letter queue of the schedule %s: %s", name, lost.message)
        self._done(schedule, expression, due)

    def _done(self, schedule: Document, expression: Expression, due: float) -> None:
        """What is next; after the last time, the schedule is deleted where it says so."""
        following = within(schedule, expression.next_after(due)) if expression.recurs else None
        if following is None and schedule["ActionAfterCompletion"] == "DELETE":
            with self._records.lock:
                if self._is_same(schedule):
                    self._records.delete(SCHEDULE, _key(schedule))
            return
        self._keep(schedule, Due=following, Attempts=None, FirstAttempt=None, RetryAt=None)

    def _keep(self, schedule: Document, **changes: Any) -> None:
        with self._records.lock:
            if self._is_same(schedule):
                self._records.update(SCHEDULE, _key(schedule), changes)

    def _is_same(self, schedule: Document) -> bool:
        """Whether nobody has changed or deleted a schedule since it was looked at."""
        now = self._records.get(SCHEDULE, _key(schedule))
        return now is not None and now["LastModificationDate"] == schedule["LastModificationDate"]


def _key(schedule: Document) -> str:
    return f"{schedule['Region']}/{schedule['GroupName']}/{schedule['Name']}"


def _offset(schedule: Document, due: float) -> float:
    """Where in its flexible window an invocation lies: seconds after it is due, the same whenever it is asked for."""
    seconds = int(schedule["FlexibleTimeWindow"].get("MaximumWindowInMinutes", 0)) * 60
    return seconds * (zlib.crc32(f"{schedule['Arn']} {due}".encode()) / 2**32)
