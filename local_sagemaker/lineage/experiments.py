"""Experiments and trials of pipelines, as PipelineExperimentConfig names them: each execution is a trial."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from local_sagemaker.lineage.entities import COMPONENT, Document, Entity, Graph
from local_sagemaker.lineage.graph import component_arn
from local_sagemaker.state.record_kinds import EXECUTION, EXECUTION_STEP
from local_sagemaker.state.record_types import ExecutionRecord, StepRecord
from local_sagemaker.state.records import Records


@dataclass
class Trial:
    """A trial, or an experiment where `experiment` is empty: when it was there first and last, and its components."""

    arn: str
    name: str
    experiment: str
    source: str
    created: float
    modified: float
    components: list[Entity] = field(default_factory=list)

    def described(self) -> Document:
        """The answer of its Describe operation, which is its summary too."""
        kind = "Trial" if self.experiment else "Experiment"
        source = {"SourceArn": self.source, "SourceType": "SageMakerPipeline"}
        return {
            f"{kind}Name": self.name,
            f"{kind}Arn": self.arn,
            **({"ExperimentName": self.experiment} if self.experiment else {}),
            "DisplayName": self.name,
            "Source": source,
            f"{kind}Source": source,
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
        }


class Experiments:
    """All experiments and trials that the executions of pipelines have made, by their names."""

    def __init__(self, records: Records, graph: Graph) -> None:
        self.experiments: dict[str, Trial] = {}
        self.trials: dict[str, Trial] = {}
        for execution in records.all(EXECUTION):
            config = execution.get("PipelineExperimentConfig") or {}
            if config.get("ExperimentName"):
                experiment = str(config["ExperimentName"])
                self._merge(self.experiments, _trial(execution, experiment, ""))
                if config.get("TrialName"):
                    trial = self._merge(self.trials, _trial(execution, str(config["TrialName"]), experiment))
                    trial.components += _components(records, graph, execution)

    @staticmethod
    def _merge(known: dict[str, Trial], new: Trial) -> Trial:
        trial = known.setdefault(new.name, new)
        trial.modified = max(trial.modified, new.modified)
        return trial

    def components(self, experiment: str | None = None, trial: str | None = None) -> list[Entity]:
        """The trial components of an experiment or of a trial."""
        trials = [
            each
            for each in self.trials.values()
            if experiment in (None, each.experiment) and trial in (None, each.name)
        ]
        return list({entity.arn: entity for each in trials for entity in each.components}.values())


def _trial(execution: ExecutionRecord, name: str, experiment: str) -> Trial:
    arn = execution["PipelineExecutionArn"]
    place, kind = arn.partition(":pipeline/")[0], "experiment-trial" if experiment else "experiment"
    source = arn if experiment else execution["PipelineArn"]
    created, modified = execution["CreationTime"], execution["LastModifiedTime"]
    return Trial(f"{place}:{kind}/{name.lower()}", name, experiment, source, created, modified)


def _components(records: Records, graph: Graph, execution: ExecutionRecord) -> Iterator[Entity]:
    for step in records.all(EXECUTION_STEP, prefix=f"{execution['PipelineExecutionArn']}/"):
        for arn in _jobs(step):
            entity = graph.entities.get(component_arn(arn))
            if entity is not None and entity.lineage_type == COMPONENT:
                yield entity


def _jobs(step: StepRecord) -> Iterator[str]:
    for name in ("TrainingJob", "ProcessingJob", "TransformJob"):
        arn = step.get("Metadata", {}).get(name, {}).get("Arn")
        if arn and "CacheHitResult" not in step:
            yield str(arn)
