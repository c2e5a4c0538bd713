"""Back to the configuration that an endpoint served with before."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

from deployment.endpoint import (
    Announce,
    Contended,
    Waiting,
    require_serving,
    tag_serving,
    uncontended,
    wait_until_settled,
)
from deployment.errors import DeploymentError
from deployment.packages import APPROVED, SageMakerClient, describe_package
from deployment.serving import packages_of_config
from deployment.specification import TAG_DEPLOYED, TAG_ENDPOINT, TAG_ROLLED_BACK, TAG_VERSION, name_beginning, tag_list

ENDING = re.compile(r"-v\d+-[0-9a-f]{8}$")  # of the names that deployment.specification makes
LONGEST_ENDING = 20


@dataclass(frozen=True)
class PastConfig:
    """An endpoint configuration of ours, and when the endpoint last began and ceased to serve it."""

    name: str
    arn: str
    deployed: datetime
    rolled_back: datetime | None
    tags: Mapping[str, str]


@dataclass(frozen=True)
class RolledBack:
    """From which configuration to which, and the versions of the model in the latter."""

    endpoint: str
    left: str
    config: str
    versions: tuple[int, ...]


def rollback(
    sagemaker: SageMakerClient,
    endpoint: str,
    waiting: Waiting,
    announce: Announce,
    log: str,
    version: str | None = None,
) -> RolledBack:
    """Return to the configuration deployed last before the one that serves, or to the last one with a `version`.

    Passed over are configurations whose model package is not Approved (any more), and those that were
    rolled back from since they were deployed: so a second rollback goes further back, never to and fro.
    Raises DeploymentError where there is none, or where the service cannot bring it up; the endpoint then
    serves on as before.
    """
    before = wait_until_settled(sagemaker, endpoint, waiting, announce)
    if before is None:
        raise DeploymentError(f"Endpoint {endpoint} does not exist: there is nothing to roll back.")
    if before["EndpointStatus"] != "InService":
        raise DeploymentError(
            f"Endpoint {endpoint} is {before['EndpointStatus']} and cannot be moved: deploy a version to it instead."
        )
    current = _past_config(sagemaker, before["EndpointConfigName"])
    target, versions = _target(sagemaker, endpoint, current, version)
    try:
        uncontended(sagemaker.update_endpoint, EndpointName=endpoint, EndpointConfigName=target.name)
    except Contended:
        raise DeploymentError(
            f"A change of endpoint {endpoint} has begun at the same time, and it is not rolled back: run it again."
        ) from None
    after = wait_until_settled(sagemaker, endpoint, waiting, announce)
    require_serving(after, endpoint, target.name, log)
    now = datetime.now(timezone.utc).isoformat()
    sagemaker.add_tags(ResourceArn=current.arn, Tags=tag_list({TAG_ROLLED_BACK: now}))
    tag_serving(sagemaker, before["EndpointArn"], {**target.tags, TAG_DEPLOYED: now})
    return RolledBack(endpoint, current.name, target.name, versions)


def _target(
    sagemaker: SageMakerClient, endpoint: str, current: PastConfig, version: str | None
) -> tuple[PastConfig, tuple[int, ...]]:
    refused = []
    for config in history(sagemaker, endpoint):
        if config.name == current.name:
            continue
        if version is not None:
            if config.tags.get(TAG_VERSION) != version:
                continue
        elif config.deployed >= current.deployed or (
            config.rolled_back is not None and config.rolled_back >= config.deployed
        ):
            continue
        packages = [describe_package(sagemaker, arn) for arn in packages_of_config(sagemaker, config.name)]
        if packages and all(package is not None and package.approval == APPROVED for package in packages):
            return config, tuple(package.version for package in packages if package is not None)
        refused.append(config.name)
    why = f" ({', '.join(refused)}: its model package is not Approved any more)" if refused else ""
    what = f"configuration of version {version}" if version is not None else "earlier configuration"
    raise DeploymentError(
        f"Endpoint {endpoint} serves {current.name} and has no {what} to return to{why}: "
        "deploy the version that you want."
    )


def history(sagemaker: SageMakerClient, endpoint: str) -> list[PastConfig]:
    """The configurations that were made for this endpoint, the last deployed first."""
    pages = sagemaker.get_paginator("list_endpoint_configs").paginate(
        NameContains=name_beginning(endpoint, LONGEST_ENDING), SortBy="CreationTime", SortOrder="Descending"
    )
    names = [entry["EndpointConfigName"] for page in pages for entry in page["EndpointConfigs"]]
    configs = [_past_config(sagemaker, name) for name in names if ENDING.search(name)]
    ours = [config for config in configs if config.tags.get(TAG_ENDPOINT) == endpoint]
    return sorted(ours, key=lambda config: config.deployed, reverse=True)


def _past_config(sagemaker: SageMakerClient, name: str) -> PastConfig:
    config = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    arn = config["EndpointConfigArn"]
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    rolled_back = tags.get(TAG_ROLLED_BACK)
    return PastConfig(
        name=name,
        arn=arn,
        deployed=_moment(tags[TAG_DEPLOYED]) if TAG_DEPLOYED in tags else config["CreationTime"],
        rolled_back=_moment(rolled_back) if rolled_back else None,
        tags={key: value for key, value in tags.items() if key not in (TAG_DEPLOYED, TAG_ROLLED_BACK)},
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
