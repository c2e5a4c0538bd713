"""The operations about hyperparameter tuning jobs."""

from local_sagemaker.api.listing import page
from local_sagemaker.tuning.plan import plan
from local_sagemaker.tuning.summaries import summary
from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.work.tuning import STATUS, Tuning


class TuningOperations:
    """Create, Describe, List, Stop and Delete of tuning jobs, and the list of the training jobs of one."""

    def __init__(self, tuning: Tuning) -> None:
        self._tuning = tuning

    def create_hyper_parameter_tuning_job(self, request: Request, caller: Caller) -> Request:
        """Start a tuning job."""
        return self._tuning.start(request, caller)

    def describe_hyper_parameter_tuning_job(self, request: Request, caller: Caller) -> Request:
        """One tuning job, with the counters and the best of its training jobs."""
        return self._tuning.described(self._tuning.get(request["HyperParameterTuningJobName"]))

    def list_hyper_parameter_tuning_jobs(self, request: Request, caller: Caller) -> Request:
        """Tuning jobs, oldest first unless SortOrder says otherwise."""
        documents = [self._tuning.described(document) for document in self._tuning.all()]
        for document in documents:
            config = document["HyperParameterTuningJobConfig"]
            document.update(Strategy=config["Strategy"], ResourceLimits=config["ResourceLimits"])
        return page(
            documents,
            {**request, "SortBy": request.get("SortBy", "CreationTime")},
            result="HyperParameterTuningJobSummaries",
            name="HyperParameterTuningJobName",
            status=STATUS,
            order="Ascending",
        )

    def list_training_jobs_for_hyper_parameter_tuning_job(self, request: Request, caller: Caller) -> Request:
        """The training jobs of one tuning job, by name unless SortBy says otherwise.

        By FinalObjectiveMetricValue, those without a value are left out, as the service does it.
        """
        document = self._tuning.get(request["HyperParameterTuningJobName"])
        summaries = [summary(job, plan(document)) for job in self._tuning.training_jobs(document)]
        if request.get("SortBy") == "FinalObjectiveMetricValue":
            summaries = [each for each in summaries if each["FinalHyperParameterTuningJobObjectiveMetric"]]
            for each in summaries:
                each["FinalObjectiveMetricValue"] = each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        return page(
            summaries,
            {**request, "SortBy": request.get("SortBy", "Name")},
            result="TrainingJobSummaries",
            name="TrainingJobName",
            status="TrainingJobStatus",
            order="Ascending",
        )

    def stop_hyper_parameter_tuning_job(self, request: Request, caller: Caller) -> Request:
        """Stop a tuning job and the training jobs that it runs."""
        self._tuning.stop(request["HyperParameterTuningJobName"])
        return {}

    def delete_hyper_parameter_tuning_job(self, request: Request, caller: Caller) -> Request:
        """Delete a tuning job that has ended; its training jobs stay."""
        self._tuning.delete(request["HyperParameterTuningJobName"])
        return {}
