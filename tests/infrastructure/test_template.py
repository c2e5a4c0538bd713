"""The stack: one that CloudFormation takes, and nothing in it that is open, unencrypted or allowed too much."""

import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint

from pipelines.checks.permissions import read_template
from tests.end_to_end.codebuild import read_buildspec

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "infrastructure" / "template.yaml"
# The actions that IAM knows no resources for: https://docs.aws.amazon.com/service-authorization/latest/reference/
WITHOUT_RESOURCE = {
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListEndpoints",
    "sagemaker:ListModels",
}


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return dict(read_template(TEMPLATE)["Resources"])


def of_type(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: entry["Properties"] for name, entry in resources.items() if entry["Type"] == kind}


def statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    """Of all policies of a role, the conditional ones included."""
    entries = [entry for policy in role["Policies"] for entry in policy["PolicyDocument"]["Statement"]]
    return [entry["Fn::If"][1] if "Fn::If" in entry else entry for entry in entries]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_cloudformation_takes_the_template() -> None:
    assert [str(fault) for fault in lint(TEMPLATE.read_text(), config=ManualArgs(regions=["us-east-1"]))] == []


def test_the_bucket_is_encrypted_versioned_private_and_outlives_the_stack(resources: dict[str, Any]) -> None:
    for name, bucket in of_type(resources, "AWS::S3::Bucket").items():
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert resources[name]["DeletionPolicy"] == "Retain"
        (policy,) = of_type(resources, "AWS::S3::BucketPolicy").values()
        (denied,) = policy["PolicyDocument"]["Statement"]
        assert (denied["Effect"], denied["Principal"], denied["Action"]) == ("Deny", "*", "s3:*")
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_no_role_may_do_everything_or_reach_everything(resources: dict[str, Any]) -> None:
    roles = of_type(resources, "AWS::IAM::Role")
    assert set(roles) == {"ExecutionRole", "BuildRole", "DeployRole", "EventRole"}
    for name, role in roles.items():
        assert "ManagedPolicyArns" not in role
        for statement in statements(role):
            actions = listed(statement["Action"])
            assert not [action for action in actions if "*" in action], name
            if "*" in listed(statement["Resource"]):
                assert all(action in WITHOUT_RESOURCE or action.startswith("ec2:") for action in actions), actions


def test_a_role_is_assumed_only_for_this_account_and_passed_only_to_sagemaker(resources: dict[str, Any]) -> None:
    for role in of_type(resources, "AWS::IAM::Role").values():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        assert str(trust["Principal"]["Service"]).endswith(".amazonaws.com")
        for statement in statements(role):
            if "iam:PassRole" in listed(statement["Action"]):
                assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


def test_the_build_may_make_every_call_of_the_buildspec_and_no_job(resources: dict[str, Any]) -> None:
    allowed = {
        action for entry in statements(resources["BuildRole"]["Properties"]) for action in listed(entry["Action"])
    }
    called = {"DescribePipeline", "ListTags", "AddTags", "CreatePipeline", "UpdatePipeline", "StartPipelineExecution"}
    assert {f"sagemaker:{name}" for name in called} | {"s3:GetObject", "s3:PutObject", "iam:PassRole"} <= allowed
    assert "sagemaker:CreateTrainingJob" not in allowed


def test_an_approval_starts_the_deployment_of_just_that_version(resources: dict[str, Any]) -> None:
    (rule,) = of_type(resources, "AWS::Events::Rule").values()
    assert rule["EventPattern"] == {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": [{"Ref": "ProjectName"}], "ModelApprovalStatus": ["Approved"]},
    }
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["DeployBuild", "Arn"]}
    transformer = target["InputTransformer"]
    assert transformer["InputPathsMap"] == {"arn": "$.detail.ModelPackageArn"}
    sent = json.loads(transformer["InputTemplate"].replace("<arn>", '"arn:aws:sagemaker:...:model-package/x/1"'))
    (variable,) = sent["environmentVariablesOverride"]
    assert variable["name"] == "MODEL_PACKAGE_ARN"
    deployment = (ROOT / "buildspec-deploy.yml").read_text()
    assert "$MODEL_PACKAGE_ARN" in deployment
    assert resources["DeployBuild"]["Properties"]["Source"]["BuildSpec"] == "buildspec-deploy.yml"


def test_the_builds_give_the_variables_that_the_buildspecs_need(resources: dict[str, Any]) -> None:
    for name in ("CommitBuild", "DeployBuild"):
        project = resources[name]["Properties"]
        given = {entry["Name"] for entry in project["Environment"]["EnvironmentVariables"]}
        assert {"SAGEMAKER_ROLE_ARN", "SAGEMAKER_BUCKET", "STAGE"} <= given
        spec = read_buildspec(ROOT / project["Source"]["BuildSpec"])
        assert spec["version"] == 0.2
