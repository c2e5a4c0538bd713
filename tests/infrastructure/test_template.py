"""The stack: one that CloudFormation takes, and nothing in it that is open, unencrypted or allowed too much."""

import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint

from command_line.deployment import LOCK_SECONDS
from deployment.endpoint import Waiting
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
    rule = resources["ApprovalRule"]["Properties"]
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


def test_the_deployment_may_do_and_undo_all_that_it_makes(resources: dict[str, Any]) -> None:
    """A first deployment that fails deletes its endpoint; with a key, creating one asks for a grant."""
    granted = statements(resources["DeployRole"]["Properties"])
    allowed = {action for entry in granted for action in listed(entry["Action"])}
    made = {action.removeprefix("sagemaker:Create") for action in allowed if action.startswith("sagemaker:Create")}
    assert made == {"Endpoint", "EndpointConfig", "Model"}
    assert {f"sagemaker:Delete{kind}" for kind in made} <= allowed
    (grant,) = [entry for entry in granted if "kms:CreateGrant" in listed(entry["Action"])]
    assert grant["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert "kms:DescribeKey" in allowed


@pytest.mark.parametrize("name", ["CommitBuild", "DeployBuild"])
def test_a_build_reads_each_kind_of_repository_and_none_is_dropped(resources: dict[str, Any], name: str) -> None:
    project = resources[name]["Properties"]
    assert "ConcurrentBuildLimit" not in project  # what is above it is not queued but dropped
    assert project["Source"]["Auth"]["Fn::If"][:2] == [
        "HasConnection",
        {"Type": "CODECONNECTIONS", "Resource": {"Ref": "ConnectionArn"}},
    ]
    role = resources[project["ServiceRole"]["Fn::GetAtt"][0]]["Properties"]
    conditional = {
        entry["Fn::If"][0]: listed(entry["Fn::If"][1]["Action"])
        for policy in role["Policies"]
        for entry in policy["PolicyDocument"]["Statement"]
        if "Fn::If" in entry
    }
    assert conditional["IsCodeCommit"] == ["codecommit:GitPull"]
    assert {"codeconnections:GetConnection", "codeconnections:GetConnectionToken"} <= set(conditional["HasConnection"])


def test_a_push_to_codecommit_which_has_no_webhook_is_an_event(resources: dict[str, Any]) -> None:
    triggers = resources["CommitBuild"]["Properties"]["Triggers"]["Fn::If"]
    assert (triggers[0], triggers[2]) == ("HasWebhook", {"Ref": "AWS::NoValue"})
    assert resources["PushRule"]["Condition"] == "IsCodeCommit"
    assert resources["PushRule"]["Properties"]["Targets"][0]["Arn"] == {"Fn::GetAtt": ["CommitBuild", "Arn"]}


def test_a_stuck_deployment_ends_before_its_build_is_cut_off(resources: dict[str, Any]) -> None:
    limit = Waiting(poll_seconds=1).limit_seconds
    both_ways = 2 * limit / 60  # the deployment gives up, then its undoing does
    assert resources["DeployBuild"]["Properties"]["TimeoutInMinutes"] > both_ways
    assert resources["DeployBuild"]["Properties"]["TimeoutInMinutes"] * 60 <= LOCK_SECONDS


def test_the_bucket_has_no_name_that_could_be_too_long(resources: dict[str, Any]) -> None:
    assert "BucketName" not in resources["Bucket"]["Properties"]


def test_the_builds_give_the_variables_that_the_buildspecs_need(resources: dict[str, Any]) -> None:
    for name in ("CommitBuild", "DeployBuild"):
        project = resources[name]["Properties"]
        given = {entry["Name"] for entry in project["Environment"]["EnvironmentVariables"]}
        assert {"SAGEMAKER_ROLE_ARN", "SAGEMAKER_BUCKET", "STAGE", "SAGEMAKER_SUBNETS"} <= given
        spec = read_buildspec(ROOT / project["Source"]["BuildSpec"])
        assert spec["version"] == 0.2
