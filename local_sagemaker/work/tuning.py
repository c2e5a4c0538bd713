"""Hyperparameter tuning jobs: the records around the runs that start their training jobs."""

import threading
import time

from local_sagemaker.errors import ServiceError, invalid, not_found
from local_sagemaker.state.record_kinds import TRAINING_JOB, TUNING_JOB
from local_sagemaker.state.records import Records
from local_sagemaker.tuning.plan import Plan, plan
from local_sagemaker.tuning.run import TuningRun
from local_sagemaker.tuning.search import Candidate
from local_sagemaker.tuning.summaries import TOP, described_request, progress, ranked, summary
from local_sagemaker.tuning.warm_start import check_parent, learned, parents
from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.work.jobs import Jobs
from local_sagemaker.work.tags import Tags

STATUS = "HyperParameterTuningJobStatus"
RUNNING = ("InProgress", "Stopping")
CRASHED = "InternalServerError: local SageMaker stopped while the tuning job was running."


class Tuning:
    """The tuning jobs that there are."""

    def __init__(self, records: Records, jobs: Jobs, tags: Tags) -> None:
        self._records = records
        self._jobs = jobs
        self._tags = tags
        self._live: dict[str, TuningRun] = {}
        self._finished = threading.Condition()

    def start(self, request: Request, caller: Caller) -> Request:
        """Start a tuning job; its ARN as CreateHyperParameterTuningJob answers it."""
        planned = plan(request)
        name, now = request["HyperParameterTuningJobName"], time.time()
        arn = caller.arn(f"hyper-parameter-tuning-job/{name}")
        document = {
            **request,
            "HyperParameterTuningJobArn": arn,
            STATUS: "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        known = [pair for parent in parents(request) for pair in self._learned(planned, parent)]
        self._jobs.check_training_job(planned.training_request(name, {}))

        def launch(training: Request, candidate: Candidate) -> None:
            self._jobs.start_training_job({**training, "TuningJobArn": arn, "TunedHyperParameters": candidate}, caller)

        run = TuningRun(
            name,
            planned,
            launch,
            wait=lambda job: self._jobs.wait("Training", job),
            halt=lambda job: self._jobs.stop("Training", job),
            finished=lambda status, reason: self._records.insist(lambda: self._end(name, status, reason)),
            known=known,
        )
        with self._records.lock:
            if not self._records.create(TUNING_JOB, name, document):
                raise ServiceError("ResourceInUse", f"Hyperparameter tuning job names must be unique: {name} exists.")
            self._tags.set(arn, request.get("Tags", []))
            self._live[name] = run
        run.start()
        return {"HyperParameterTuningJobArn": arn}

    def get(self, name: str) -> Request:
        """The record of one tuning job; ResourceNotFound where there is none."""
        document = self._records.get(TUNING_JOB, name)
        if document is None:
            raise not_found(f"Could not find requested hyperparameter tuning job with name: {name}")
        return document

    def all(self) -> list[Request]:
        """The records of all tuning jobs."""
        return self._records.all(TUNING_JOB)

    def described(self, document: Request) -> Request:
        """What Describe says: the record, with the counters and the best of its training jobs."""
        planned = plan(document)
        found = progress(self.training_jobs(document), planned)
        if names := parents(document):
            families = [document, *filter(None, (self._records.get(TUNING_JOB, name) for name in names))]
            summaries = [summary(job, planned) for each in families for job in self.training_jobs(each)]
            found["OverallBestTrainingJob"] = next(iter(ranked(summaries, planned)), None)
        return {**described_request(document, planned), **found}

    def _learned(self, planned: Plan, name: str) -> list[tuple[Candidate, float]]:
        """What a parent of a warm start has found; ValidationException where it cannot be one."""
        parent = self._records.get(TUNING_JOB, name)
        of_parent = plan(parent) if parent is not None else None
        check_parent(planned, name, parent, of_parent)
        jobs = self.training_jobs(parent) if parent is not None else []
        return learned(planned, (summary(job, planned) for job in jobs))

    def training_jobs(self, document: Request) -> list[Request]:
        """The records of the training jobs of one tuning job."""
        jobs = self._records.all(TRAINING_JOB, prefix=f"{document['HyperParameterTuningJobName']}-")
        return [job for job in jobs if job.get("TuningJobArn") == document["HyperParameterTuningJobArn"]]

    def delete(self, name: str) -> None:
        """Forget a tuning job that has ended; its training jobs stay."""
        document = self._records.get(TUNING_JOB, name)
        if document is not None and document[STATUS] in RUNNING:
            raise invalid(f"The tuning job {name} is {document[STATUS]}: stop it.")
        if document is not None:
            self._records.delete(TUNING_JOB, name)

    def stop(self, name: str) -> None:
        """Ask a running tuning job to stop; ValidationException where it has ended."""
        with self._records.lock:
            document = self.get(name)
            if document[STATUS] not in RUNNING:
                raise invalid(f"The request was rejected because the tuning job {name} has already ended.")
            self._records.update(TUNING_JOB, name, {STATUS: "Stopping", "LastModifiedTime": time.time()})
            run = self._live[name]
        run.stop()

    def wait(self, name: str) -> Request:
        """What Describe says of a tuning job once it has ended, and its best training jobs as TrainingJobSummaries."""
        with self._finished:
            self._finished.wait_for(lambda: self.get(name)[STATUS] not in RUNNING)
        document = self.get(name)
        planned = plan(document)
        best = ranked((summary(job, planned) for job in self.training_jobs(document)), planned)[:TOP]
        return {**self.described(document), "TrainingJobSummaries": best}

    def recover(self) -> None:
        """After a kill -9: what was running is gone, and says so."""
        for document in self._records.all(TUNING_JOB):
            if document[STATUS] in RUNNING:
                self._end(document["HyperParameterTuningJobName"], "Failed", CRASHED)

    def close(self, timeout: float) -> None:
        """Stop what runs and wait for it, at most timeout seconds each."""
        for name, run in list(self._live.items()):
            if self.get(name)[STATUS] in RUNNING:
                run.stop()
                run.join(timeout)

    def _end(self, name: str, status: str, reason: str | None) -> None:
        now = time.time()
        changes = {STATUS: status, "FailureReason": reason, "HyperParameterTuningEndTime": now, "LastModifiedTime": now}
        with self._finished, self._records.lock:
            self._records.update(TUNING_JOB, name, changes)
            self._live.pop(name, None)
            self._finished.notify_all()
