"""Steps of the SDK with what it has no argument for."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep, TuningStep


class EntrypointTrainingStep(TrainingStep):  # type: ignore[misc]
    """A training step whose container runs a command: ModelTrainer knows its own script only."""

    entrypoint: Sequence[str] = ()

    @property
    def arguments(self) -> Any:
        """The request of the training job."""
        request = super().arguments
        request["AlgorithmSpecification"]["ContainerEntrypoint"] = list(self.entrypoint)
        return request


class QueryingStep(ProcessingStep):  # type: ignore[misc]
    """A processing step with inputs that are queries: the SDK leaves their definitions out of the request."""

    queries: Mapping[str, Any] = MappingProxyType({})

    @property
    def arguments(self) -> Any:
        """The request of the processing job."""
        request = super().arguments
        for entry in request["ProcessingInputs"]:
            if entry["InputName"] in self.queries:
                entry["DatasetDefinition"] = self.queries[entry["InputName"]]
        return request


class EncryptedTuningStep(TuningStep):  # type: ignore[misc]
    """A tuning step whose training jobs have encrypted volumes: the SDK's tuner forgets the trainer's key."""

    volume_kms_key: str | None = None

    @property
    def arguments(self) -> Any:
        """The request of the tuning job."""
        request = super().arguments
        if self.volume_kms_key:
            request["TrainingJobDefinition"]["ResourceConfig"]["VolumeKmsKeyId"] = self.volume_kms_key
        return request
