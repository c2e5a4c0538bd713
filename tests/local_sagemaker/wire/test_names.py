"""Names that the service refuses are refused before anything is stored; what is stored can be read and deleted."""

from typing import Any

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.model import service_model
from local_sagemaker.wire.names import check_names

ILLEGAL = ("/home/user", "../..", "..", ".", "a/b", "a_b", "-a", "a-", "e" * 64, "a\n", "ä", "")
NAMED = {
    "CreateProcessingJob": "ProcessingJobName",
    "CreateTrainingJob": "TrainingJobName",
    "CreateTransformJob": "TransformJobName",
    "CreateHyperParameterTuningJob": "HyperParameterTuningJobName",
    "CreateModel": "ModelName",
    "CreateModelPackageGroup": "ModelPackageGroupName",
    "CreateEndpointConfig": "EndpointConfigName",
    "CreateEndpoint": "EndpointName",
}


def check(operation: str, request: dict[str, Any]) -> None:
    check_names(operation, request, service_model().operation_model(operation).input_shape)


@pytest.mark.parametrize("name", ILLEGAL)
@pytest.mark.parametrize("operation", NAMED)
def test_the_name_of_a_resource_that_the_service_refuses_is_refused(operation: str, name: str) -> None:
    with pytest.raises(ServiceError, match="1 validation error detected: Value ") as caught:
        check(operation, {NAMED[operation]: name})
    assert caught.value.code == "ValidationException"
    assert f"at '{NAMED[operation][0].lower()}{NAMED[operation][1:]}' failed to satisfy" in caught.value.message


@pytest.mark.parametrize("operation", NAMED)
def test_the_longest_name_that_the_service_takes_passes(operation: str) -> None:
    longest = 32 if operation == "CreateHyperParameterTuningJob" else 63
    check(operation, {NAMED[operation]: "a" * longest})
    check(operation, {NAMED[operation]: "A-1--b"})


def test_names_deeper_in_a_request_are_checked_and_located() -> None:
    request = {"EndpointConfigName": "c", "ProductionVariants": [{"VariantName": "a"}, {"VariantName": "../b"}]}
    with pytest.raises(ServiceError, match=r"'\.\./b' at 'productionVariants\.2\.member\.variantName'"):
        check("CreateEndpointConfig", request)


@pytest.mark.parametrize("operation", ["DescribeTransformJob", "StopTransformJob", "DescribeModel", "DeleteModel"])
def test_what_an_older_version_has_let_in_can_be_read_stopped_and_deleted(operation: str) -> None:
    (name,) = service_model().operation_model(operation).input_shape.members
    check(operation, {name: "../my_resource"})
