"""What an operation of SageMaker needs of its caller, compared with AWS's table of actions and resources."""

import json
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.operations import supported
from local_sagemaker.iam.access import Access
from local_sagemaker.iam.sagemaker_actions import caller_accesses
from local_sagemaker.wire.model import service_model

TABLE = json.loads((Path(__file__).parent / "authorization_table.json").read_text())
# A list of versions is of a group, whose ARN is asked for, too; AWS's table names that of versions alone.
GROUPS_TOO = {"ListModelPackages": {"model-package-group"}}
ASSOCIATIONS = ("AddAssociation", "DeleteAssociation")  # of any two of the kinds that AWS's table lists
BY_TOKEN = ("SendPipelineExecutionStep",)  # the request names no execution: it must be allowed on every resource
ARNS = {
    "PipelineArn": "pipeline/a",
    "PipelineExecutionArn": "pipeline/a/execution/0123456789ab",
    "ModelPackageArn": "model-package/a/1",
    "ModelPackageName": "model-package/a/1",
    "ResourceArn": "endpoint/a",
    "ArtifactArn": "artifact/a",
    "SourceArn": "artifact/a",
    "DestinationArn": "action/a",
}


def arn(resource: str) -> str:
    return f"arn:aws:sagemaker:eu-west-1:111122223333:{resource}"


def needed(operation: str, **request: Any) -> list[Access]:
    return caller_accesses(operation, request, arn)


def request_of(operation: str) -> dict[str, Any]:
    """A request that names everything that the operation can name."""
    shape = service_model().operation_model(operation).input_shape
    fields = shape.members if shape else {}
    names = {field: "a" for field in fields if field.endswith("Name")}
    arns = {field: arn(resource) for field, resource in ARNS.items() if field in fields}
    if operation == "CreateModelPackage":  # versions are named by their group
        arns = {}
        names.pop("ModelPackageName")
    lists = {"ModelPackageArnList": [arn("model-package/a/1")]} if "ModelPackageArnList" in fields else {}
    return {**names, **arns, **lists}


def kind_of(resource: str) -> str:
    parts = resource.split(":")[5].split("/")
    return "pipeline-execution" if "execution" in parts else parts[0]


@pytest.mark.parametrize("operation", sorted(supported()))
def test_each_supported_operation_asks_for_the_resources_of_awss_table(operation: str) -> None:
    listed = TABLE[f"sagemaker:{operation}"]["resources"]
    kinds = {
        kind_of(access.resource)
        for access in needed(operation, **request_of(operation))
        if access.action == f"sagemaker:{operation}" and access.resource != "*"
    }
    if operation in ASSOCIATIONS:
        assert kinds == {"artifact", "action"}
    elif not operation.startswith(BY_TOKEN):
        assert {kind for kind, required in listed.items() if required} <= kinds
    assert kinds <= set(listed) | GROUPS_TOO.get(operation, set())


def test_every_condition_key_that_is_given_is_one_of_awss_table() -> None:
    request = {
        "ModelPackageArn": arn("model-package/a/1"),
        "ModelApprovalStatus": "Approved",
        "ModelLifeCycle": {"Stage": "staging", "StageStatus": "InService"},
        "CustomerMetadataProperties": {"git_commit": "1"},
    }
    (access,) = needed("UpdateModelPackage", **request)
    known = {key.partition("${")[0] for key in TABLE["sagemaker:UpdateModelPackage"]["conditions"]}
    assert access.context == {
        "sagemaker:ModelApprovalStatus": ("Approved",),
        "sagemaker:ModelLifeCycle:Stage": ("staging",),
        "sagemaker:ModelLifeCycle:StageStatus": ("InService",),
        "sagemaker:CustomerMetadataProperties/git_commit": ("1",),
    }
    assert all(any(key.startswith(name) for name in known) for key in access.context)


def test_a_job_gives_its_machines_keys_and_network_as_condition_keys() -> None:
    (access,) = needed(
        "CreateTrainingJob",
        TrainingJobName="a",
        ResourceConfig={"InstanceType": "ml.m5.large", "VolumeKmsKeyId": "key/1"},
        OutputDataConfig={"KmsKeyId": "key/2"},
        VpcConfig={"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        EnableNetworkIsolation=True,
    )
    assert access.resource == arn("training-job/a")
    assert access.context == {
        "sagemaker:InstanceTypes": ("ml.m5.large",),
        "sagemaker:VolumeKmsKey": ("key/1",),
        "sagemaker:OutputKmsKey": ("key/2",),
        "sagemaker:VpcSubnets": ("subnet-1", "subnet-2"),
        "sagemaker:VpcSecurityGroupIds": ("sg-1",),
        "sagemaker:MaxRuntimeInSeconds": ("60",),
        "sagemaker:NetworkIsolation": ("true",),
    }
    assert set(access.context) <= set(TABLE["sagemaker:CreateTrainingJob"]["conditions"])


def test_tags_of_a_new_thing_need_a_permission_of_their_own() -> None:
    create, tag = needed("CreateModel", ModelName="a", Tags=[{"Key": "stage", "Value": "dev"}])
    assert (create.action, tag.action) == ("sagemaker:CreateModel", "sagemaker:AddTags")
    assert tag.resource == create.resource == arn("model/a")
    assert tag.context == {"aws:RequestTag/stage": ("dev",), "aws:TagKeys": ("stage",)}
    assert "sagemaker:AddTags" in TABLE["sagemaker:CreateModel"]["dependent"]


def test_lists_that_know_no_resource_ask_for_all() -> None:
    assert [access.resource for access in needed("ListModels")] == ["*"]
    assert TABLE["sagemaker:ListModels"]["resources"] == {}


@pytest.mark.parametrize("operation", ["InvokeEndpoint", "InvokeEndpointAsync"])
def test_each_kind_of_invocation_has_an_action_of_its_own(operation: str) -> None:
    (access,) = needed(operation, EndpointName="houses")
    assert (access.action, access.resource) == (f"sagemaker:{operation}", arn("endpoint/houses"))
    assert set(TABLE[f"sagemaker:{operation}"]["resources"]) >= {"endpoint"}
