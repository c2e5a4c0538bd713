"""Asks an account on moto: empty, set up by the stacks, and changed by hand. A program, as moto patches its process.

Prints a JSON document of what was found each time: messages by what was asked.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws

sys.path.insert(0, str(Path(__file__).parents[2]))

from infrastructure.account_check import (
    Finding,
    Wanted,
    network,
    roles_as_deployed,
    trust,
)
from infrastructure.roles import Account, roles
from infrastructure.stacks import Stack, as_parameters

REGION, NUMBER = "eu-west-1", "123456789012"
ACCOUNT = Account(NUMBER, REGION, "house-prices", "a-bucket")
GIVEN = {"SourceLocation": "https://github.com/o/r.git"}
WANTED = Wanted(ACCOUNT, f"arn:aws:iam::{NUMBER}:role/house-prices-dev-execution", None, (), (), {})
DELETES = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:DeleteBucket", "Resource": "*"}]}


def client(service: str) -> Any:
    make: Any = boto3.client
    return make(service, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")


def said(findings: Iterable[Finding]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding in findings:
        found.setdefault(finding.about, []).append(finding.message)
    return found


def asked() -> dict[str, list[str]]:
    return said([*trust(client, WANTED), *roles_as_deployed(client, WANTED)])


def set_up() -> None:
    """The roles as the template has them, and a stack with its parameters: moto's own would mangle the policies."""
    stack = Stack("roles", "house-prices", "dev")
    client("cloudformation").create_stack(
        StackName=stack.name,
        TemplateBody=json.dumps({"Parameters": stack.parameters, "Resources": {"T": {"Type": "AWS::SNS::Topic"}}}),
        Parameters=as_parameters({**ACCOUNT.parameters, **GIVEN}),
    )
    iam = client("iam")
    for name, role in roles(ACCOUNT, given=GIVEN).items():
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(role.trust))
        for number, policy in enumerate(role.principal.policies):
            document = json.dumps(policy)
            if number:
                iam.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=document)
            else:
                made = iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
                iam.attach_role_policy(RoleName=name, PolicyArn=made)


def main() -> None:
    found: dict[str, Any] = {}
    with mock_aws():
        found["empty"] = asked()
        set_up()
        found["set up"] = asked()
        iam = client("iam")
        iam.put_role_policy(RoleName="house-prices-dev-approver", PolicyName="more", PolicyDocument=json.dumps(DELETES))
        others = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
        iam.update_assume_role_policy(RoleName="house-prices-dev-execution", PolicyDocument=json.dumps(others))
        found["changed"] = asked()
        ec2 = client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        inside = replace(WANTED, subnets=(subnet,))
        found["network without s3"] = [finding.message for finding in network(client, inside)]
        ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3", VpcEndpointType="Gateway")
        found["network with s3"] = [finding.message for finding in network(client, inside)]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
