"""Deleting configurations and models that no endpoint will return to: the last ones, and those in use, stay."""

from dataclasses import dataclass

from deployment.endpoint import describe_endpoint
from deployment.errors import DeploymentError
from deployment.live_shift import live_shift
from deployment.packages import SageMakerClient, is_missing
from deployment.rollback import history


@dataclass(frozen=True)
class Retired:
    """The names of what was deleted, and of the configurations that stay."""

    configs: tuple[str, ...]
    models: tuple[str, ...]
    kept: tuple[str, ...]


def retire(sagemaker: SageMakerClient, endpoint: str, keep: int) -> Retired:
    """Delete the configurations of an endpoint but the `keep` last deployed, and the models that none of these has.

    What serves, or is about to, stays beside these. DeploymentError where `keep` is less than 1.
    """
    if keep < 1:
        raise DeploymentError(f"--keep is {keep}: at least the last configuration must stay.")
    live = describe_endpoint(sagemaker, endpoint) or {}
    used = {live.get("EndpointConfigName"), live.get("PendingDeploymentSummary", {}).get("EndpointConfigName")}
    shift = live_shift(sagemaker, endpoint)
    if shift is not None:
        used |= {shift.previous, shift.following}
    configs = [config.name for config in history(sagemaker, endpoint)]
    kept = [name for number, name in enumerate(configs) if number < keep or name in used]
    leaving = [name for name in configs if name not in kept]
    needed = {model for name in kept for model in _models(sagemaker, name)}
    models = sorted({model for name in leaving for model in _models(sagemaker, name)} - needed)
    for name in leaving:
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
    deleted = [model for model in models if _delete_model(sagemaker, model)]
    return Retired(tuple(leaving), tuple(deleted), tuple(kept))


def _models(sagemaker: SageMakerClient, config: str) -> list[str]:
    description = sagemaker.describe_endpoint_config(EndpointConfigName=config)
    variants = [*description["ProductionVariants"], *description.get("ShadowProductionVariants", [])]
    return [variant["ModelName"] for variant in variants if "ModelName" in variant]


def _delete_model(sagemaker: SageMakerClient, name: str) -> bool:
    """Whether it was there to be deleted."""
    from botocore.exceptions import ClientError

    try:
        sagemaker.delete_model(ModelName=name)
    except ClientError as error:
        if not is_missing(error):
            raise
        return False
    return True
