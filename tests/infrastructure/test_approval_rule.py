"""The rule of the stack in local SageMaker: an approval sends the build what it needs, a rejection sends nothing."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipelines.checks.permissions import read_template

pytestmark = pytest.mark.e2e

TEMPLATE = Path(__file__).parents[2] / "infrastructure" / "template.yaml"
GROUP = "approval-rule"


@pytest.fixture
def rule() -> dict[str, Any]:
    """The rule with the project's name filled in."""
    properties = read_template(TEMPLATE)["Resources"]["ApprovalRule"]["Properties"]
    text = json.dumps(properties).replace(json.dumps({"Ref": "ProjectName"}), json.dumps(GROUP))
    return dict(json.loads(text))


def test_only_an_approval_of_the_projects_group_reaches_the_target(server: Any, sagemaker: Any, rule: Any) -> None:
    events, sqs = server.client("events"), server.client("sqs")
    queue = sqs.create_queue(QueueName="approvals")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="approved", EventPattern=json.dumps(rule["EventPattern"]))
    events.put_targets(Rule="approved", Targets=[{"Id": "queue", "Arn": queue_arn}])

    def register(group: str) -> str:
        arn: str = sagemaker.create_model_package(ModelPackageGroupName=group)["ModelPackageArn"]
        return arn

    theirs, rejected, approved = register("of-another-project"), register(GROUP), register(GROUP)
    sagemaker.update_model_package(ModelPackageArn=theirs, ModelApprovalStatus="Approved")
    sagemaker.update_model_package(ModelPackageArn=rejected, ModelApprovalStatus="Rejected")
    sagemaker.update_model_package(ModelPackageArn=approved, ModelApprovalStatus="Approved")
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    sent = [json.loads(message["Body"]) for message in messages]
    assert [event["detail"]["ModelPackageArn"] for event in sent] == [approved]

    transformer = rule["Targets"][0]["InputTransformer"]
    (path,) = transformer["InputPathsMap"].values()
    value: Any = sent[0]
    for name in re.findall(r"\w+", path):
        value = value[name]
    overrides = json.loads(transformer["InputTemplate"].replace("<arn>", json.dumps(value)))
    assert overrides["environmentVariablesOverride"][0]["value"] == approved
