"""Processing and training jobs: the API's records around the real processes of the job runtime."""

import threading
import time
from collections.abc import Callable, Iterator

from local_sagemaker.api.dispatch import Caller, Request
from local_sagemaker.api.listing import page
from local_sagemaker.api.tags import Tags
from local_sagemaker.errors import ServiceError, invalid, not_found
from local_sagemaker.jobs.log_events import LogStream
from local_sagemaker.jobs.metrics import metric_data, metric_definitions
from local_sagemaker.jobs.outcome import ClientFault, Outcome
from local_sagemaker.jobs.runtime import JobRuntime
from local_sagemaker.records import Records

FINAL = ("Completed", "Failed", "Stopped")
CRASHED = "InternalServerError: local SageMaker stopped while the job was running."


class Jobs:
    """Create, Describe, List and Stop for each type of job; a running job is a thread with a child process.

    At most `quota` jobs run at once; one more is refused with ResourceLimitExceeded, as the service refuses it.
    """

    def __init__(self, records: Records, runtime: JobRuntime, tags: Tags, cores: int, quota: int) -> None:
        self._records = records
        self._runtime = runtime
        self._tags = tags
        self._cores = cores
        self._quota = quota
        self._stops: dict[tuple[str, str], threading.Event] = {}
        self._finished = threading.Condition()

    def create_processing_job(self, request: Request, caller: Caller) -> Request:
        """Start a processing job."""
        return self._create("Processing", request, caller, self._runtime.run_processing_job)

    def check_training_job(self, request: Request) -> None:
        """Refuse what create_training_job would refuse of a request that has its shape."""
        try:
            metric_definitions(request["AlgorithmSpecification"].get("MetricDefinitions", []))
        except ClientFault as fault:
            raise invalid(str(fault)) from None

    def create_training_job(self, request: Request, caller: Caller) -> Request:
        """Start a training job."""
        name = request["TrainingJobName"]
        self.check_training_job(request)

        def run(job: Request, stop: threading.Event, threads: int) -> Outcome:
            return self._runtime.run_training_job(
                job, stop, threads, lambda status: self._secondary_status(name, status)
            )

        return self._create("Training", request, caller, run)

    def describe_processing_job(self, request: Request, caller: Caller) -> Request:
        """One processing job."""
        return self._get("Processing", request["ProcessingJobName"])

    def describe_training_job(self, request: Request, caller: Caller) -> Request:
        """One training job."""
        return self._get("Training", request["TrainingJobName"])

    def list_processing_jobs(self, request: Request, caller: Caller) -> Request:
        """Processing jobs, newest first."""
        return self._list("Processing", request)

    def list_training_jobs(self, request: Request, caller: Caller) -> Request:
        """Training jobs, newest first."""
        return self._list("Training", request)

    def stop_processing_job(self, request: Request, caller: Caller) -> Request:
        """Ask a processing job to stop."""
        return self.stop("Processing", request["ProcessingJobName"])

    def stop_training_job(self, request: Request, caller: Caller) -> Request:
        """Ask a training job to stop."""
        return self.stop("Training", request["TrainingJobName"])

    def log_streams(self, kind: str, prefix: str) -> Iterator[LogStream]:
        """What the jobs of a kind have logged, in the streams whose names start with a prefix."""
        name, slash, _ = prefix.partition("/")
        found = self._records.get(_table(kind), name) if slash else None
        for job in [found] if found else [] if slash else self._records.all(_table(kind)):
            name = job[f"{kind}JobName"]
            if name.startswith(prefix.partition("/")[0]):
                ended = job[f"{kind}JobStatus"] in FINAL
                for host, log in self._runtime.logs(name).items():
                    if log.created is not None:
                        yield LogStream(f"{name}/{host}-{log.created // 1000}", log, ended)

    def wait(self, kind: str, name: str) -> Request:
        """Return the job's record once it has ended."""
        with self._finished:
            self._finished.wait_for(lambda: (kind, name) not in self._stops)
        return self._get(kind, name)

    def running(self) -> list[tuple[str, str]]:
        """Kind and name of every job that has not ended."""
        return list(self._stops)

    def recover(self) -> None:
        """After a kill -9: what was running is gone, and says so."""
        self._runtime.reap()
        for kind in ("Processing", "Training"):
            for job in self._records.all(_table(kind)):
                if job[f"{kind}JobStatus"] not in FINAL:
                    self._end(kind, job[f"{kind}JobName"], Outcome("Failed", CRASHED))

    def _create(self, kind: str, request: Request, caller: Caller, run: Callable[..., Outcome]) -> Request:
        name, now = request[f"{kind}JobName"], time.time()
        arn = caller.arn(f"{kind.lower()}-job/{name}")
        job = {
            **request,
            f"{kind}JobArn": arn,
            f"{kind}JobStatus": "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
            f"{kind}StartTime": now,
        }
        if kind == "Training":
            job.update(SecondaryStatus="Starting", SecondaryStatusTransitions=[])
        running = len(self._stops)
        if running >= self._quota:
            raise ServiceError(
                "ResourceLimitExceeded",
                f"The account-level service limit 'Number of jobs in progress' is {self._quota} Jobs, with current "
                f"utilization of {running} Jobs and a request delta of 1 Jobs. Set SAGEMAKER_LOCAL_JOB_QUOTA when the "
                "server starts to change it.",
            )
        with self._records.lock:
            if not self._records.create(_table(kind), name, job):
                raise _taken(kind, name)
            self._tags.add_tags({"ResourceArn": arn, "Tags": request.get("Tags", [])}, caller)
        stop = self._stops[kind, name] = threading.Event()
        threading.Thread(target=self._run, args=(kind, job, stop, run), name=name, daemon=True).start()
        return {f"{kind}JobArn": arn}

    def _run(self, kind: str, job: Request, stop: threading.Event, run: Callable[..., Outcome]) -> None:
        threads = max(1, self._cores // max(1, len(self._stops)))
        try:
            outcome = run(job, stop, threads)
        except Exception as error:
            outcome = Outcome("Failed", f"InternalServerError: {type(error).__name__}: {error}")
        self._end(kind, job[f"{kind}JobName"], outcome)

    def _end(self, kind: str, name: str, outcome: Outcome) -> None:
        now = time.time()
        changes: Request = {
            f"{kind}JobStatus": outcome.status,
            f"{kind}EndTime": now,
            "LastModifiedTime": now,
            "FailureReason": outcome.failure_reason,
        }
        if kind == "Processing":
            changes["ExitMessage"] = outcome.exit_message
        else:
            changes["SecondaryStatus"] = outcome.secondary_status or outcome.status
            changes["FinalMetricDataList"] = metric_data(outcome.metrics) or None
            if outcome.artifacts:
                changes["ModelArtifacts"] = {"S3ModelArtifacts": outcome.artifacts}
        try:
            self._records.insist(lambda: self._records.update(_table(kind), name, **changes))
        finally:
            with self._finished:
                self._stops.pop((kind, name), None)
                self._finished.notify_all()

    def _secondary_status(self, name: str, status: str) -> None:
        with self._records.lock:
            job = self._get("Training", name)
            if job["TrainingJobStatus"] == "InProgress":
                transitions = [
                    *job["SecondaryStatusTransitions"],
                    {"Status": status, "StartTime": time.time()},
                ]
                self._records.update(
                    _table("Training"), name, SecondaryStatus=status, SecondaryStatusTransitions=transitions
                )

    def _get(self, kind: str, name: str) -> Request:
        job = self._records.get(_table(kind), name)
        if job is None:
            raise _missing(kind, name)
        return job

    def _list(self, kind: str, request: Request) -> Request:
        return page(
            self._records.all(_table(kind)),
            request,
            result=f"{kind}JobSummaries",
            name=f"{kind}JobName",
            status=f"{kind}JobStatus",
        )

    def stop(self, kind: str, name: str) -> Request:
        """Ask a running job to stop; ValidationException where it has ended."""
        job = self._get(kind, name)
        stop = self._stops.get((kind, name))
        if stop is None or job[f"{kind}JobStatus"] in FINAL:
            raise invalid(f"The request was rejected because the {kind.lower()} job {name} has already ended.")
        self._records.update(_table(kind), name, **{f"{kind}JobStatus": "Stopping"})
        stop.set()
        return {}


def _taken(kind: str, name: str) -> ServiceError:
    return ServiceError("ResourceInUse", f"Job name must be unique: {kind.lower()} job {name} already exists.")


def _missing(kind: str, name: str) -> ServiceError:
    if kind == "Processing":
        return not_found(f"Could not find requested job with name: {name}")
    return invalid(f"Requested resource not found: {kind.lower()} job {name}.")


def _table(kind: str) -> str:
    return f"{kind.lower()}-job"
