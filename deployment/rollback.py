"""Back to the configuration that an endpoint served with before."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

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
from deployment.scaling import Scaled, instance_type_of
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


@dataclass(frozen=True)
class Target:
    """Where a rollback goes: the configuration, the one that it leaves, and what the former serves."""

    config: PastConfig
    current: PastConfig
    packages: tuple[str, ...]
    versions: tuple[int, ...]


class Rollback:
    """The return of an endpoint to the configuration deployed last before the one that serves, or to a version.

    Passed over are configurations whose model package is not Approved (any more), and those that were
    rolled back from since they were deployed: so a second rollback goes further back, never to and fro.
    """

    def __init__(
        self,
        sagemaker: SageMakerClient,
        endpoint: str,
        waiting: Waiting,
        announce: Announce,
        log: str,
        scaled: Scaled | None = None,
    ) -> None:
        self._scaled = scaled
        self._sagemaker = sagemaker
        self._endpoint = endpoint
        self._waiting = waiting
        self._announce = announce
        self._log = log

    def target(self, version: str | None = None) -> Target:
        """Where it goes: the last configuration with a `version`, if that is given.

        Waits for a change of the endpoint to end; DeploymentError where there is nothing to go back to.
        """
        before = self._settled()
        if before is None:
            raise DeploymentError(f"Endpoint {self._endpoint} does not exist: there is nothing to roll back.")
        if before["EndpointStatus"] != "InService":
            raise DeploymentError(
                f"Endpoint {self._endpoint} is {before['EndpointStatus']} and cannot be moved: deploy a version to it "
                "instead."
            )
        return _target(
            self._sagemaker, self._endpoint, _past_config(self._sagemaker, before["EndpointConfigName"]), version
        )

    def run(self, target: Target) -> RolledBack:
        """Go there; DeploymentError where the service cannot bring it up: the endpoint then keeps serving as before."""
        name = target.config.name
        try:
            self._update(name)
        except Contended:
            raise DeploymentError(
                f"A change of endpoint {self._endpoint} has begun at the same time, and it is not rolled back: run it "
                "again."
            ) from None
        after = self._settled()
        try:
            require_serving(after, self._endpoint, name, self._log)
        except DeploymentError:
            if self._scaled is not None:
                self._scaled.variant.restore()
            raise
        if self._scaled is not None:
            self._scaled.variant.apply(self._scaled.wanted)
        now = datetime.now(timezone.utc).isoformat()
        self._sagemaker.add_tags(ResourceArn=target.current.arn, Tags=tag_list({TAG_ROLLED_BACK: now}))
        arn = after["EndpointArn"] if after is not None else ""
        tag_serving(self._sagemaker, arn, {**target.config.tags, TAG_DEPLOYED: now})
        return RolledBack(self._endpoint, target.current.name, name, target.versions)

    def _update(self, config: str) -> None:
        retained = {}
        if self._scaled is not None:
            retained = self._scaled.variant.prepare(instance_type_of(self._sagemaker, config))
        names = {"EndpointName": self._endpoint, "EndpointConfigName": config}
        uncontended(self._sagemaker.update_endpoint, **names, **retained)

    def _settled(self) -> Mapping[str, Any] | None:
        return wait_until_settled(self._sagemaker, self._endpoint, self._waiting, self._announce)


def _target(sagemaker: SageMakerClient, endpoint: str, current: PastConfig, version: str | None) -> Target:
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
        arns = packages_of_config(sagemaker, config.name)
        packages = [describe_package(sagemaker, arn) for arn in arns]
        if packages and all(package is not None and package.approval == APPROVED for package in packages):
            versions = tuple(package.version for package in packages if package is not None)
            return Target(config, current, tuple(arns), versions)
        refused.append(config.name)
    why = f" ({', '.join(refused)}: its model package is no longer Approved)" if refused else ""
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
