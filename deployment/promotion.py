"""Whether what one stage runs may go to the next: how long it has served, how much it was asked, and without alarm."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from deployment.endpoint import describe_endpoint
from deployment.errors import DeploymentError
from deployment.fleet_metrics import UNITS, FleetMetrics
from deployment.guard import AlarmLimits
from deployment.packages import SageMakerClient
from deployment.serving import packages_of_config
from deployment.specification import TAG_DEPLOYED

LOOK_BACK_DAYS = 15  # for which CloudWatch keeps minutes


@dataclass(frozen=True)
class Conditions:
    """What must be so before a promotion; `limits` are what the version's metrics must have kept to all the time."""

    minutes: int = 0
    requests: int = 0
    limits: AlarmLimits | None = None


def promotable(sagemaker: SageMakerClient, cloudwatch: Any, endpoint: str, stage: str, conditions: Conditions) -> str:
    """The ARN of the version that a stage's endpoint serves, once it meets the conditions; DeploymentError before."""
    description = describe_endpoint(sagemaker, endpoint)
    if description is None or description["EndpointStatus"] != "InService":
        status = "not deployed" if description is None else description["EndpointStatus"]
        raise DeploymentError(f"The stage {stage} is {status}: there is nothing to promote.")
    config = description["EndpointConfigName"]
    packages = packages_of_config(sagemaker, config)
    if len(packages) != 1:
        raise DeploymentError(f"{endpoint} serves {len(packages)} versions: only one can be promoted.")
    began = _deployed_at(sagemaker, description)
    served = datetime.now(timezone.utc) - began
    if served < timedelta(minutes=conditions.minutes):
        raise DeploymentError(
            f"{endpoint} serves {config} for {served.total_seconds() / 60:.0f} min, and {conditions.minutes} min are "
            "needed before it is promoted (promote_after_minutes)."
        )
    since = max(began, datetime.now(timezone.utc) - timedelta(days=LOOK_BACK_DAYS))
    if conditions.requests:
        asked = FleetMetrics(cloudwatch, endpoint, config, since, 60).requests()
        if asked < conditions.requests:
            raise DeploymentError(
                f"{endpoint} was asked {asked} times since it serves {config}, and {conditions.requests} are needed "
                "before it is promoted (promote_after_requests)."
            )
    if conditions.limits is not None:
        metrics = FleetMetrics(cloudwatch, endpoint, config, since, conditions.limits.period_seconds)
        _require_kept(metrics, endpoint, conditions.limits)
    return packages[0]


def _require_kept(metrics: FleetMetrics, endpoint: str, limits: AlarmLimits) -> None:
    """DeploymentError where an alarm with these limits would have been raised."""
    latency = None if limits.max_latency_ms is None else limits.max_latency_ms * 1000
    for name, limit in (("Invocation5XXErrors", limits.max_error_rate), ("ModelLatency", latency)):
        if limit is None:
            continue
        points = metrics.series(name).points
        for number in range(len(points) - limits.evaluation_periods + 1):
            breaching = points[number : number + limits.evaluation_periods]
            if all(value > limit for _, value in breaching):
                moment, value = breaching[0]
                raise DeploymentError(
                    f"{endpoint} would have raised an alarm at {moment:%Y-%m-%d %H:%M} UTC: {name} "
                    f"({UNITS[name]}) was {value:g}, and {limit:g} is the most. It is not promoted."
                )


def _deployed_at(sagemaker: SageMakerClient, description: Mapping[str, Any]) -> datetime:
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=description["EndpointArn"])
    tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    moment: datetime = description["LastModifiedTime"]
    return datetime.fromisoformat(tags[TAG_DEPLOYED]) if TAG_DEPLOYED in tags else moment
