"""Batch transform jobs: the API's records around the transform runtime."""

import threading
from collections.abc import Callable

from local_sagemaker.api.job_description import transform_job
from local_sagemaker.api.jobs import page_of_jobs
from local_sagemaker.api.models import Models
from local_sagemaker.errors import invalid, unsupported
from local_sagemaker.processes.outcome import ClientFault, Outcome
from local_sagemaker.state.records import Records
from local_sagemaker.transform.data_processing import DataProcessing
from local_sagemaker.transform.job import TransformRuntime
from local_sagemaker.transform.records import Splitting
from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.work.job_history import STARTED
from local_sagemaker.work.jobs import Jobs


class Transform:
    """Create, Describe, List and Stop of transform jobs."""

    def __init__(self, records: Records, jobs: Jobs, models: Models, runtime: TransformRuntime) -> None:
        self._records = records
        self._jobs = jobs
        self._models = models
        self._runtime = runtime

    def create_transform_job(self, request: Request, caller: Caller) -> Request:
        """Start a transform job; an invalid request fails at once."""
        if request.get("DataCaptureConfig"):
            raise unsupported("data capture of transform jobs (DataCaptureConfig)")
        try:
            Splitting.of(request)
            DataProcessing.of(request)
        except ClientFault as fault:
            raise invalid(str(fault)) from None
        containers = self._models.containers(request["ModelName"], caller)
        if any(container.get("Mode") == "MultiModel" for container in containers):
            raise invalid(f"The model {request['ModelName']} is multi-model: batch transform does not support it.")

        def run(
            job: Request, stop: threading.Event, _threads: Callable[[], int], on_status: Callable[[str], None]
        ) -> Outcome:
            on_status(STARTED)
            return self._runtime.run(job, containers, stop)

        return self._jobs.create("Transform", request, caller, run)

    def describe_transform_job(self, request: Request, caller: Caller) -> Request:
        """One transform job."""
        return transform_job(self._jobs.get("Transform", request["TransformJobName"]))

    def list_transform_jobs(self, request: Request, caller: Caller) -> Request:
        """Transform jobs, newest first."""
        return page_of_jobs(self._records, "Transform", request)

    def stop_transform_job(self, request: Request, caller: Caller) -> Request:
        """Ask a transform job to stop."""
        return self._jobs.stop("Transform", request["TransformJobName"])

    def recover(self) -> None:
        """End and delete what a server that was killed has left of its jobs."""
        self._runtime.reap()
