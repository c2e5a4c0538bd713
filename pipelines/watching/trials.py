"""What a tuning step tried: each training job with its hyperparameters and its metric, and the one that won."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.clients import SageMakerClient
from pipelines.watching.executions import ExecutionSummary, StepSummary

KIND = "TuningJob"


@dataclass(frozen=True)
class Trial:
    """One training job. `objective` is None where it has not measured it; `seconds` where it has not ended."""

    job: str
    status: str
    seconds: float | None
    objective: float | None
    hyperparameters: dict[str, str]
    best: bool


@dataclass(frozen=True)
class Tuning:
    """The trials of a step, the best first, and what they are compared by, as `Minimize validation:rmse`."""

    step: str
    job: str
    goal: str
    trials: tuple[Trial, ...]

    def document(self) -> dict[str, Any]:
        """As data for --json."""
        return asdict(self)


def tunings(sagemaker: SageMakerClient, execution: ExecutionSummary) -> list[Tuning]:
    """The searches of an execution's steps; of a step from the cache, the search that its result is of."""
    return [_tuning(sagemaker, step) for step in execution.steps if step.job is not None and step.job.kind == KIND]


def _tuning(sagemaker: SageMakerClient, step: StepSummary) -> Tuning:
    name = step.job.name if step.job is not None else ""
    about = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    objective = about["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective", {})
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name
    )
    best = about.get("BestTrainingJob", {}).get("TrainingJobName")
    trials = [_trial(entry, best) for page in pages for entry in page["TrainingJobSummaries"]]
    falling = objective.get("Type") == "Maximize"
    measured = sorted(
        (trial for trial in trials if trial.objective is not None),
        key=lambda trial: trial.objective or 0.0,
        reverse=falling,
    )
    goal = f"{objective.get('Type', '')} {objective.get('MetricName', '')}".strip()
    return Tuning(step.name, name, goal, (*measured, *(trial for trial in trials if trial.objective is None)))


def _trial(entry: Mapping[str, Any], best: str | None) -> Trial:
    metric = entry.get("FinalHyperParameterTuningJobObjectiveMetric", {})
    start, end = entry.get("TrainingStartTime"), entry.get("TrainingEndTime")
    return Trial(
        entry["TrainingJobName"],
        entry["TrainingJobStatus"],
        (end - start).total_seconds() if start is not None and end is not None else None,
        metric.get("Value"),
        dict(entry.get("TunedHyperParameters", {})),
        entry["TrainingJobName"] == best,
    )
