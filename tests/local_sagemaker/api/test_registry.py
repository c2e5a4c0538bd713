"""Model packages: versions, approval, and the event that an approval emits."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.group_policies import GroupPolicies
from local_sagemaker.api.registry import REPLACED, Registry
from local_sagemaker.errors import ServiceError
from local_sagemaker.state.database import Database
from local_sagemaker.state.record_kinds import STATUS_FIELDS
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller, Dispatcher
from local_sagemaker.wire.model import service_model
from local_sagemaker.work.tags import Tags

CALLER = Caller("000000000000", "eu-west-1")


class Service:
    """The registry behind the dispatcher, and the events that it sent."""

    def __init__(self, folder: Path) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        records = Records(Database(folder / "state.db"), STATUS_FIELDS)
        registry = Registry(records, Tags(records), lambda region, event: self.events.append((region, event)))
        self._dispatcher = Dispatcher([registry, GroupPolicies(records, registry)])

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        return self._dispatcher.call(operation, request, CALLER)


@pytest.fixture
def service(tmp_path: Path) -> Service:
    made = Service(tmp_path)
    made.call("CreateModelPackageGroup", ModelPackageGroupName="g")
    return made


def test_versions_count_up(service: Service) -> None:
    arns = [service.call("CreateModelPackage", ModelPackageGroupName="g")["ModelPackageArn"] for _ in range(2)]
    assert arns == [f"arn:aws:sagemaker:eu-west-1:000000000000:model-package/g/{version}" for version in (1, 2)]
    package = service.call("DescribeModelPackage", ModelPackageName=arns[1])
    assert (package["ModelPackageVersion"], package["ModelApprovalStatus"]) == (2, "PendingManualApproval")


@pytest.mark.e2e
def test_a_hundred_at_once_are_a_hundred_versions(service: Service) -> None:
    threads = [
        threading.Thread(target=service.call, args=("CreateModelPackage",), kwargs={"ModelPackageGroupName": "g"})
        for _ in range(100)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = service.call("ListModelPackages", ModelPackageGroupName="g", MaxResults=100)["ModelPackageSummaryList"]
    assert sorted(package["ModelPackageVersion"] for package in found) == list(range(1, 101))


def test_the_number_of_a_deleted_version_is_not_used_again(service: Service) -> None:
    arn = service.call("CreateModelPackage", ModelPackageGroupName="g")["ModelPackageArn"]
    service.call("DeleteModelPackage", ModelPackageName=arn)
    assert service.call("CreateModelPackage", ModelPackageGroupName="g")["ModelPackageArn"].endswith("/2")


def test_an_approval_keeps_the_comment_and_emits_sagemakers_event(service: Service) -> None:
    arn = service.call("CreateModelPackage", ModelPackageGroupName="g")["ModelPackageArn"]
    service.call("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good")
    assert service.call("DescribeModelPackage", ModelPackageName=arn)["ApprovalDescription"] == "good"
    region, event = service.events[-1]
    detail = json.loads(event["Detail"])
    assert (region, event["Source"]) == ("eu-west-1", "aws.sagemaker")
    assert event["DetailType"] == "SageMaker Model Package State Change"
    assert (detail["ModelPackageArn"], detail["ModelApprovalStatus"]) == (arn, "Approved")


def test_a_change_of_the_metadata_leaves_the_approval_as_it_is(service: Service) -> None:
    arn = service.call("CreateModelPackage", ModelPackageGroupName="g")["ModelPackageArn"]
    service.call("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved")
    service.call("UpdateModelPackage", ModelPackageArn=arn, CustomerMetadataProperties={"a": "1", "b": "2"})
    service.call("UpdateModelPackage", ModelPackageArn=arn, CustomerMetadataPropertiesToRemove=["a"])
    package = service.call("DescribeModelPackage", ModelPackageName=arn)
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["CustomerMetadataProperties"] == {"b": "2"}


def test_versions_are_listed_by_status(service: Service) -> None:
    for _ in range(3):
        service.call("CreateModelPackage", ModelPackageGroupName="g")
    arn = "arn:aws:sagemaker:eu-west-1:000000000000:model-package/g/2"
    service.call("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved")
    found = service.call("ListModelPackages", ModelPackageGroupName="g", ModelApprovalStatus="Approved")
    assert [package["ModelPackageVersion"] for package in found["ModelPackageSummaryList"]] == [2]


def test_what_does_not_exist_is_refused_by_name(service: Service) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:000000000000:model-package/g/9"
    with pytest.raises(ServiceError, match="model-package/g/9 does not exist"):
        service.call("DescribeModelPackage", ModelPackageName=arn)
    with pytest.raises(ServiceError, match="ModelPackageGroup none does not exist"):
        service.call("DescribeModelPackageGroup", ModelPackageGroupName="none")
    with pytest.raises(ServiceError, match="Model Package Group does not exist"):
        service.call("CreateModelPackage", ModelPackageGroupName="none")


def test_a_group_with_versions_is_not_deleted(service: Service) -> None:
    service.call("CreateModelPackage", ModelPackageGroupName="g")
    with pytest.raises(ServiceError, match="still has model packages"):
        service.call("DeleteModelPackageGroup", ModelPackageGroupName="g")


def test_a_version_tells_who_decided_as_the_caller_is_named_by_sts(sagemaker: Any, server: Any) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="decided")
    arn = sagemaker.create_model_package(ModelPackageGroupName="decided")["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    decided = sagemaker.describe_model_package(ModelPackageName=arn)["LastModifiedBy"]["IamIdentity"]
    assert decided["Arn"] == server.client("sts").get_caller_identity()["Arn"]


CONTAINERS = [{"Image": "i", "ModelDataUrl": "s3://b/m.tar.gz"}]


def test_an_update_changes_the_specification_and_adds_more(service: Service) -> None:
    specification = {"Containers": CONTAINERS, "SupportedContentTypes": ["text/csv"]}
    group = {"ModelPackageGroupName": "g", "InferenceSpecification": specification}
    arn = service.call("CreateModelPackage", **group)["ModelPackageArn"]
    changed = {**specification, "SupportedContentTypes": ["application/json"]}
    more = [{"Name": "second", "Containers": CONTAINERS}]
    update = {"InferenceSpecification": changed, "AdditionalInferenceSpecificationsToAdd": more}
    service.call("UpdateModelPackage", ModelPackageArn=arn, **update)
    found = service.call("DescribeModelPackage", ModelPackageName=arn)
    assert found["InferenceSpecification"] == changed
    assert found["AdditionalInferenceSpecifications"] == more
    with pytest.raises(ServiceError, match="second: an additional inference specification has this name") as caught:
        service.call("UpdateModelPackage", ModelPackageArn=arn, AdditionalInferenceSpecificationsToAdd=more)
    assert caught.value.code == "ConflictException"


def test_every_field_of_an_update_changes_the_version_or_is_listed_here() -> None:
    members = set(service_model().operation_model("UpdateModelPackage").input_shape.members)
    others = {"ModelPackageArn", "ClientToken", "CustomerMetadataProperties", "CustomerMetadataPropertiesToRemove"}
    assert members == {*REPLACED, *others, "AdditionalInferenceSpecificationsToAdd"}


def test_several_versions_are_described_at_once(service: Service) -> None:
    arn = service.call("CreateModelPackage", ModelPackageGroupName="g")["ModelPackageArn"]
    gone = arn.replace("/1", "/7")
    answer = service.call("BatchDescribeModelPackage", ModelPackageArnList=[arn, gone])
    assert answer["ModelPackageSummaries"][arn]["ModelPackageVersion"] == 1
    assert "ModelPackageName" not in answer["ModelPackageSummaries"][arn]  # the summary has no such field
    assert answer["BatchDescribeModelPackageErrorMap"][gone]["ErrorCode"] == "ValidationException"


def test_a_group_has_a_policy_until_it_is_taken_away(service: Service) -> None:
    arn = service.call("DescribeModelPackageGroup", ModelPackageGroupName="g")["ModelPackageGroupArn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]})
    group = {"ModelPackageGroupName": "g"}
    assert service.call("PutModelPackageGroupPolicy", **group, ResourcePolicy=policy) == {"ModelPackageGroupArn": arn}
    assert service.call("GetModelPackageGroupPolicy", **group) == {"ResourcePolicy": policy}
    service.call("DeleteModelPackageGroupPolicy", **group)
    with pytest.raises(ServiceError, match="The model package group g has no resource policy") as caught:
        service.call("GetModelPackageGroupPolicy", **group)
    assert caught.value.code == "ResourceNotFound"


@pytest.mark.parametrize(
    ("text", "words"), [("{", "is not JSON"), ("{}", "is not a policy"), ("[]", "is not a policy")]
)
def test_what_is_no_policy_is_refused(service: Service, text: str, words: str) -> None:
    with pytest.raises(ServiceError, match=words):
        service.call("PutModelPackageGroupPolicy", ModelPackageGroupName="g", ResourcePolicy=text)
