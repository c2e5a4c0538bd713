"""DescribeEndpoint's answer, from an endpoint's record and from how its processes stand."""

from collections.abc import Mapping
from typing import Any

from local_sagemaker.errors import LONGEST_REASON
from local_sagemaker.hosting.deployment import Health


def described(endpoint: dict[str, Any], health: Mapping[str, Health], capturing: bool) -> dict[str, Any]:
    """The answer; `health` is by variant, `capturing` says whether data capture works.

    A model process that has died shows in three places: CurrentInstanceCount 0 and a VariantStatus while it is
    down, and a FailureReason until the endpoint is changed.
    """
    answer = {**endpoint, "LastDeploymentConfig": endpoint.get("DeploymentConfig")}
    plan, pending = endpoint.get("Serving"), endpoint.get("Pending")
    if plan is not None:
        answer["ProductionVariants"] = [
            _serving(variant, endpoint, health.get(variant["VariantName"])) for variant in plan["Variants"]
        ]
        answer["DataCaptureConfig"] = _capture(plan["DataCaptureConfig"], capturing)
    if pending is not None:
        answer["PendingDeploymentSummary"] = {
            "EndpointConfigName": pending["EndpointConfigName"],
            "StartTime": pending["StartTime"],
            "ProductionVariants": [_pending(variant, pending["StartTime"]) for variant in pending["Variants"]],
        }
    deaths = [each.last_death for each in health.values() if each.last_death is not None]
    if deaths and "FailureReason" not in endpoint:
        answer["FailureReason"] = max(deaths, key=lambda death: death.moment).message[:LONGEST_REASON]
    return answer


def _serving(variant: dict[str, Any], endpoint: dict[str, Any], health: Health | None) -> dict[str, Any]:
    alive = health is not None and health.alive
    status = None
    if health is not None and not health.alive and health.last_death is not None:
        message = health.last_death.message[:LONGEST_REASON]
        status = [{"Status": "Updating", "StatusMessage": message, "StartTime": health.last_death.moment}]
    return {
        "VariantName": variant["VariantName"],
        "DeployedImages": [
            {"SpecifiedImage": container.get("Image"), "ResolutionTime": endpoint["LastModifiedTime"]}
            for container in variant["Containers"]
        ],
        "CurrentWeight": variant["Weight"],
        "DesiredWeight": variant["Weight"],
        "CurrentInstanceCount": variant["InstanceCount"] if alive else 0,
        "DesiredInstanceCount": variant["InstanceCount"],
        "VariantStatus": status,
    }


def _pending(variant: dict[str, Any], since: float) -> dict[str, Any]:
    return {
        "VariantName": variant["VariantName"],
        "DesiredWeight": variant["Weight"],
        "DesiredInstanceCount": variant["InstanceCount"],
        "InstanceType": variant["InstanceType"],
        "VariantStatus": [{"Status": "Creating", "StartTime": since}],
    }


def _capture(config: dict[str, Any] | None, works: bool) -> dict[str, Any] | None:
    if config is None:
        return None
    enabled = config.get("EnableCapture", True)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled and works else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }
