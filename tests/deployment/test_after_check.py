"""What of a live endpoint differs from what was wanted."""

import dataclasses
from typing import Any

import pytest

from deployment.after_check import differences
from deployment.specification import Capture, Specification
from tests.deployment.test_guard import Guard, plan

CAPTURING: Specification = plan(Guard(), capture=Capture("s3://b/c", 100)).wanted
VARIANT = {"VariantName": "AllTraffic", "DesiredInstanceCount": 2}
CAPTURE = {
    "EnableCapture": True,
    "CaptureStatus": "Started",
    "CurrentSamplingPercentage": 100,
    "DestinationS3Uri": "s3://b/c",
}


def live(**changes: Any) -> dict[str, Any]:
    config = {"EndpointConfigName": CAPTURING.config_name, "ProductionVariants": [VARIANT]}
    return {**config, "DataCaptureConfig": CAPTURE, **changes}


def test_what_is_as_wanted_has_no_difference() -> None:
    assert differences(CAPTURING, live()) == []
    without = dataclasses.replace(CAPTURING, hosting=dataclasses.replace(CAPTURING.hosting, capture=None))
    assert differences(without, live(EndpointConfigName=without.config_name, DataCaptureConfig=None)) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"EndpointConfigName": "other"}, "serves other in place of"),
        ({"ProductionVariants": [{**VARIANT, "DesiredInstanceCount": 3}]}, "wants 3 instances in place of 2"),
        ({"ProductionVariants": [{**VARIANT, "VariantName": "B"}]}, "has a variant B"),
        ({"DataCaptureConfig": None}, "captures no data"),
        ({"DataCaptureConfig": {**CAPTURE, "EnableCapture": False}}, "captures no data"),
        ({"DataCaptureConfig": {**CAPTURE, "CurrentSamplingPercentage": 50}}, "captures 50 % in place of 100 %"),
        ({"DataCaptureConfig": {**CAPTURE, "DestinationS3Uri": "s3://else"}}, "captures to s3://else"),
        ({"DataCaptureConfig": {**CAPTURE, "CaptureStatus": "Stopped"}}, "capture is Stopped"),
    ],
)
def test_each_difference_is_named(changes: dict[str, Any], words: str) -> None:
    [found] = differences(CAPTURING, live(**changes))
    assert words in found
