"""What Search looks through: the resources of each kind, with the fields that only Search has."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from local_sagemaker.api.job_description import training_job
from local_sagemaker.api.model_cards import latest
from local_sagemaker.lineage.entities import COMPONENT, Graph
from local_sagemaker.lineage.experiments import Experiments
from local_sagemaker.state.record_kinds import (
    ENDPOINT,
    ENDPOINT_CONFIG,
    EXECUTION,
    MODEL,
    MODEL_PACKAGE,
    MODEL_PACKAGE_GROUP,
    PIPELINE,
    PIPELINE_VERSION,
    TRAINING_JOB,
    TRANSFORM_JOB,
    TUNING_JOB,
)
from local_sagemaker.state.records import Kind, Records

Document = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """The resources of one kind: the field with their ARN, all of them, and their member of SearchRecord."""

    arn: str
    all: Callable[[], Iterable[Document]]
    member: str = ""


def sources(
    records: Records,
    endpoint: Callable[[str], Document],
    tuning: Callable[[Document], Document],
    graph: Callable[[], Graph],
) -> dict[str, Source]:
    """By the names of ResourceType; `endpoint` and `tuning` are what Describe says of one."""

    def plain(kind: Kind[Any]) -> Callable[[], Iterable[Document]]:
        return partial(records.all, kind)

    return {
        "TrainingJob": Source("TrainingJobArn", lambda: map(training_job, records.all(TRAINING_JOB))),
        "HyperParameterTuningJob": Source(
            "HyperParameterTuningJobArn", lambda: map(tuning, records.all(TUNING_JOB)), "HyperParameterTuningJob"
        ),
        "ModelPackage": Source("ModelPackageArn", plain(MODEL_PACKAGE)),
        "ModelPackageGroup": Source("ModelPackageGroupArn", plain(MODEL_PACKAGE_GROUP)),
        "ModelCard": Source("ModelCardArn", lambda: latest(records)),
        "Model": Source("ModelArn", lambda: _models(records)),
        "Endpoint": Source(
            "EndpointArn", lambda: (endpoint(each["EndpointName"]) for each in records.all(ENDPOINT)), "Endpoint"
        ),
        "Pipeline": Source("PipelineArn", plain(PIPELINE)),
        "PipelineExecution": Source("PipelineExecutionArn", lambda: _executions(records)),
        "PipelineVersion": Source("PipelineArn", lambda: _versions(records)),
        "Experiment": Source("ExperimentArn", lambda: _trials(Experiments(records, graph()).experiments)),
        "ExperimentTrial": Source("TrialArn", lambda: _trials(Experiments(records, graph()).trials), "Trial"),
        "ExperimentTrialComponent": Source(
            "TrialComponentArn", lambda: _components(records, graph()), "TrialComponent"
        ),
    }


def _models(records: Records) -> Iterable[Document]:
    """Models as the model dashboard shows them; their own fields stand there, too, to be sorted by."""
    serving: dict[str, list[Document]] = {}
    for endpoint in records.all(ENDPOINT):
        config = records.get(ENDPOINT_CONFIG, endpoint["EndpointConfigName"]) or {}
        for variant in config.get("ProductionVariants", []):
            serving.setdefault(variant.get("ModelName", ""), []).append({**endpoint})
    jobs = {job["ModelName"]: job for job in records.all(TRANSFORM_JOB)}
    for model in records.all(MODEL):
        name = model["ModelName"]
        yield {
            **model,
            "Model": model,
            "Endpoints": serving.get(name),
            "LastBatchTransformJob": jobs.get(name),
        }


def _executions(records: Records) -> Iterable[Document]:
    for execution in records.all(EXECUTION):
        version = records.get(PIPELINE_VERSION, f"{execution['PipelineArn']}/{execution.get('PipelineVersionId')}")
        yield {
            **execution,
            "PipelineParameters": [
                {"Name": name, "Value": value if isinstance(value, str) else json.dumps(value)}
                for name, value in execution.get("ParameterValues", {}).items()
            ],
            "PipelineVersionDisplayName": (version or {}).get("PipelineVersionDisplayName"),
        }


def _versions(records: Records) -> Iterable[Document]:
    for version in records.all(PIPELINE_VERSION):
        last = version.get("LastExecutionPipelineExecutionArn")
        execution = records.get(EXECUTION, last) if last else None
        found: Mapping[str, Any] = execution or {}
        yield {
            **version,
            "LastExecutedPipelineExecutionArn": last,
            "LastExecutedPipelineExecutionDisplayName": found.get("PipelineExecutionDisplayName"),
            "LastExecutedPipelineExecutionStatus": found.get("PipelineExecutionStatus"),
        }


def _trials(trials: Mapping[str, Any]) -> Iterable[Document]:
    for trial in trials.values():
        yield {**trial.described(), "TrialComponentSummaries": [each.described() for each in trial.components]}


def _components(records: Records, graph: Graph) -> Iterable[Document]:
    parents: dict[str, list[Document]] = {}
    for trial in Experiments(records, graph).trials.values():
        for component in trial.components:
            names = {"TrialName": trial.name, "ExperimentName": trial.experiment}
            parents.setdefault(component.arn, []).append(names)
    for entity in graph.of(COMPONENT):
        yield {**entity.described(), "Parents": parents.get(entity.arn)}
