"""What DescribeEndpoint says of variants that serve, that are down, and that are to come."""

from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from local_sagemaker.api.endpoint_description import described
from local_sagemaker.hosting.deployment import Health
from local_sagemaker.hosting.model_chain import Death
from local_sagemaker.hosting.rollout import Phase
from local_sagemaker.wire.dispatch import known_fields

CAPTURE = {
    "InitialSamplingPercentage": 30,
    "DestinationS3Uri": "s3://b/p",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}
VARIANT = {
    "VariantName": "main",
    "InstanceType": "ml.m5.large",
    "Weight": 2.0,
    "InstanceCount": 3,
    "Containers": [{"Image": "image:1"}],
}
PLAN = {"EndpointConfigName": "config", "Variants": [VARIANT], "DataCaptureConfig": CAPTURE}
ENDPOINT: dict[str, Any] = {
    "EndpointName": "houses",
    "EndpointArn": "arn:aws:sagemaker:us-east-1:000000000000:endpoint/houses",
    "EndpointStatus": "InService",
    "CreationTime": 1.0,
    "LastModifiedTime": 2.0,
    "Serving": PLAN,
}


def describe(health: Health, capturing: bool = True, phase: Phase | None = None, **changes: Any) -> dict[str, Any]:
    """The answer as a client gets it; it has the shape that botocore knows."""
    shape = ServiceModel(Loader().load_service_model("sagemaker", "service-2")).operation_model("DescribeEndpoint")
    answer: dict[str, Any] = known_fields(
        described({**ENDPOINT, **changes}, {"main": health}, capturing, phase), shape.output_shape
    )
    assert not ParamValidator().validate(answer, shape.output_shape).has_errors()
    return answer


def test_a_variant_that_serves() -> None:
    answer = describe(Health(True, None, 3, 3))
    assert answer["ProductionVariants"] == [
        {
            "VariantName": "main",
            "DeployedImages": [{"SpecifiedImage": "image:1", "ResolutionTime": 2.0}],
            "CurrentWeight": 2.0,
            "DesiredWeight": 2.0,
            "CurrentInstanceCount": 3,
            "DesiredInstanceCount": 3,
        }
    ]
    assert answer["DataCaptureConfig"] == {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 30,
        "DestinationS3Uri": "s3://b/p",
        "KmsKeyId": "",
    }
    assert "FailureReason" not in answer


@pytest.mark.e2e
def test_a_variant_that_is_down_says_why_and_one_that_is_back_says_that_it_was() -> None:
    death = Death(5.0, "it died")
    answer = describe(Health(False, death, 0, 3), capturing=False)
    assert answer["ProductionVariants"][0]["CurrentInstanceCount"] == 0
    assert answer["ProductionVariants"][0]["VariantStatus"] == [
        {"Status": "Updating", "StatusMessage": "it died", "StartTime": 5.0}
    ]
    assert answer["DataCaptureConfig"]["CaptureStatus"] == "Stopped"
    answer = describe(Health(True, death, 3, 3))
    assert "VariantStatus" not in answer["ProductionVariants"][0]
    assert answer["FailureReason"] == "it died"
    assert (
        describe(Health(True, death, 3, 3), FailureReason="the update failed")["FailureReason"] == "the update failed"
    )


def test_what_is_to_come_is_beside_what_serves() -> None:
    pending = {**PLAN, "EndpointConfigName": "next", "StartTime": 7.0}
    answer = describe(Health(True, None, 3, 3), EndpointStatus="Updating", Pending=pending)
    assert answer["PendingDeploymentSummary"] == {
        "EndpointConfigName": "next",
        "StartTime": 7.0,
        "ProductionVariants": [
            {
                "VariantName": "main",
                "CurrentWeight": 0.0,
                "DesiredWeight": 2.0,
                "DesiredInstanceCount": 3,
                "InstanceType": "ml.m5.large",
                "VariantStatus": [{"Status": "Creating", "StartTime": 7.0}],
            }
        ],
    }


@pytest.mark.e2e
def test_the_phase_of_an_update_shows_at_both_fleets() -> None:
    pending = {**PLAN, "EndpointConfigName": "next", "StartTime": 7.0}
    baking = Phase("Baking", 0.25, "step 1 of 2", since=8.0)
    answer = describe(Health(True, None, 3, 3), EndpointStatus="Updating", Pending=pending, phase=baking)
    [new] = answer["PendingDeploymentSummary"]["ProductionVariants"]
    assert new["VariantStatus"] == [{"Status": "Baking", "StatusMessage": "step 1 of 2", "StartTime": 8.0}]
    assert (new["CurrentWeight"], answer["ProductionVariants"][0]["CurrentWeight"]) == (0.5, 1.5)
    back = Phase("ActivatingTraffic", 0.0, "an alarm", since=9.0, going_back=True)
    answer = describe(Health(True, None, 3, 3), EndpointStatus="Updating", Pending=pending, phase=back)
    assert answer["EndpointStatus"] == "RollingBack"
    ending = Phase("Deleting", 1.0, "ends", since=9.0)
    answer = describe(Health(True, None, 3, 3), EndpointStatus="Updating", Pending=pending, phase=ending)
    assert answer["ProductionVariants"][0]["VariantStatus"][0]["Status"] == "Deleting"
    assert answer["PendingDeploymentSummary"]["ProductionVariants"][0]["VariantStatus"][0]["Status"] == "Baking"
