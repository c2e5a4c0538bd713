"""What a tuning job tells of its training jobs: summaries, counters, and the best of them."""

from collections.abc import Iterable
from typing import Any

from local_sagemaker.jobs.algorithm import logged_metrics
from local_sagemaker.tuning.plan import EARLY_STOPPING, OBJECTIVE_HYPERPARAMETER, Plan
from local_sagemaker.tuning.run import objective_value

Document = dict[str, Any]
TOP = 50  # the service keeps the fifty best for the properties of a Tuning step
RUNNING = ("InProgress", "Stopping")


def described_request(document: Document, plan: Plan) -> Document:
    """A request as DescribeHyperParameterTuningJob answers it: with the service's own hyperparameter and its defaults.

    The SDK's HyperparameterTuner.attach() reads them.
    """
    config = {EARLY_STOPPING: "Off", **document["HyperParameterTuningJobConfig"]}
    described = {**document, "HyperParameterTuningJobConfig": config}
    if given := document.get("TrainingJobDefinition"):
        described["TrainingJobDefinition"] = _described_definition(given, plan)
    if several := document.get("TrainingJobDefinitions"):
        described["TrainingJobDefinitions"] = [_described_definition(each, plan) for each in several]
    return described


def _described_definition(definition: Document, plan: Plan) -> Document:
    static = {**definition.get("StaticHyperParameters", {}), OBJECTIVE_HYPERPARAMETER: plan.metric}
    algorithm = definition["AlgorithmSpecification"]
    metrics = logged_metrics(algorithm, static)
    named = {"MetricDefinitions": metrics} if metrics else {}
    described = {**definition, "StaticHyperParameters": static, "AlgorithmSpecification": {**algorithm, **named}}
    resources = definition.get("HyperParameterTuningResourceConfig", {})
    if "InstanceType" in resources:
        described = {"ResourceConfig": resources, **described}
    return described


def summary(job: Document, plan: Plan) -> Document:
    """The shape HyperParameterTrainingJobSummary of one training job's record."""
    value = objective_value(job, plan.metric)
    pending = job["TrainingJobStatus"] in RUNNING
    objective = None
    if value is not None:
        objective = {
            "Type": "Maximize" if plan.maximize else "Minimize",
            "MetricName": plan.metric,
            "Value": value,
        }
    return {
        "TrainingJobDefinitionName": plan.definition.get("DefinitionName"),
        "TrainingJobName": job["TrainingJobName"],
        "TrainingJobArn": job["TrainingJobArn"],
        "CreationTime": job["CreationTime"],
        "TrainingStartTime": job.get("TrainingStartTime"),
        "TrainingEndTime": job.get("TrainingEndTime"),
        "TrainingJobStatus": job["TrainingJobStatus"],
        "TunedHyperParameters": job["TunedHyperParameters"],
        "FailureReason": job.get("FailureReason"),
        "FinalHyperParameterTuningJobObjectiveMetric": objective,
        "ObjectiveStatus": "Pending" if pending else "Failed" if value is None else "Succeeded",
    }


def ranked(summaries: Iterable[Document], plan: Plan) -> list[Document]:
    """Those with a value of the objective, the best first, and of equals the one that was created first."""
    valued = [each for each in summaries if each["FinalHyperParameterTuningJobObjectiveMetric"]]
    sign = -1 if plan.maximize else 1
    return sorted(valued, key=lambda each: sign * each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


def progress(jobs: list[Document], plan: Plan) -> Document:
    """The fields of DescribeHyperParameterTuningJob that its training jobs make."""
    summaries = [summary(job, plan) for job in jobs]
    statuses = [job["TrainingJobStatus"] for job in jobs]
    objectives = [each["ObjectiveStatus"] for each in summaries]
    best = ranked(summaries, plan)[:1]
    ran = [job for job in jobs if {"TrainingStartTime", "TrainingEndTime"} <= job.keys()]
    seconds = sum(job["TrainingEndTime"] - job["TrainingStartTime"] for job in ran)
    return {
        "TrainingJobStatusCounters": {
            "Completed": statuses.count("Completed"),
            "InProgress": sum(status in RUNNING for status in statuses),
            "RetryableError": 0,
            "NonRetryableError": statuses.count("Failed"),
            "Stopped": statuses.count("Stopped"),
        },
        "ObjectiveStatusCounters": {name: objectives.count(name) for name in ("Succeeded", "Pending", "Failed")},
        "BestTrainingJob": best[0] if best else None,
        "ConsumedResources": {"RuntimeInSeconds": round(seconds)},
    }
