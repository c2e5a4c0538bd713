"""Processing, training and transform jobs: the records around the real processes of the job runtime."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping

from local_sagemaker.errors import ServiceError, invalid, not_found, reason_of
from local_sagemaker.jobs.admission import admit_training_job
from local_sagemaker.jobs.runtime import JobRuntime
from local_sagemaker.processes.log_events import LogStream
from local_sagemaker.processes.outcome import ClientFault, Outcome
from local_sagemaker.state.record_kinds import PROCESSING_JOB, TAGS, TRAINING_JOB, TRANSFORM_JOB
from local_sagemaker.state.record_types import Document
from local_sagemaker.state.records import Kind, Records
from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.work.job_history import FINAL, MESSAGES, ending, phase, transition
from local_sagemaker.work.job_metrics import TrainingMetrics
from local_sagemaker.work.tags import Tags

JOB_KINDS = ("Processing", "Training", "Transform")
CRASHED = "InternalServerError: local SageMaker stopped while the job was running."


class Jobs:
    """The jobs that there are; a running one is a thread with a child process.

    `runtimes` run the jobs of each kind. At most `quota` jobs run at once; one more is refused with
    ResourceLimitExceeded, as the service refuses it.
    """

    def __init__(
        self,
        records: Records,
        runtimes: Mapping[str, JobRuntime],
        tags: Tags,
        cores: int,
        quota: int,
        metrics: TrainingMetrics | None = None,
    ) -> None:
        self._records = records
        self._runtimes = runtimes
        self._tags = tags
        self._cores = cores
        self._quota = quota
        self._metrics = metrics
        self._stops: dict[tuple[str, str], threading.Event] = {}
        self._finished = threading.Condition()

    def start_processing_job(self, request: Request, caller: Caller) -> Request:
        """Start a processing job."""
        _admit(self._runtimes["Processing"].admit_processing_job, request)
        return self.create("Processing", request, caller, self._runtimes["Processing"].run_processing_job)

    def check_training_job(self, request: Request) -> None:
        """Refuse what start_training_job would refuse of a request that has its shape."""
        _admit(admit_training_job, request)

    def start_training_job(self, request: Request, caller: Caller) -> Request:
        """Start a training job."""
        self.check_training_job(request)
        return self.create("Training", request, caller, self._runtimes["Training"].run_training_job)

    def log_streams(self, kind: str, prefix: str) -> Iterator[LogStream]:
        """What the jobs of a kind have logged, in the streams whose names start with a prefix."""
        name, slash, _ = prefix.partition("/")
        found = self._records.get(table(kind), name) if slash else None
        for job in [found] if found else [] if slash else self._records.all(table(kind)):
            name = job[f"{kind}JobName"]
            if name.startswith(prefix.partition("/")[0]):
                ended = job[f"{kind}JobStatus"] in FINAL
                for host, log in self._runtimes[kind].logs(name).items():
                    if log.created is not None:
                        yield LogStream(f"{name}/{host}-{log.created // 1000}", log, ended)

    def wait(self, kind: str, name: str) -> Request:
        """Return the job's record once it has ended."""
        with self._finished:
            self._finished.wait_for(lambda: (kind, name) not in self._stops)
        return self.get(kind, name)

    def running(self) -> list[tuple[str, str]]:
        """Kind and name of every job that has not ended."""
        return list(self._stops)

    def recover(self) -> None:
        """After a kill -9: what was running is gone, and says so."""
        for kind in JOB_KINDS:
            self._runtimes[kind].reap()
            for job in self._records.all(table(kind)):
                if job[f"{kind}JobStatus"] not in FINAL:
                    self._end(kind, job[f"{kind}JobName"], Outcome("Failed", CRASHED))

    def create(self, kind: str, request: Request, caller: Caller, run: Callable[..., Outcome]) -> Request:
        """Start a job of a kind; `run` runs it to its end, in a thread. Returns its ARN."""
        name, now = request[f"{kind}JobName"], time.time()
        arn = caller.arn(f"{kind.lower()}-job/{name}")
        job = {
            **request,
            f"{kind}JobArn": arn,
            f"{kind}JobStatus": "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        if kind == "Training":
            job.update(transition(job, "Starting", now))
        with self._finished:  # the quota and the name are decided at once, and who finds the job can stop it
            self._check_quota()
            with self._records.lock:
                if not self._records.create(table(kind), name, job):
                    raise _taken(kind, name)
                self._tags.set(arn, request.get("Tags", []))
            stop = self._stops[kind, name] = threading.Event()
        threading.Thread(target=self._run, args=(kind, job, stop, run), name=name, daemon=True).start()
        return {f"{kind}JobArn": arn}

    def _check_quota(self) -> None:
        running = len(self._stops)
        if running >= self._quota:
            raise ServiceError(
                "ResourceLimitExceeded",
                f"The account-level service limit 'Number of jobs in progress' is {self._quota} Jobs, with current "
                f"utilization of {running} Jobs and a request delta of 1 Jobs. Set SAGEMAKER_LOCAL_JOB_QUOTA when the "
                "server starts to change it.",
            )

    def _run(self, kind: str, job: Request, stop: threading.Event, run: Callable[..., Outcome]) -> None:
        name = job[f"{kind}JobName"]

        def threads() -> int:
            return max(1, self._cores // max(1, len(self._stops)))

        try:
            outcome = run(job, stop, threads, lambda status: self._phase(kind, name, status))
            if kind == "Training" and self._metrics is not None:
                self._metrics.ended(job, list(self._runtimes[kind].logs(name).values()))
        except Exception as error:
            outcome = Outcome("Failed", f"InternalServerError: {reason_of(error)}")
        self._end(kind, name, outcome)

    def _end(self, kind: str, name: str, outcome: Outcome) -> None:
        def write() -> None:
            with self._records.lock:
                self._records.update(table(kind), name, ending(kind, self.get(kind, name), outcome))

        try:
            self._records.insist(write)
        finally:
            with self._finished:
                self._stops.pop((kind, name), None)
                self._finished.notify_all()

    def _phase(self, kind: str, name: str, status: str) -> None:
        with self._records.lock:
            if status in MESSAGES and status not in FINAL and status != "MaxRuntimeExceeded":  # see _end
                self._records.update(table(kind), name, phase(kind, self.get(kind, name), status, time.time()))

    def get(self, kind: str, name: str) -> Request:
        """The record of one job; the error of its kind where there is none."""
        job = self._records.get(table(kind), name)
        if job is None:
            raise _missing(kind, name)
        return job

    def stop(self, kind: str, name: str) -> Request:
        """Ask a running job to stop; ValidationException where it has ended."""
        with self._finished, self._records.lock:
            job = self.get(kind, name)
            stop = self._stops.get((kind, name))
            if stop is None or job[f"{kind}JobStatus"] in FINAL:
                raise invalid(f"The request was rejected because the {kind.lower()} job {name} has already ended.")
            if job[f"{kind}JobStatus"] != "Stopping":
                changes = transition(job, "Stopping", time.time()) if kind == "Training" else {}
                self._records.update(table(kind), name, {f"{kind}JobStatus": "Stopping", **changes})
            stop.set()
        return {}

    def delete(self, kind: str, name: str) -> Request:
        """Forget a job that has ended: its name is free again."""
        with self._finished, self._records.lock:
            job = self.get(kind, name)
            if job[f"{kind}JobStatus"] not in FINAL:
                raise ServiceError("ResourceInUse", f"The {kind.lower()} job {name} has not ended: stop it first.")
            self._records.delete(table(kind), name)
            self._records.delete(TAGS, job[f"{kind}JobArn"])
        return {}


def _admit(admission: Callable[[Request], None], request: Request) -> None:
    try:
        admission(request)
    except ClientFault as fault:
        raise invalid(str(fault)) from None


def _taken(kind: str, name: str) -> ServiceError:
    return ServiceError("ResourceInUse", f"Job name must be unique: {kind.lower()} job {name} already exists.")


def _missing(kind: str, name: str) -> ServiceError:
    if kind in ("Processing", "Transform"):
        return not_found(f"Could not find requested job with name: {name}")
    return invalid(f"Requested resource not found: {kind.lower()} job {name}.")


def table(kind: str) -> Kind[Document]:
    """The kind of the records of a kind of job."""
    return {"Processing": PROCESSING_JOB, "Training": TRAINING_JOB, "Transform": TRANSFORM_JOB}[kind]
