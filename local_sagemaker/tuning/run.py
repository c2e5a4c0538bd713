"""One tuning job that runs: as many training jobs at once as it may have, one candidate after another."""

import secrets
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from local_sagemaker.errors import ServiceError, reason_of
from local_sagemaker.tuning.plan import Plan
from local_sagemaker.tuning.search import Candidate

Document = dict[str, Any]
HOPELESS = 5  # the service gives up where none of the first five training jobs succeeds
NO_SUCCESS = "No training job succeeded after {} attempts. Please take a look at the training job failures to get more "
NO_SUCCESS += "details."
ALL_FAILED = "All training jobs failed. Please take a look at the training job failures to get more details."
NO_METRIC = "No training job emitted the objective metric {}: see the Regex of the metric and the logs of the jobs."
WAIT_SECONDS = 0.2  # how late the end of MaxRuntimeInSeconds may be noticed
IMPROVEMENT = 0.01  # less than this part of the best value is not an improvement, as CompletionDetails has it


class TuningRun:
    """Starts the training jobs of a plan, each in a thread of its own, and decides when it is enough.

    `launch` starts the training job of a request and a candidate; `wait` returns the record of one that has ended;
    `halt` stops one. `known` are the objectives of candidates of earlier tuning jobs. `finished` is told the status and
    the failure reason at the end.
    """

    def __init__(
        self,
        name: str,
        plan: Plan,
        launch: Callable[[Document, Candidate], object],
        wait: Callable[[str], Document],
        halt: Callable[[str], object],
        finished: Callable[[str, str | None], object],
        known: Iterable[tuple[Candidate, float]] = (),
    ) -> None:
        self._name = name
        self._plan = plan
        self._launch, self._wait, self._halt, self._finished = launch, wait, halt, finished
        self._lock = threading.Lock()
        self._search = plan.search()
        for candidate, value in known:
            self._search.tell(candidate, value)
        self._begun = 0
        self._running: dict[str, Candidate] = {}
        self._over = threading.Event()
        self._asked_to_stop = False
        self._refusal: str | None = None
        self._ended = 0
        self._completed = 0
        self._best: float | None = None
        self._since_best = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Start no more training jobs, and stop those that run; the tuning job then ends as Stopped."""
        self._asked_to_stop = True
        self._finish_early()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end."""
        self._thread.join(timeout)

    def _run(self) -> None:
        workers = min(self._plan.parallel, self._plan.jobs or self._plan.parallel)
        threads = [threading.Thread(target=self._work, name=f"{self._name}-{n}", daemon=True) for n in range(workers)]
        deadline = None if self._plan.seconds is None else time.monotonic() + self._plan.seconds
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(None if deadline is None or self._over.is_set() else WAIT_SECONDS)
                if deadline is not None and time.monotonic() > deadline and not self._over.is_set():
                    self._finish_early()
        self._finished(*self._verdict())

    def _work(self) -> None:
        try:
            while (job := self._begin_next()) is not None:
                self._take_in(self._wait(job))
        except ServiceError as error:
            self._refuse(f"ClientError: {error.message}")
        except Exception as error:
            traceback.print_exc()
            self._refuse(f"InternalServerError: {reason_of(error)}")

    def _begin_next(self) -> str | None:
        """Start the next training job, such as tuning-001-1f2e3d4c; its name, or None where there is none to start."""
        with self._lock:
            if self._over.is_set() or self._begun == self._plan.jobs:
                return None
            self._begun += 1
            name, candidate = f"{self._name}-{self._begun:03d}-{secrets.token_hex(4)}", next(self._search)
            self._launch(self._plan.training_request(name, candidate), candidate)
            self._running[name] = candidate
            return name

    def _take_in(self, job: Document) -> None:
        """Account for a training job that has ended."""
        with self._lock:
            candidate = self._running.pop(job["TrainingJobName"])
            self._ended += 1
            self._completed += job["TrainingJobStatus"] == "Completed"
            value = objective_value(job, self._plan.metric)
            enough = self._ended >= HOPELESS and not self._completed
            if value is not None:
                self._search.tell(candidate, value)
                self._since_best += 1
                if self._plan.is_better(value, self._best):
                    if self._best is None or abs(value - self._best) > IMPROVEMENT * abs(self._best):
                        self._since_best = 0
                    self._best = value
                limit = self._plan.not_improving
                enough = self._plan.reaches_target(value) or (limit is not None and self._since_best >= limit)
        if enough:
            self._finish_early()

    def _finish_early(self) -> None:
        self._over.set()
        with self._lock:
            running = list(self._running)
        for name in running:
            try:
                self._halt(name)
            except ServiceError:
                continue  # it ended in the meantime

    def _refuse(self, reason: str) -> None:
        self._refusal = reason
        self._finish_early()

    def _verdict(self) -> tuple[str, str | None]:
        if self._asked_to_stop:
            return "Stopped", None
        if self._refusal is not None:
            return "Failed", self._refusal
        if self._best is not None:
            return "Completed", None
        if self._completed:
            return "Failed", NO_METRIC.format(self._plan.metric)
        return "Failed", NO_SUCCESS.format(self._ended) if self._ended >= HOPELESS else ALL_FAILED


def objective_value(job: Document, metric: str) -> float | None:
    """The last value of the objective metric of a training job that has completed; None where it has none."""
    if job["TrainingJobStatus"] != "Completed":
        return None
    values = [entry["Value"] for entry in job.get("FinalMetricDataList", []) if entry["MetricName"] == metric]
    return float(values[-1]) if values else None
