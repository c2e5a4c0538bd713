"""What of an endpoint that serves is not as it was specified. Pure."""

from collections.abc import Mapping
from typing import Any

from deployment.specification import SHADOW, VARIANT, Specification


def differences(wanted: Specification, live: Mapping[str, Any], counted: bool = True) -> list[str]:
    """One text for each difference of DescribeEndpoint's answer; none where all is as wanted.

    What the answer does not say is not judged, nor, unless it is `counted`, how many instances there are: scaling
    chooses that.
    """
    found = []
    if live.get("EndpointConfigName") != wanted.config_name:
        found.append(f"it serves {live.get('EndpointConfigName')} in place of {wanted.config_name}")
    for variant in live.get("ProductionVariants", []):
        found += _variant(wanted, variant, counted)
    shadows = [each["VariantName"] for each in live.get("ShadowProductionVariants", [])]
    expected = [SHADOW] if wanted.hosting.shadow is not None else []
    if "ProductionVariants" in live and shadows != expected:
        found.append(f"its shadow variants are {', '.join(shadows) or 'none'}")
    found += _capture(wanted, live.get("DataCaptureConfig"), "ProductionVariants" in live)
    return found


def _variant(wanted: Specification, variant: Mapping[str, Any], counted: bool) -> list[str]:
    if variant["VariantName"] != VARIANT:
        return [f"it has a variant {variant['VariantName']}"]
    hosting, desired = wanted.hosting, variant.get("DesiredInstanceCount")
    if counted and hosting.serverless is None and desired is not None and desired != hosting.instance_count:
        return [f"it wants {desired} instances in place of {hosting.instance_count}"]
    return []


def _capture(wanted: Specification, capture: Mapping[str, Any] | None, known: bool) -> list[str]:
    asked = wanted.hosting.capture
    on = capture is not None and capture.get("EnableCapture", False)
    if asked is None:
        return ["it captures data"] if on else []
    if not known:
        return []
    if capture is None or not on:
        return ["it captures no data"]
    if capture.get("CurrentSamplingPercentage") != asked.sampling_percent:
        return [f"it captures {capture.get('CurrentSamplingPercentage')} % in place of {asked.sampling_percent} %"]
    if capture.get("DestinationS3Uri") != asked.destination:
        return [f"it captures to {capture.get('DestinationS3Uri')}"]
    if capture.get("CaptureStatus") == "Stopped":
        return ["its data capture is Stopped"]
    return []
