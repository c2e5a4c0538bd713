"""DescribeEndpoint's answer, from an endpoint's record and from how its processes stand."""

from collections.abc import Mapping
from typing import Any

from local_sagemaker.errors import LONGEST_REASON
from local_sagemaker.hosting.deployment import Health
from local_sagemaker.hosting.rollout import Phase
from local_sagemaker.state.record_types import EndpointRecord


def described(
    endpoint: EndpointRecord, health: Mapping[str, Health], capturing: bool, phase: Phase | None = None
) -> dict[str, Any]:
    """The answer; `health` is by variant, `capturing` says whether data capture works, `phase` where an update stands.

    A model process that has died shows in three places: CurrentInstanceCount 0 and a VariantStatus while it is
    down, and a FailureReason until the endpoint is changed.
    """
    answer: dict[str, Any] = {**endpoint, "LastDeploymentConfig": endpoint.get("DeploymentConfig")}
    plan, pending = endpoint.get("Serving"), endpoint.get("Pending")
    if phase is not None and phase.going_back:
        answer["EndpointStatus"] = "RollingBack"
    if plan is not None:
        for field, found in (
            ("ProductionVariants", plan["Variants"]),
            ("ShadowProductionVariants", plan.get("Shadows")),
        ):
            if found:
                answer[field] = [_serving(each, endpoint, health.get(each["VariantName"]), phase) for each in found]
        answer["AsyncInferenceConfig"] = plan.get("AsyncInferenceConfig")
        answer["DataCaptureConfig"] = _capture(plan["DataCaptureConfig"], capturing)
    if pending is not None:
        answer["PendingDeploymentSummary"] = {
            "EndpointConfigName": pending["EndpointConfigName"],
            "StartTime": pending["StartTime"],
            "ProductionVariants": [_pending(variant, pending["StartTime"], phase) for variant in pending["Variants"]],
        }
        if pending.get("Shadows"):
            shadows = [_pending(variant, pending["StartTime"], phase) for variant in pending["Shadows"]]
            answer["PendingDeploymentSummary"]["ShadowProductionVariants"] = shadows
    deaths = [each.last_death for each in health.values() if each.last_death is not None]
    if deaths and "FailureReason" not in endpoint:
        answer["FailureReason"] = max(deaths, key=lambda death: death.moment).message[:LONGEST_REASON]
    return answer


def _serving(
    variant: dict[str, Any], endpoint: EndpointRecord, health: Health | None, phase: Phase | None
) -> dict[str, Any]:
    status = None
    if health is not None and health.instances < health.size and health.last_death is not None:
        message = health.last_death.message[:LONGEST_REASON]
        status = [{"Status": "Updating", "StatusMessage": message, "StartTime": health.last_death.moment}]
    elif phase is not None and phase.status == "Deleting":
        status = [{"Status": "Deleting", "StatusMessage": phase.message, "StartTime": phase.since}]
    share = 1.0 if phase is None else 1 - phase.share
    return {
        "VariantName": variant["VariantName"],
        "DeployedImages": [
            {"SpecifiedImage": container.get("Image"), "ResolutionTime": endpoint["LastModifiedTime"]}
            for container in variant["Containers"]
        ],
        "CurrentWeight": variant["Weight"] * share,
        "DesiredWeight": variant["Weight"],
        **_capacity(variant, "Desired"),
        **_capacity(variant, "Current", 0 if health is None else health.instances),
        "VariantStatus": status,
    }


def _pending(variant: dict[str, Any], since: float, phase: Phase | None) -> dict[str, Any]:
    status = {"Status": "Creating", "StartTime": since}
    if phase is not None:
        status = {"Status": phase.status, "StatusMessage": phase.message[:LONGEST_REASON], "StartTime": phase.since}
    if status["Status"] == "Deleting":  # the old fleet is: the new one serves
        status["Status"] = "Baking"
    return {
        "VariantName": variant["VariantName"],
        "CurrentWeight": variant["Weight"] * (phase.share if phase is not None else 0.0),
        "DesiredWeight": variant["Weight"],
        **_capacity(variant, "Desired"),
        "InstanceType": variant["InstanceType"],
        "VariantStatus": [status],
    }


def _capacity(variant: dict[str, Any], which: str, instances: int | None = None) -> dict[str, Any]:
    """The capacity of a variant: instances, or for a serverless one its memory and concurrency."""
    if variant.get("ServerlessConfig") is not None:
        return {f"{which}ServerlessConfig": variant["ServerlessConfig"]}
    return {f"{which}InstanceCount": variant["InstanceCount"] if instances is None else instances}


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
