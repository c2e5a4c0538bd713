"""What of an AWS account would stop a run, asked before money is spent: every question only reads."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from infrastructure.bootstrap import BROKEN, describe_stack, outputs_of
from infrastructure.deployed_roles import Deployed, differences, trusts
from infrastructure.roles import Account, Role, attached, roles, with_policies
from infrastructure.stacks import Stack

SAGEMAKER = "sagemaker.amazonaws.com"
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
ANYWHERE = "0.0.0.0/0"
# As AWS's refusals name them: "The account-level service limit 'ml.m5.large for processing job usage' is 0 Instances".
JOBS = {"training": "training job usage", "processing": "processing job usage", "endpoint": "endpoint usage"}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or, where `known` is False, that nobody could say; `about` is what was asked."""

    about: str
    message: str
    fix: str
    known: bool = True


@dataclass(frozen=True)
class Wanted:
    """What a run needs of the account: roles, images, network, and how many instances of a type for which use."""

    account: Account
    role_arn: str
    serving_role_arn: str | None
    images: tuple[str, ...]
    subnets: tuple[str, ...]
    instances: Mapping[tuple[str, str], int]


Clients = Callable[[str], Any]
Question = Callable[[Clients, Wanted], Iterator[Finding]]


def account_findings(client: Clients, wanted: Wanted) -> Iterator[Finding]:
    """Every finding; a question that was denied, or has no answer, is one that is not known."""
    from botocore.exceptions import ClientError

    for about, question in QUESTIONS.items():
        try:
            yield from question(client, wanted)
        except ClientError as error:
            yield _unanswered(about, error.response["Error"].get("Code", "Unknown"), error.operation_name)


def _unanswered(about: str, code: str, operation: str) -> Finding:
    if code in DENIED:
        return Finding(about, f"{operation} was denied, so nobody knows", f"ask somebody who may do {operation}", False)
    return Finding(about, f"{operation} answered {code}, so nobody knows", "look in the console", False)


def quotas(client: Clients, wanted: Wanted) -> Iterator[Finding]:
    """Whether Service Quotas lets so many instances run, of what runs in the account beside it nothing is known."""
    values = quota_values(client)
    for (use, instance_type), count in wanted.instances.items():
        name = quota_name(use, instance_type)
        if name not in values:
            yield Finding("quotas", f"Service Quotas has no {name!r} here", "look in its console", False)
        elif values[name] < count:
            message = f"the account may run {values[name]:.0f} {instance_type} ({JOBS[use]}), and {count} are wanted"
            yield Finding("quotas", message, f"ask for more of {name!r} in Service Quotas")


def quota_values(client: Clients) -> dict[str, float]:
    """The quotas of SageMaker by their names."""
    pages = client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
    return {each["QuotaName"]: each["Value"] for page in pages for each in page["Quotas"]}


def quota_name(use: str, instance_type: str) -> str:
    """The quota of instances of a type for a use: training, processing or endpoint."""
    return f"{instance_type} for {JOBS[use]}"


def images(client: Clients, wanted: Wanted) -> Iterator[Finding]:
    """Whether the images of the jobs are in the region's registry."""
    for image in wanted.images:
        registry, _, rest = image.partition(".")
        repository, _, tag = image.partition("/")[2].partition(":")
        where = {"registryId": registry, "repositoryName": repository}
        if _in_registry(client("ecr"), where, tag):
            continue
        region = rest.split(".")[2]
        yield Finding("images", f"{image} is not in the registry of {region}", "fix jobs.image_version, or AWS_REGION")


def _in_registry(ecr: Any, where: Mapping[str, str], tag: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        return bool(ecr.batch_get_image(**where, imageIds=[{"imageTag": tag}]).get("images"))
    except ClientError as error:
        if error.response["Error"].get("Code") != "RepositoryNotFoundException":
            raise
        return False


def trust(client: Clients, wanted: Wanted) -> Iterator[Finding]:
    """Whether SageMaker may take the roles of jobs and endpoints."""
    for arn in dict.fromkeys(filter(None, (wanted.role_arn, wanted.serving_role_arn))):
        name = arn.rpartition("/")[2]
        role = _role(client("iam"), name)
        if role is None:
            yield Finding("trust", f"there is no role {name}", "set it up with `make bootstrap`, or fix the variable")
        elif not trusts(_document(role["AssumeRolePolicyDocument"]), SAGEMAKER):
            yield Finding(
                "trust", f"the role {name} does not let {SAGEMAKER} assume it", "add that to its trust policy"
            )


def key(client: Clients, wanted: Wanted) -> Iterator[Finding]:
    """Whether the key is enabled, and its policy lets the account's roles use it."""
    arn = wanted.account.key_arn
    if arn is None:
        return
    kms = client("kms")
    state = kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]
    if state != "Enabled":
        yield Finding("key", f"the key {arn} is {state}", "enable it, or set SAGEMAKER_KMS_KEY to another")
    policy = _document(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
    root = f"arn:aws:iam::{wanted.account.account}:root"
    if not trusts(policy, root, wanted.account.account) and not trusts(policy, wanted.role_arn):
        yield Finding(
            "key",
            f"the policy of the key {arn} names neither {root} nor the role of the jobs, so no policy of IAM counts",
            "let the key's policy name one of them",
        )


def network(client: Clients, wanted: Wanted) -> Iterator[Finding]:
    """Whether the subnets are there, and jobs in them reach S3: by an endpoint of the VPC, or a route to anywhere."""
    if not wanted.subnets:
        return
    ec2 = client("ec2")
    found = ec2.describe_subnets(SubnetIds=list(wanted.subnets))["Subnets"]
    for vpc in sorted({subnet["VpcId"] for subnet in found}):
        mine = [{"Name": "vpc-id", "Values": [vpc]}]
        services = {
            each["ServiceName"]
            for each in ec2.describe_vpc_endpoints(Filters=mine)["VpcEndpoints"]
            if each.get("State", "available").lower() == "available"
        }
        s3 = f"com.amazonaws.{wanted.account.region}.s3"
        tables = ec2.describe_route_tables(Filters=mine)["RouteTables"]
        routed = any(
            route.get("DestinationCidrBlock") == ANYWHERE and route.get("NatGatewayId")
            for table in tables
            for route in table.get("Routes", [])
        )
        if s3 not in services and not routed:
            message = (
                f"the network {vpc} of the jobs has neither the endpoint {s3} nor a NAT gateway: they cannot read S3"
            )
            yield Finding("network", message, f"add the gateway endpoint {s3} to its route tables")


def roles_as_deployed(client: Clients, wanted: Wanted) -> Iterator[Finding]:
    """Where a role of the stage is not, or not as the template makes it of its stack's parameters."""
    stack = Stack("roles", wanted.account.project, wanted.account.stage)
    found = describe_stack(client("cloudformation"), stack.name)
    if found is None:
        yield Finding("roles", f"there is no stack {stack.name} in the account", "run `make bootstrap`")
        return
    if found["StackStatus"] in BROKEN:
        message = f"the stack {stack.name} is in {found['StackStatus']}"
        yield Finding("roles", message, "`make bootstrap` says the way out")
        return
    given = {
        each["ParameterKey"]: _parameter(stack, each["ParameterKey"], each.get("ParameterValue", ""))
        for each in found.get("Parameters", [])
    }
    iam = client("iam")
    for name, role in with_studio(client, roles(wanted.account, given=given), wanted.account).items():
        there = _role(iam, name)
        if there is None:
            yield Finding("roles", f"the role {name} of roles.yaml is not in the account", "run `make bootstrap`")
            continue
        deployed = Deployed(name, _document(there["AssumeRolePolicyDocument"]), tuple(_policies(iam, name)))
        for difference in differences(deployed, role):
            yield Finding("roles", f"the role {name} as deployed {difference}", "run `make bootstrap` with --dry-run")


def with_studio(client: Clients, known: Mapping[str, Role], account: Account) -> dict[str, Role]:
    """The roles with what the stack of Studio attaches to them, where that is set up."""
    domain = outputs_of(client("cloudformation"), Stack("studio", account.project, account.stage).name)
    if "StudioDomainId" not in domain:
        return dict(known)
    more = attached(account, {"Domain": domain["StudioDomainId"]})
    return {name: with_policies(role, more.get(name, ())) for name, role in known.items()}


QUESTIONS: dict[str, Question] = {
    "quotas": quotas,
    "images": images,
    "trust": trust,
    "key": key,
    "network": network,
    "roles": roles_as_deployed,
}


def _parameter(stack: Stack, name: str, value: str) -> str | list[str]:
    """As the functions of a template get it."""
    is_list = stack.parameters.get(name, {}).get("Type") == "CommaDelimitedList"
    return value.split(",") if is_list else value


def _role(iam: Any, name: str) -> Mapping[str, Any] | None:
    from botocore.exceptions import ClientError

    try:
        found: Mapping[str, Any] = iam.get_role(RoleName=name)["Role"]
    except ClientError as error:
        if error.response["Error"].get("Code") != "NoSuchEntity":
            raise
        return None
    return found


def _policies(iam: Any, name: str) -> Iterator[Mapping[str, Any]]:
    """The documents of a role's inline and attached policies."""
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        yield _document(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
    for managed in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        arn = managed["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        yield _document(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])


def _document(value: Any) -> Mapping[str, Any]:
    """A policy, which KMS gives as text, and IAM as boto3 decodes it."""
    import json

    document: Mapping[str, Any] = json.loads(unquote(value)) if isinstance(value, str) else value
    return document


def instances_of(
    jobs: Mapping[str, tuple[str, int]], endpoints: Sequence[tuple[str | None, int]]
) -> dict[tuple[str, str], int]:
    """How many instances are wanted, by use and type; `jobs` by use, endpoints with no type are serverless."""
    found = {(use, kind): count for use, (kind, count) in jobs.items()}
    for kind, count in endpoints:
        if kind is not None:
            found["endpoint", kind] = found.get(("endpoint", kind), 0) + count
    return found
