"""Who a client is, and what it may do."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

ROLE = "AmazonSageMaker-ExecutionRole"


def test_a_caller_has_the_execution_role_which_sagemaker_may_assume(server: Any) -> None:
    identity = server.client("sts").get_caller_identity()
    assert identity["Arn"].startswith(f"arn:aws:sts::000000000000:assumed-role/{ROLE}/")
    role = server.client("iam").get_role(RoleName=ROLE)["Role"]
    assert role["Arn"] == f"arn:aws:iam::000000000000:role/{ROLE}"
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "sagemaker.amazonaws.com"}


def test_a_role_that_was_assumed_stays_what_it_is(server: Any) -> None:
    sts = server.client("sts")
    arn = "arn:aws:iam::000000000000:role/other"
    key = sts.assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    import boto3

    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"], "us-east-1")
    identity = session.client("sts", endpoint_url=server.url).get_caller_identity()
    assert identity["Arn"].endswith(":assumed-role/other/me")


def test_every_action_is_allowed_as_none_is_forbidden_here(server: Any) -> None:
    iam = server.client("iam")
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName="Mine")
    asked = {"PolicySourceArn": "arn:aws:iam::111122223333:role/service-role/Mine", "ActionNames": ["s3:A", "s3:B"]}
    results = iam.simulate_principal_policy(**asked)["EvaluationResults"]
    assert [(each["EvalActionName"], each["EvalDecision"]) for each in results] == [
        ("s3:A", "allowed"),
        ("s3:B", "allowed"),
    ]
    assert iam.get_role(RoleName="Mine")["Role"]["Path"] == "/service-role/"
    results = iam.simulate_principal_policy(**asked, ResourceArns=["arn:aws:s3:::b"])["EvaluationResults"]
    assert {each["EvalResourceName"] for each in results} == {"arn:aws:s3:::b"}
