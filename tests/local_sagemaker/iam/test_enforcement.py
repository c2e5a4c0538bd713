"""Policies that are enforced: real clients of a real server, as a role, as a user, as nobody."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_sagemaker.client.lifecycle import up
from local_sagemaker.errors import LocalSageMakerError
from tests.conftest import BUCKET, REGION, LocalServer
from tests.local_sagemaker.api.test_endpoints import configure, make_model, settle, wait_for

pytestmark = pytest.mark.e2e

GROUP = "houses"
TRUSTS_SAGEMAKER = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
Client = Callable[..., Any]


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server that enforces IAM, with the roles of a data scientist and of an approver."""
    server = LocalServer(tmp_path_factory.mktemp("enforcing"))
    server.environment["SAGEMAKER_LOCAL_ENFORCE_IAM"] = "1"
    server.environment["SAGEMAKER_LOCAL_CALLS"] = str(server.state / "calls.jsonl")
    server.up()
    iam = make_client(server, "local")("iam")
    for role, allowed in (
        ("scientist", {"StringEquals": {"sagemaker:ModelApprovalStatus": "Rejected"}}),
        ("approver", {}),
    ):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(TRUSTS_SAGEMAKER))
        update = {"Effect": "Allow", "Action": "sagemaker:UpdateModelPackage", "Resource": "*", "Condition": allowed}
        read = {"Effect": "Allow", "Action": ["sagemaker:Describe*", "s3:GetObject"], "Resource": "*"}
        iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=document(update, read))
    yield server
    server.down()


def make_client(server: LocalServer, key: str, token: str | None = None) -> Client:
    def make(service: str) -> Any:
        client: Any = boto3.client
        return client(
            service,
            endpoint_url=server.url,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key="any",
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}),
        )

    return make


@pytest.fixture
def package(enforcing: LocalServer) -> str:
    sagemaker = make_client(enforcing, "local")("sagemaker")
    with contextlib.suppress(ClientError):  # there already
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    return str(sagemaker.create_model_package(ModelPackageGroupName=GROUP)["ModelPackageArn"])


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return f"{caught.value.response['Error']['Code']}: {caught.value.response['Error']['Message']}"


def test_the_data_scientist_may_reject_but_not_approve_and_the_approver_may(
    enforcing: LocalServer, package: str
) -> None:
    scientist = make_client(enforcing, "local:scientist:ada")("sagemaker")
    said = refused(lambda: scientist.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved"))
    assert said == (
        "AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role/scientist/ada is not authorized to "
        f"perform: sagemaker:UpdateModelPackage on resource: {package} "
        "because no policy allows the sagemaker:UpdateModelPackage action"
    )
    scientist.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Rejected")
    approver = make_client(enforcing, "local:approver:bob")("sagemaker")
    approver.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    described = scientist.describe_model_package(ModelPackageName=package)
    assert described["LastModifiedBy"]["IamIdentity"]["Arn"].endswith("assumed-role/approver/bob")


def test_an_assumed_role_is_the_role(enforcing: LocalServer, package: str) -> None:
    sts = make_client(enforcing, "local")("sts")
    role = "arn:aws:iam::000000000000:role/scientist"
    credentials = sts.assume_role(RoleArn=role, RoleSessionName="ada")["Credentials"]
    ada = make_client(enforcing, credentials["AccessKeyId"], credentials["SessionToken"])
    assert ada("sts").get_caller_identity()["Arn"].endswith("assumed-role/scientist/ada")
    said = refused(
        lambda: ada("sagemaker").update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    )
    assert said.startswith("AccessDeniedException")


def test_other_services_refuse_in_their_own_way(enforcing: LocalServer) -> None:
    scientist = make_client(enforcing, "local:scientist:ada")
    said = refused(lambda: scientist("s3").create_bucket(Bucket="mine-1"))
    assert said.startswith("AccessDenied: User: ")
    assert "s3:CreateBucket on resource: arn:aws:s3:::mine-1" in said
    assert refused(lambda: scientist("iam").get_role(RoleName="scientist")).startswith("AccessDenied: ")
    assert scientist("sts").get_caller_identity()["Arn"].endswith("assumed-role/scientist/ada")  # everyone may


def test_a_schedule_needs_a_role_that_scheduler_may_assume_and_may_do_what_that_role_may(
    enforcing: LocalServer, package: str
) -> None:
    admin = make_client(enforcing, "local")
    trusts = {**TRUSTS_SAGEMAKER, "Principal": {"Service": "scheduler.amazonaws.com"}}
    admin("iam").create_role(RoleName="clock", AssumeRolePolicyDocument=document(trusts))
    update = {"Effect": "Allow", "Action": "sagemaker:UpdateModelPackage", "Resource": "*"}
    create = {"Effect": "Allow", "Action": "scheduler:CreateSchedule", "Resource": "*"}
    admin("iam").put_role_policy(RoleName="scientist", PolicyName="schedules", PolicyDocument=document(create))

    def schedule(client: Any, name: str, role: str) -> None:
        given = json.dumps({"ModelPackageArn": package, "ApprovalDescription": name})
        target = {
            "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:updateModelPackage",
            "RoleArn": f"arn:aws:iam::000000000000:role/{role}",
            "Input": given,
        }
        client.create_schedule(
            Name=name,
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target=target,
            ActionAfterCompletion="NONE",
        )

    def description() -> str:
        found = admin("sagemaker").describe_model_package(ModelPackageName=package)
        return str(found.get("ApprovalDescription"))

    assert "must allow AWS EventBridge Scheduler to assume" in refused(
        lambda: schedule(admin("scheduler"), "a", "approver")
    )
    scientist = make_client(enforcing, "local:scientist:ada")("scheduler")
    assert "iam:PassRole" in refused(lambda: schedule(scientist, "b", "clock"))
    schedule(admin("scheduler"), "denied", "clock")
    log = enforcing.state / "server.log"
    deadline = time.monotonic() + 60
    while "is not authorized to perform: sagemaker:UpdateModelPackage" not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    assert description() == "None"
    admin("iam").put_role_policy(RoleName="clock", PolicyName="own", PolicyDocument=document(update))
    schedule(admin("scheduler"), "allowed", "clock")
    deadline = time.monotonic() + 15
    while description() != "allowed":
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def test_who_has_no_key_here_is_nobody(enforcing: LocalServer) -> None:
    for key in ("any", "local:unknown:ada", "AKIAIOSFODNN7EXAMPLE"):
        assert refused(lambda key=key: make_client(enforcing, key)("s3").list_buckets()).startswith(
            "InvalidClientTokenId"
        )


def test_a_user_has_its_own_policies_and_those_of_its_groups(enforcing: LocalServer) -> None:
    iam = make_client(enforcing, "local")("iam")
    iam.create_user(UserName="eve")
    key = iam.create_access_key(UserName="eve")["AccessKey"]
    eve = make_client(enforcing, key["AccessKeyId"])("sagemaker")
    assert refused(eve.list_models).startswith("AccessDeniedException: User: arn:aws:iam::000000000000:user/eve")
    iam.create_group(GroupName="readers")
    iam.put_group_policy(
        GroupName="readers",
        PolicyName="read",
        PolicyDocument=document({"Effect": "Allow", "Action": "sagemaker:List*", "Resource": "*"}),
    )
    iam.add_user_to_group(GroupName="readers", UserName="eve")
    assert eve.list_models()["Models"] == []


def test_a_role_that_sagemaker_cannot_assume_gets_no_job(enforcing: LocalServer) -> None:
    sagemaker = make_client(enforcing, "local")("sagemaker")
    role = "arn:aws:iam::000000000000:role/nobody"
    container = {"Image": "public.ecr.aws/docker/library/python:3"}
    said = refused(lambda: sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer=container))
    assert said == (
        f"ValidationException: Could not assume role {role}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role."
    )


def test_what_the_role_of_a_model_lacks_is_named_with_what_needs_it(enforcing: LocalServer) -> None:
    sagemaker = make_client(enforcing, "local")("sagemaker")
    role = "arn:aws:iam::000000000000:role/scientist"
    container = {"Image": "public.ecr.aws/docker/library/python:3", "ModelDataUrl": "s3://houses/model.tar.gz"}
    said = refused(lambda: sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer=container))
    assert "assumed-role/scientist/SageMaker is not authorized to perform: s3:ListBucket" in said
    assert said.endswith("(its inputs)")


def test_the_role_of_an_asynchronous_model_reads_inputs_writes_answers_and_publishes(enforcing: LocalServer) -> None:
    admin = make_client(enforcing, "local")
    sagemaker, s3, iam, runtime = (admin(name) for name in ("sagemaker", "s3", "iam", "sagemaker-runtime"))
    iam.create_role(RoleName="model", AssumeRolePolicyDocument=document(TRUSTS_SAGEMAKER))
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    secret = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/secret/*"}
    iam.put_role_policy(RoleName="model", PolicyName="own", PolicyDocument=document(everything, secret))
    topic = admin("sns").create_topic(Name="async")["TopicArn"]
    queue = admin("sqs").create_queue(QueueName="async")["QueueUrl"]
    arn = admin("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    admin("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    s3.create_bucket(Bucket=BUCKET)
    for key in ("open/x", "secret/x"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    output = {"S3OutputPath": f"s3://{BUCKET}/out", "NotificationConfig": {"SuccessTopic": topic, "ErrorTopic": topic}}
    model = make_model(sagemaker, s3, "guarded", role="arn:aws:iam::000000000000:role/model")
    config = configure(sagemaker, model, AsyncInferenceConfig={"OutputConfig": output})
    sagemaker.create_endpoint(EndpointName="guarded", EndpointConfigName=config)
    assert settle(sagemaker, "guarded")["EndpointStatus"] == "InService"

    def told(key: str) -> str:
        """The status in the note, and the reason."""
        runtime.invoke_endpoint_async(EndpointName="guarded", InputLocation=f"s3://{BUCKET}/{key}")
        found: list[Any] = wait_for(lambda: admin("sqs").receive_message(QueueUrl=queue).get("Messages"))
        admin("sqs").delete_message(QueueUrl=queue, ReceiptHandle=found[0]["ReceiptHandle"])
        note = json.loads(found[0]["Body"])
        return f"{note['invocationStatus']} {note.get('failureReason', '')}"

    assert told("open/x") == "Completed "
    denied = told("secret/x")
    assert "assumed-role/model/SageMaker is not authorized to perform: s3:GetObject" in denied
    assert denied.endswith(f"arn:aws:s3:::{BUCKET}/secret/x with an explicit deny in a policy (its input)")
    writing = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{BUCKET}/out/*"}
    iam.put_role_policy(RoleName="model", PolicyName="own", PolicyDocument=document(everything, writing))
    assert "s3:PutObject" in told("open/x")
    silent = {"Effect": "Deny", "Action": "sns:Publish", "Resource": topic}
    iam.put_role_policy(RoleName="model", PolicyName="own", PolicyDocument=document(everything, silent))
    answer = runtime.invoke_endpoint_async(EndpointName="guarded", InputLocation=f"s3://{BUCKET}/open/x")
    key = answer["OutputLocation"].removeprefix(f"s3://{BUCKET}/")
    wait_for(lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix=key).get("Contents"))
    wait_for(lambda: "is not authorized to perform: sns:Publish" in (enforcing.state / "server.log").read_text())
    sagemaker.delete_endpoint(EndpointName="guarded")


def test_a_simulation_says_what_is_decided(enforcing: LocalServer) -> None:
    iam = make_client(enforcing, "local")("iam")
    answer = iam.simulate_principal_policy(
        PolicySourceArn="arn:aws:iam::000000000000:role/scientist",
        ActionNames=["s3:GetObject", "s3:PutObject"],
        ResourceArns=["arn:aws:s3:::b/k"],
    )
    decisions = {each["EvalActionName"]: each["EvalDecision"] for each in answer["EvaluationResults"]}
    assert decisions == {"s3:GetObject": "allowed", "s3:PutObject": "implicitDeny"}


def test_every_call_is_written_down_with_who_made_it(enforcing: LocalServer, package: str) -> None:
    make_client(enforcing, "local:approver:bob")("sagemaker").describe_model_package(ModelPackageName=package)
    lines = [json.loads(line) for line in (enforcing.state / "calls.jsonl").read_text().splitlines()]
    assert {
        "identity": "approver",
        "operation": "DescribeModelPackage",
        "action": "sagemaker:DescribeModelPackage",
        "resource": package,
    } in lines
    scientist = make_client(enforcing, "local:scientist:ada")("sagemaker")
    refused(lambda: scientist.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved"))
    lines = [json.loads(line) for line in (enforcing.state / "calls.jsonl").read_text().splitlines()]
    assert [line["identity"] for line in lines if line.get("denied") and line["resource"] == package] == ["scientist"]


def test_a_server_that_does_not_enforce_is_not_taken_for_one_that_does(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {**server.environment, "SAGEMAKER_LOCAL_ENFORCE_IAM": "1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(LocalSageMakerError, match="runs without --enforce-iam: stop it with `local down` first"):
        up(server.state)
