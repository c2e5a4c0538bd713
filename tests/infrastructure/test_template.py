"""The stacks: templates that CloudFormation takes, and nothing in them that is open, unencrypted or too much."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from command_line.session import LOCK_SECONDS, LONGEST_UPDATE_SECONDS
from infrastructure.function_code import archive
from infrastructure.stacks import ORDER
from infrastructure.template import FOLDER, Resolved, read_template
from tests.end_to_end.codebuild import read_buildspec

ROOT = Path(__file__).parents[2]
# The actions that IAM knows no resources for: https://docs.aws.amazon.com/service-authorization/latest/reference/
WITHOUT_RESOURCE = {
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "cloudwatch:GetMetricData",
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "sagemaker:ListEndpointConfigs",
    # and what each of Studio's pages lists, with the names alone
    "sagemaker:ListApps",
    "sagemaker:ListDomains",
    "sagemaker:ListEndpoints",
    "sagemaker:ListModelPackageGroups",
    "sagemaker:ListPipelines",
    "sagemaker:ListProcessingJobs",
    "sagemaker:ListSpaces",
    "sagemaker:ListTrainingJobs",
    "sagemaker:ListUserProfiles",
    "sagemaker:Search",
}
BUILDS = [("build", "CommitBuild", "BuildRole"), ("deployment", "DeployBuild", "DeployRole")]


def resources(kind: str) -> dict[str, Any]:
    return dict(read_template(FOLDER / f"{kind}.yaml")["Resources"])


def properties(kind: str, name: str) -> dict[str, Any]:
    return dict(resources(kind)[name]["Properties"])


def of_type(kind: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Stack, logical name and properties of every resource of a type."""
    return [
        (stack, name, entry.get("Properties", {}))
        for stack in ORDER
        for name, entry in resources(stack).items()
        if entry["Type"] == kind
    ]


def entries(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements of a policy, the conditional ones included."""
    return [entry["Fn::If"][1] if "Fn::If" in entry else entry for entry in document["Statement"]]


def statements_of_roles() -> list[tuple[str, dict[str, Any]]]:
    roles = [
        (name, policy["PolicyDocument"])
        for _, name, role in of_type("AWS::IAM::Role")
        for policy in role.get("Policies", [])
    ]
    kinds = ("AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")
    managed = [(name, policy["PolicyDocument"]) for kind in kinds for _, name, policy in of_type(kind)]
    return [(name, entry) for name, document in (*roles, *managed) for entry in entries(document)]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.e2e
@pytest.mark.parametrize("stack", ORDER)
def test_cloudformation_takes_the_template(stack: str) -> None:
    from cfnlint.api import ManualArgs, lint  # a second and more

    text = (FOLDER / f"{stack}.yaml").read_text()
    assert [str(fault) for fault in lint(text, config=ManualArgs(regions=["us-east-1", "eu-west-1"]))] == []
    assert len(text.encode()) <= 51_200  # what CreateChangeSet takes as it is


def test_the_bucket_is_encrypted_versioned_private_and_outlives_the_stack() -> None:
    bucket = properties("storage", "Bucket")
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketName" not in bucket  # one made of project, account and region could be too long
    for name in ("Bucket", "Key", "Registry"):
        assert resources("storage")[name]["DeletionPolicy"] == "Retain"
    denied = entries(properties("storage", "BucketPolicy")["PolicyDocument"])[0]
    assert (denied["Effect"], denied["Principal"], denied["Action"]) == ("Deny", "*", "s3:*")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_what_holds_messages_and_data_is_encrypted_and_the_key_is_renewed() -> None:
    assert properties("storage", "Key")["EnableKeyRotation"] is True
    assert properties("deployment", "UndeliveredApprovals")["KmsMasterKeyId"]["Fn::If"][0] == "HasKey"
    assert properties("deployment", "Failures")["KmsMasterKeyId"]["Fn::If"][0] == "HasKey"
    assert properties("studio", "Domain")["KmsKeyId"] == {"Ref": "KmsKeyArn"}


def test_other_accounts_read_versions_and_models_only_where_they_are_named() -> None:
    shared = [
        entry["Fn::If"]
        for name in ("Key", "BucketPolicy")
        for document in (properties("storage", name).get("KeyPolicy") or properties("storage", name)["PolicyDocument"],)
        for entry in document["Statement"]
        if "Fn::If" in entry
    ]
    assert [entry[0] for entry in shared] == ["IsShared", "IsShared"]
    assert all(entry[1]["Principal"] == {"AWS": {"Ref": "TrustedAccounts"}} for entry in shared)
    assert shared[1][1]["Action"] == "s3:GetObject"
    policy = properties("storage", "Registry")["ModelPackageGroupPolicy"]["Fn::If"]
    assert policy[0] == "IsShared"
    assert "sagemaker:UpdateModelPackage" not in policy[1]["Statement"][0]["Action"]  # another account approves nothing


def test_no_role_may_do_everything_or_reach_everything() -> None:
    for name, statement in statements_of_roles():
        actions = listed(statement["Action"])
        assert not [action for action in actions if "*" in action], name
        if "*" in listed(statement["Resource"]):
            assert all(action in WITHOUT_RESOURCE or action.startswith("ec2:") for action in actions), actions


def test_a_role_is_assumed_only_for_this_account_and_passed_only_to_the_service_that_needs_it() -> None:
    for _, name, role in of_type("AWS::IAM::Role"):
        for trust in entries(role["AssumeRolePolicyDocument"]):
            if trust["Principal"] == {"Service": "lambda.amazonaws.com"}:
                assert name in ("CollectRole", "ActRole")  # Lambda gives no account when it assumes a role
            elif "Service" in trust["Principal"]:
                assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}, name
            else:
                assert trust["Principal"]["AWS"] in (
                    {"Ref": "Deployers"},
                    {
                        "Fn::If": [
                            "HasPeople",
                            {"Ref": "People"},
                            {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"},
                        ]
                    },
                )
        assert all(set(arn) == {"Ref"} for arn in role.get("ManagedPolicyArns", []))  # policies of this template
    for _, statement in statements_of_roles():
        if "iam:PassRole" in listed(statement["Action"]):
            removal = statement["Resource"] == {"Fn::GetAtt": ["RemovalRole", "Arn"]}
            service = "scheduler.amazonaws.com" if removal else "sagemaker.amazonaws.com"
            assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": service}}
        if "kms:CreateGrant" in listed(statement["Action"]):
            assert statement["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_the_functions_run_the_code_that_bootstrap_uploads() -> None:
    with zipfile.ZipFile(io.BytesIO(archive())) as packed:
        for name in ("Collect", "Act"):
            module, _, function = properties("monitoring", name)["Handler"].partition(".")
            assert f"def {function}(" in packed.read(f"{module}.py").decode()
            assert "infrastructure" not in packed.read(f"{module}.py").decode()  # each file stands alone
    assert archive() == archive()
    assert properties("monitoring", "Act")["Environment"]["Variables"] == {"MONITORING_TOPIC": {"Ref": "Decisions"}}


def test_the_schedule_starts_the_monitoring_of_the_stage_and_what_is_lost_is_kept() -> None:
    schedule = properties("monitoring", "Windows")
    target = schedule["Target"]
    assert target["Arn"]["Fn::Sub"].endswith(":pipeline/${ProjectName}-monitoring")
    given = target["SageMakerPipelineParameters"]["PipelineParameterList"]
    assert given[0] == {"Name": "Stage", "Value": {"Ref": "MonitoredStage"}}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["Undelivered", "Arn"]}}
    alarm = properties("monitoring", "NotOk")
    assert (alarm["MetricName"], alarm["Threshold"], alarm["TreatMissingData"]) == ("Decision", 1, "ignore")


def test_a_decision_starts_the_build_for_just_that_version() -> None:
    rule = properties("deployment", "ApprovalRule")
    assert rule["EventPattern"]["detail"] == {
        "ModelPackageGroupName": [{"Ref": "ProjectName"}],
        "ModelApprovalStatus": ["Approved", "Rejected"],
        "$or": [
            {"UpdatedModelPackageFields": ["ModelApprovalStatus"]},
            {"UpdatedModelPackageFields": [{"exists": False}]},
        ],
    }
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["DeployBuild", "Arn"]}
    assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": ["UndeliveredApprovals", "Arn"]}
    transformer = target["InputTransformer"]
    paths = {"arn": "$.detail.ModelPackageArn", "decision": "$.detail.ModelApprovalStatus", "time": "$.time"}
    assert transformer["InputPathsMap"] == paths
    sent = json.loads(re.sub("<(.+?)>", r'"\1"', transformer["InputTemplate"]))
    variables = {each["name"]: each["value"] for each in sent["environmentVariablesOverride"]}
    assert variables == {"MODEL_PACKAGE_ARN": "arn", "DECISION": "decision", "DECIDED_AT": "time"}
    assert all(f"${name}" in (ROOT / "buildspec-deploy.yml").read_text() for name in variables)
    assert properties("deployment", "DeployBuild")["Source"]["BuildSpec"] == "buildspec-deploy.yml"


@pytest.mark.parametrize(("stack", "name", "role"), BUILDS)
def test_a_build_reads_each_kind_of_repository_and_none_is_dropped(stack: str, name: str, role: str) -> None:
    project = properties(stack, name)
    assert "ConcurrentBuildLimit" not in project  # what is above it is not queued but dropped
    connection = {"Type": "CODECONNECTIONS", "Resource": {"Ref": "ConnectionArn"}}
    assert project["Source"]["Auth"]["Fn::If"][:2] == ["HasConnection", connection]
    assert project["ServiceRole"] == {"Ref": f"{role}Arn"}
    conditional = {
        entry["Fn::If"][0]: listed(entry["Fn::If"][1]["Action"])
        for policy in properties("roles", role)["Policies"]
        for entry in policy["PolicyDocument"]["Statement"]
        if "Fn::If" in entry
    }
    assert conditional["IsCodeCommit"] == ["codecommit:GitPull"]
    assert {"codeconnections:GetConnection", "codeconnections:GetConnectionToken"} <= set(conditional["HasConnection"])
    given = {entry["Name"] for entry in project["Environment"]["EnvironmentVariables"]}
    assert {
        "SAGEMAKER_ROLE_ARN",
        "SAGEMAKER_SERVING_ROLE_ARN",
        "SAGEMAKER_BUCKET",
        "SAGEMAKER_SUBNETS",
        "STAGE",
    } <= given
    assert ("SAGEMAKER_REMOVAL_ROLE_ARN" in given) is (role == "DeployRole")
    assert read_buildspec(ROOT / project["Source"]["BuildSpec"])["version"] == 0.2


def test_a_push_to_codecommit_which_has_no_webhook_is_an_event() -> None:
    values = {
        "SourceLocation": "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/houses",
        "AWS::Region": "eu-west-1",
    }
    template = read_template(FOLDER / "build.yaml")
    with_webhook = Resolved(template, {**values, "SourceType": "GITHUB"}).resources
    assert "PushRule" not in with_webhook
    assert with_webhook["CommitBuild"]["Properties"]["Triggers"]["Webhook"] is True
    events = Resolved(
        template, {**values, "SourceType": "CODECOMMIT", "AWS::AccountId": "1", "AWS::Partition": "aws"}
    ).resources
    assert "Triggers" not in events["CommitBuild"]["Properties"]
    assert events["PushRule"]["Properties"]["EventPattern"]["resources"] == ["arn:aws:codecommit:eu-west-1:1:houses"]


def test_a_stuck_deployment_ends_before_its_build_is_cut_off() -> None:
    build = properties("deployment", "DeployBuild")["TimeoutInMinutes"] * 60
    assert build > 2 * LONGEST_UPDATE_SECONDS  # the deployment gives up, then its undoing does
    assert build <= LOCK_SECONDS


def test_spaces_of_studio_stop_when_nobody_uses_them() -> None:
    settings = properties("studio", "Domain")["DefaultUserSettings"]
    for kind in ("JupyterLabAppSettings", "CodeEditorAppSettings"):
        idle = settings[kind]["AppLifecycleManagement"]["IdleSettings"]
        assert idle == {"LifecycleManagement": "ENABLED", "IdleTimeoutInMinutes": {"Ref": "StudioIdleMinutes"}}
    profiles = {
        each["UserProfileName"]: each["UserSettings"]["ExecutionRole"]
        for _, _, each in of_type("AWS::SageMaker::UserProfile")
    }
    assert set(profiles) == {"data-engineer", "data-scientist", "approver", "mlops-engineer"}
    assert profiles["approver"] == {"Ref": "ApproverRoleArn"}
