"""Steps of the SDK with what it has no argument for."""

from collections.abc import Sequence
from typing import Any

from sagemaker.mlops.workflow.steps import TrainingStep, TuningStep


class EntrypointTrainingStep(TrainingStep):  # type: ignore[misc]
    """A training step whose container runs a command: ModelTrainer knows its own script only."""

    entrypoint: Sequence[str] = ()

    @property
    def arguments(self) -> Any:
        """The request of the training job."""
        request = super().arguments
        request["AlgorithmSpecification"]["ContainerEntrypoint"] = list(self.entrypoint)
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
