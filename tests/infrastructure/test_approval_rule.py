"""The rule of the stack in local SageMaker: an approval sends the build what it needs, nothing else does."""

import json
from typing import Any

import pytest

from infrastructure.template import FOLDER, read_template
from local_sagemaker.moto_services.event_targets import input_of

pytestmark = pytest.mark.e2e

GROUP = "approval-rule"


@pytest.fixture
def rule() -> dict[str, Any]:
    """The rule with the project's name filled in."""
    properties = read_template(FOLDER / "deployment.yaml")["Resources"]["ApprovalRule"]["Properties"]
    text = json.dumps(properties).replace(json.dumps({"Ref": "ProjectName"}), json.dumps(GROUP))
    return dict(json.loads(text))


def test_only_a_decision_over_a_version_of_the_projects_group_reaches_the_target(
    server: Any, sagemaker: Any, rule: Any
) -> None:
    events, sqs = server.client("events"), server.client("sqs")
    queue = sqs.create_queue(QueueName="approvals")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="approved", EventPattern=json.dumps(rule["EventPattern"]))
    events.put_targets(Rule="approved", Targets=[{"Id": "queue", "Arn": queue_arn}])

    def register(group: str, **more: str) -> str:
        arn: str = sagemaker.create_model_package(ModelPackageGroupName=group, **more)["ModelPackageArn"]
        return arn

    for group in ("of-another-project", GROUP):
        sagemaker.create_model_package_group(ModelPackageGroupName=group)
    theirs, rejected, approved = register("of-another-project"), register(GROUP), register(GROUP)
    sagemaker.update_model_package(ModelPackageArn=theirs, ModelApprovalStatus="Approved")
    sagemaker.update_model_package(ModelPackageArn=rejected, ModelApprovalStatus="Rejected")
    sagemaker.update_model_package(ModelPackageArn=approved, ModelApprovalStatus="Approved")
    # What the deployment itself changes, in a version that is approved, must not start another deployment.
    cycle = {"Stage": "staging", "StageStatus": "InService"}
    sagemaker.update_model_package(ModelPackageArn=approved, ModelLifeCycle=cycle)
    sagemaker.update_model_package(ModelPackageArn=approved, CustomerMetadataProperties={"decided_by": "ada"})
    born_approved = register(GROUP, ModelApprovalStatus="Approved")
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    sent = [json.loads(message["Body"]) for message in messages]
    assert [event["detail"]["ModelPackageArn"] for event in sent] == [rejected, approved, born_approved]

    given = input_of(rule["Targets"][0], sent[1])["environmentVariablesOverride"]
    assert {each["name"]: each["value"] for each in given} == {
        "MODEL_PACKAGE_ARN": approved,
        "DECISION": "Approved",
        "DECIDED_AT": sent[1]["time"],
    }
