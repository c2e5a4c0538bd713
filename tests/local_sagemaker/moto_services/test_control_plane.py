"""The state of S3, IAM and EventBridge survives a restart and a kill -9."""

import json
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import kill


def test_objects_roles_and_rules_survive_a_kill(new_server: Callable[[], Any]) -> None:
    server = new_server()
    pid = server.up().pid
    s3, iam, events = (server.client(name) for name in ("s3", "iam", "events"))
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="a/b.txt", Body=b"hello", Metadata={"who": "me"}, ContentType="text/plain")
    s3.put_object(Bucket="kept", Key="gone", Body=b"x")
    s3.delete_object(Bucket="kept", Key="gone")
    iam.create_role(RoleName="jobs", AssumeRolePolicyDocument="{}")
    events.put_rule(Name="approval", EventPattern=json.dumps({"source": ["aws.sagemaker"]}))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    server.up()
    found = s3.get_object(Bucket="kept", Key="a/b.txt")
    assert (found["Body"].read(), found["Metadata"], found["ContentType"]) == (b"hello", {"who": "me"}, "text/plain")
    with pytest.raises(ClientError, match="Not Found"):
        s3.head_object(Bucket="kept", Key="gone")
    assert iam.get_role(RoleName="jobs")["Role"]["RoleName"] == "jobs"
    assert [rule["Name"] for rule in events.list_rules()["Rules"]] == ["approval"]


def test_files_of_deleted_objects_are_swept_at_the_next_start(new_server: Callable[[], Any]) -> None:
    server = new_server()
    server.up()
    s3 = server.client("s3")
    s3.create_bucket(Bucket="swept")
    for number in range(3):
        s3.put_object(Bucket="swept", Key="same", Body=b"x" * number)
    server.down()
    server.up()
    assert len(list((server.state / "objects").iterdir())) == 1
    assert s3.get_object(Bucket="swept", Key="same")["Body"].read() == b"xx"


def test_an_approval_reaches_a_queue_through_a_rule(server: Any, sagemaker: Any) -> None:
    events, sqs = server.client("events"), server.client("sqs")
    queue = sqs.create_queue(QueueName="of-the-group-events")["QueueUrl"].replace("http://localhost:5000", server.url)
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelApprovalStatus": ["Approved"], "ModelPackageGroupName": ["events"]},
    }
    events.put_rule(Name="of-the-group-events", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="of-the-group-events", Targets=[{"Id": "queue", "Arn": arn}])
    sagemaker.create_model_package_group(ModelPackageGroupName="events")
    package = sagemaker.create_model_package(ModelPackageGroupName="events")["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(message["Body"])["detail"]["ModelPackageArn"] for message in messages] == [package]


def test_a_rule_whose_queue_is_gone_keeps_nobody_from_registering(server: Any, sagemaker: Any) -> None:
    events, sqs = server.client("events"), server.client("sqs")
    queue = sqs.create_queue(QueueName="soon-gone")["QueueUrl"].replace("http://localhost:5000", server.url)
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="soon-gone", EventPattern=json.dumps({"source": ["aws.sagemaker"]}))
    events.put_targets(Rule="soon-gone", Targets=[{"Id": "queue", "Arn": arn}])
    sqs.delete_queue(QueueUrl=queue)
    sagemaker.create_model_package_group(ModelPackageGroupName="undelivered")
    try:
        assert sagemaker.create_model_package(ModelPackageGroupName="undelivered")["ModelPackageArn"].endswith("/1")
    finally:
        events.remove_targets(Rule="soon-gone", Ids=["queue"])
        events.delete_rule(Name="soon-gone")
    assert "did not reach a target" in (server.state / "server.log").read_text()


def test_keys_parameters_secrets_and_alarms_survive_a_kill(new_server: Callable[[], Any]) -> None:
    server = new_server()
    started = server.up()
    kms, ssm, cloudwatch = (server.client(name) for name in ("kms", "ssm", "cloudwatch"))
    symmetric = kms.create_key()["KeyMetadata"]["KeyId"]
    signing = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["KeyId"]
    curve = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/key", TargetKeyId=symmetric)
    hidden = kms.encrypt(KeyId="alias/key", Plaintext=b"secret")["CiphertextBlob"]
    said = {"Message": b"said", "MessageType": "RAW"}
    algorithms = {signing: "RSASSA_PSS_SHA_256", curve: "ECDSA_SHA_256"}
    signatures = {
        key: kms.sign(KeyId=key, SigningAlgorithm=algorithm, **said)["Signature"]
        for key, algorithm in algorithms.items()
    }
    ssm.put_parameter(Name="/a/b", Value="value", Type="String")
    ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="/a/b", Tags=[{"Key": "k", "Value": "v"}])
    cloudwatch.put_metric_alarm(
        AlarmName="alarm",
        MetricName="m",
        Namespace="n",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    kill(started.pid)
    server.up()
    assert kms.decrypt(CiphertextBlob=hidden)["Plaintext"] == b"secret"
    for key, algorithm in algorithms.items():
        assert kms.verify(KeyId=key, Signature=signatures[key], SigningAlgorithm=algorithm, **said)["SignatureValid"]
    assert ssm.get_parameters_by_path(Path="/a")["Parameters"][0]["Value"] == "value"
    ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="/a/b", Tags=[{"Key": "l", "Value": "w"}])
    assert len(ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/a/b")["TagList"]) == 2
    assert [alarm["AlarmName"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]] == ["alarm"]
    assert server.up().damaged == 0


@pytest.mark.parametrize("name", ["../x", "a/b", "a b", "r" * 65])
def test_a_name_that_aws_would_refuse_is_refused_by_the_small_services_too(server: Any, name: str) -> None:
    iam, events = server.client("iam"), server.client("events")
    with pytest.raises(ClientError, match=r"ValidationError.*roleName.*failed to satisfy constraint"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    with pytest.raises(ClientError, match=r"ValidationException.*name.*failed to satisfy constraint"):
        events.put_rule(Name=name, ScheduleExpression="rate(1 day)")


@pytest.mark.parametrize("name", ["a+b=c,d.e@f-g_h", "r" * 64])
def test_a_name_that_aws_takes_is_taken(server: Any, name: str) -> None:
    iam = server.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    iam.delete_role(RoleName=name)
