"""What the endpoints serve: which versions of the model, since when, on which machines."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deployment.endpoint import describe_endpoint
from deployment.packages import APPROVED, SageMakerClient, describe_package, is_missing

NOT_DEPLOYED = "not deployed"


@dataclass(frozen=True)
class ServedVersion:
    """A version of the model behind an endpoint; version and approval are None for a model without a package."""

    model: str
    version: int | None
    approval: str | None
    git_commit: str | None
    package: str | None
    percent: int | None = None  # of the requests, where there are several


@dataclass(frozen=True)
class StageStatus:
    """The endpoint of one stage. `since` is when SageMaker last changed it."""

    stage: str
    endpoint: str
    status: str
    config: str | None = None
    versions: tuple[ServedVersion, ...] = ()
    since: datetime | None = None
    instances: str | None = None
    failure_reason: str | None = None

    @property
    def versions_text(self) -> str:
        """The versions as people read them: `3 (1f2e3d4c5)`, with the status where it is not Approved."""
        return ", ".join(_text(version) for version in self.versions) or "-"


def stage_status(sagemaker: SageMakerClient, stage: str, endpoint: str) -> StageStatus:
    """How the endpoint of a stage stands; its status is NOT_DEPLOYED where there is none."""
    description = describe_endpoint(sagemaker, endpoint)
    if description is None:
        return StageStatus(stage, endpoint, NOT_DEPLOYED)
    config_name = description.get("EndpointConfigName")
    config = _config(sagemaker, config_name)
    variants = config.get("ProductionVariants", [])
    shares = _percents(description.get("ProductionVariants", []))
    return StageStatus(
        stage=stage,
        endpoint=endpoint,
        status=description["EndpointStatus"],
        config=config_name,
        versions=tuple(
            _served(sagemaker, variant["ModelName"], shares.get(variant["VariantName"]))
            for variant in variants
            if "ModelName" in variant
        ),
        since=description["LastModifiedTime"],
        instances=_instances(variants, description.get("ProductionVariants", [])),
        failure_reason=description.get("FailureReason"),
    )


def packages_of_config(sagemaker: SageMakerClient, config_name: str) -> list[str]:
    """The ARNs of the model packages behind an endpoint configuration; a model without one, or gone, adds none."""
    variants = _config(sagemaker, config_name).get("ProductionVariants", [])
    found = [_package_of_model(sagemaker, variant["ModelName"]) for variant in variants if "ModelName" in variant]
    return [arn for arn in found if arn is not None]


def _text(served: ServedVersion) -> str:
    if served.version is None:
        return f"{served.package.rpartition('/')[2]} (deleted!)" if served.package else served.model
    notes = [f"{served.percent}%"] if served.percent is not None else []
    if served.git_commit:
        notes.append(served.git_commit[:9])
    if served.approval != APPROVED:
        notes.append(f"{served.approval}!")
    return f"{served.version} ({', '.join(notes)})" if notes else str(served.version)


def _percents(live: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Which variant gets how much of the requests; nothing where there is just one."""
    weights = {each["VariantName"]: each.get("DesiredWeight", 0.0) for each in live}
    total = sum(weights.values())
    return {name: round(100 * weight / total) for name, weight in weights.items()} if len(live) > 1 and total else {}


def _served(sagemaker: SageMakerClient, model: str, percent: int | None) -> ServedVersion:
    arn = _package_of_model(sagemaker, model)
    package = describe_package(sagemaker, arn) if arn else None
    if package is None:
        return ServedVersion(model, None, None, None, arn, percent)
    return ServedVersion(model, package.version, package.approval, package.git_commit, arn, percent)


def _package_of_model(sagemaker: SageMakerClient, model: str) -> str | None:
    description = _or_missing(sagemaker.describe_model, ModelName=model)
    containers: list[dict[str, Any]] = description.get("Containers", [])
    container: dict[str, Any] = description.get("PrimaryContainer") or next(iter(containers), {})
    arn: str | None = container.get("ModelPackageName")
    return arn


def _config(sagemaker: SageMakerClient, name: str | None) -> dict[str, Any]:
    return _or_missing(sagemaker.describe_endpoint_config, EndpointConfigName=name) if name else {}


def _or_missing(describe: Any, **name: str) -> dict[str, Any]:
    """A description, or an empty one where someone deleted the thing behind the endpoint."""
    from botocore.exceptions import ClientError

    try:
        description: dict[str, Any] = describe(**name)
    except ClientError as error:
        if not is_missing(error):
            raise
        return {}
    return description


def _instances(variants: Iterable[dict[str, Any]], live: Iterable[dict[str, Any]]) -> str | None:
    """The machines as they are: scaling may have chosen another count than the configuration."""
    counts = {each["VariantName"]: each["CurrentInstanceCount"] for each in live if "CurrentInstanceCount" in each}
    parts = [
        f"{counts.get(variant['VariantName'], variant.get('InitialInstanceCount', 1))} x {variant['InstanceType']}"
        for variant in variants
        if "InstanceType" in variant
    ]
    return ", ".join(parts) or None
