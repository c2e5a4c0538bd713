"""A weighted shift as SageMaker has it: found again by whoever comes, steered by a tag, taken back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployment.alarms import AlarmClients, DeploymentAlarms
from deployment.endpoint import Announce, Waiting, describe_endpoint, wait_until_settled
from deployment.errors import DeploymentError
from deployment.packages import SageMakerClient, is_missing
from deployment.specification import TAG_ENDPOINT, TAG_VERSION, name_beginning, tag_list
from deployment.weighted import (
    ENDING,
    LONGEST_ENDING,
    RUNS,
    TAG_CONTROL,
    TAG_FROM,
    TAG_TO,
    is_shift,
    percent_of,
    weights_request,
)


@dataclass(frozen=True)
class LiveShift:
    """The shift of an endpoint: its configuration, the ones before and after it, and the version that is coming."""

    endpoint: str
    config: str
    arn: str
    previous: str
    following: str
    version: str


def live_shift(sagemaker: SageMakerClient, endpoint: str) -> LiveShift | None:
    """The shift that an endpoint is in, or about to be in; None where it is in none."""
    description = describe_endpoint(sagemaker, endpoint) or {}
    pending = description.get("PendingDeploymentSummary", {}).get("EndpointConfigName")
    config = next((name for name in (pending, description.get("EndpointConfigName")) if is_shift(name)), None)
    return found_shift(sagemaker, endpoint, config) if config is not None else None


def found_shift(sagemaker: SageMakerClient, endpoint: str, config: str) -> LiveShift:
    """The shift whose configuration has this name."""
    arn = sagemaker.describe_endpoint_config(EndpointConfigName=config)["EndpointConfigArn"]
    tags = _tags(sagemaker, arn)
    return LiveShift(endpoint, config, arn, tags[TAG_FROM], tags[TAG_TO], tags[TAG_VERSION])


def control(sagemaker: SageMakerClient, shift: LiveShift) -> str:
    """What a person wants of a shift: RUNS, PAUSED or ABORTED."""
    return _tags(sagemaker, shift.arn).get(TAG_CONTROL, RUNS)


def steer(sagemaker: SageMakerClient, shift: LiveShift, wanted: str) -> None:
    """Say what is wanted of a shift, for whoever drives it."""
    sagemaker.add_tags(ResourceArn=shift.arn, Tags=tag_list({TAG_CONTROL: wanted}))


def take_back(sagemaker: SageMakerClient, shift: LiveShift, waiting: Waiting, announce: Announce) -> bool:
    """All requests to the old version at once, then the endpoint back to the configuration before the shift.

    False where it is not in the shift any more: its last update went through, or it was deleted. DeploymentError where
    the configuration before does not come up: the old version serves as the shift's variant then.
    """
    description = _settled(sagemaker, shift, waiting, announce)
    if description is None or description["EndpointConfigName"] != shift.config:
        return description is not None and description["EndpointConfigName"] == shift.previous
    if percent_of(description):
        sagemaker.update_endpoint_weights_and_capacities(**weights_request(shift.endpoint, 0))
        announce("           0 % of the requests to the new version")
        _settled(sagemaker, shift, waiting, announce)
    announce(f"Returning to {shift.previous}")
    sagemaker.update_endpoint(EndpointName=shift.endpoint, EndpointConfigName=shift.previous)
    after = _settled(sagemaker, shift, waiting, announce)
    if after is not None and after["EndpointConfigName"] != shift.previous:
        raise DeploymentError(
            f"{shift.endpoint} could not return to {shift.previous}: {after.get('FailureReason')}. The old version "
            f"answers all requests as a variant of {shift.config}: once the cause is fixed, `abort` it again."
        )
    return after is not None


def forget_shifts(sagemaker: SageMakerClient, clients: AlarmClients, endpoint: str) -> bool:
    """Delete the configurations and the alarms of an endpoint's shifts that are over; whether there were any."""
    from botocore.exceptions import ClientError

    description = describe_endpoint(sagemaker, endpoint) or {}
    used = {
        description.get("EndpointConfigName"),
        description.get("PendingDeploymentSummary", {}).get("EndpointConfigName"),
    }
    pages = sagemaker.get_paginator("list_endpoint_configs").paginate(
        NameContains=name_beginning(endpoint, LONGEST_ENDING)
    )
    found = False
    for entry in [entry for page in pages for entry in page["EndpointConfigs"]]:
        name = entry["EndpointConfigName"]
        if not name.endswith(ENDING) or name in used:
            continue
        if _tags(sagemaker, entry["EndpointConfigArn"]).get(TAG_ENDPOINT) != endpoint:
            continue
        found = True
        DeploymentAlarms(clients, endpoint, name).remove()
        try:
            sagemaker.delete_endpoint_config(EndpointConfigName=name)
        except ClientError as error:
            if not is_missing(error):
                raise
    return found


def _settled(
    sagemaker: SageMakerClient, shift: LiveShift, waiting: Waiting, announce: Announce
) -> Mapping[str, Any] | None:
    return wait_until_settled(sagemaker, shift.endpoint, waiting, announce)


def _tags(sagemaker: SageMakerClient, arn: str) -> dict[str, str]:
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
