"""Names that the service refuses are refused before anything is stored; what is stored can be read and deleted."""

from typing import Any

import pytest
from botocore.model import StructureShape

from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.constraints import check_request
from local_sagemaker.wire.model import service_model

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
    """Of a request that lacks what it needs, the rules that its fields break."""
    shape = service_model().operation_model(operation).input_shape
    lacking = {"required": [], "type": "structure", "members": shape._shape_model["members"]}
    check_request(operation, request, StructureShape(shape.name, lacking, shape._shape_resolver))


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


@pytest.mark.parametrize(
    ("operation", "request_", "words"),
    [
        (
            "UpdateModelPackage",
            {"ModelApprovalStatus": "approved"},
            r"'approved' at 'modelApprovalStatus' .* enum value set: \[Approved, Rejected, PendingManualApproval\]",
        ),
        ("CreatePipeline", {"RoleArn": "role-without-arn-form-x"}, "at 'roleArn' .* regular expression pattern"),
        ("CreatePipeline", {"PipelineName": "e" * 257}, "at 'pipelineName' .* length less than or equal to 256"),
        (
            "CreateProcessingJob",
            {
                "ProcessingOutputConfig": {
                    "Outputs": [{"OutputName": "o", "S3Output": {"S3Uri": "s3://b", "S3UploadMode": "Now"}}]
                }
            },
            r"'Now' at 'processingOutputConfig\.outputs\.1\.member\.s3Output\.s3UploadMode'",
        ),
        ("CreateTrainingJob", {"AlgorithmSpecification": {"TrainingInputMode": "file"}}, "enum value set"),
        ("CreateTrainingJob", {"ResourceConfig": {"VolumeSizeInGB": "1"}}, "Member must be of type integer"),
        ("CreateTrainingJob", {"Environment": {"a": 1}}, r"at 'environment\.a\.member' .* be of type string"),
        (
            "CreateTrainingJob",
            {"HyperParameter": {}},
            "Unknown parameter: 'hyperParameter'; did you mean HyperParameters",
        ),
        ("CreateModelPackageGroup", {"Tags": [{"Key": "k"}]}, r"Value null at 'tags\.1\.member\.value' .* not be null"),
        ("CreateTransformJob", {"MaxConcurrentTransforms": -1}, "value greater than or equal to 0"),
    ],
)
def test_every_rule_of_a_shape_is_kept(operation: str, request_: dict[str, Any], words: str) -> None:
    with pytest.raises(ServiceError, match=words):
        check(operation, request_)


def test_an_instance_type_that_botocore_does_not_know_passes() -> None:
    check("CreateTrainingJob", {"ResourceConfig": {"InstanceType": "ml.zz9.large", "VolumeSizeInGB": 1}})


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ServiceError, match=r"2 validation errors detected: .*modelName.*; .*executionRoleArn"):
        check("CreateModel", {"ModelName": "my_model", "ExecutionRoleArn": "x" * 20})
