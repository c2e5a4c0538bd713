"""The operations about processing and training jobs."""

from local_sagemaker.api.job_description import training_job
from local_sagemaker.api.listing import page_of
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.work.jobs import Jobs, table


class JobOperations:
    """Create, Describe, List, Stop and Delete."""

    def __init__(self, records: Records, jobs: Jobs) -> None:
        self._records = records
        self._jobs = jobs

    def create_processing_job(self, request: Request, caller: Caller) -> Request:
        """Start a processing job."""
        return self._jobs.start_processing_job(request, caller)

    def create_training_job(self, request: Request, caller: Caller) -> Request:
        """Start a training job."""
        return self._jobs.start_training_job(request, caller)

    def describe_processing_job(self, request: Request, caller: Caller) -> Request:
        """One processing job."""
        return self._jobs.get("Processing", request["ProcessingJobName"])

    def describe_training_job(self, request: Request, caller: Caller) -> Request:
        """One training job, with the location of its artifacts."""
        return training_job(self._jobs.get("Training", request["TrainingJobName"]))

    def list_processing_jobs(self, request: Request, caller: Caller) -> Request:
        """Processing jobs, newest first."""
        return page_of_jobs(self._records, "Processing", request)

    def list_training_jobs(self, request: Request, caller: Caller) -> Request:
        """Training jobs, newest first; none has a warm pool or a training plan."""
        if "WarmPoolStatusEquals" in request or "TrainingPlanArnEquals" in request:
            return {"TrainingJobSummaries": []}
        return page_of_jobs(self._records, "Training", request)

    def stop_processing_job(self, request: Request, caller: Caller) -> Request:
        """Ask a processing job to stop."""
        return self._jobs.stop("Processing", request["ProcessingJobName"])

    def stop_training_job(self, request: Request, caller: Caller) -> Request:
        """Ask a training job to stop."""
        return self._jobs.stop("Training", request["TrainingJobName"])

    def delete_processing_job(self, request: Request, caller: Caller) -> Request:
        """Delete a processing job that has ended; its name is free again."""
        return self._jobs.delete("Processing", request["ProcessingJobName"])

    def delete_training_job(self, request: Request, caller: Caller) -> Request:
        """Delete a training job that has ended; its name is free again."""
        return self._jobs.delete("Training", request["TrainingJobName"])


def page_of_jobs(records: Records, kind: str, request: Request) -> Request:
    """One page of the jobs of a kind, newest first."""
    return page_of(
        records,
        table(kind),
        request,
        result=f"{kind}JobSummaries",
        name=f"{kind}JobName",
        status=f"{kind}JobStatus",
    )
