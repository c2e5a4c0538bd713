"""The roles of roles.yaml with all their policies, for the values of an account."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from infrastructure.template import FOLDER, Resolved, read_template
from local_sagemaker.iam.policy import Principal

ROLES = FOLDER / "roles.yaml"
STUDIO = FOLDER / "studio.yaml"
QUERY = FOLDER / "query.yaml"
ROLE, POLICY, INLINE = "AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"


@dataclass(frozen=True)
class Account:
    """Where the roles stand, and what they are limited to. The key, the network and the query are optional.

    query: the parameters of query.yaml, lists as a template has them: with their parts between commas.
    """

    account: str
    region: str
    project: str
    bucket: str
    kms_key: str | None = None
    in_vpc: bool = False
    stage: str = "dev"
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of roles.yaml."""
        return {
            "ProjectName": self.project,
            "Stage": self.stage,
            "BucketName": self.bucket,
            "KmsKeyArn": self.key_arn or "",
            "UsesVpc": "true" if self.in_vpc else "false",
        }

    @property
    def key_arn(self) -> str | None:
        """The key as an ARN, whatever it is named by."""
        key = self.kms_key
        if key is None or key.startswith("arn:"):
            return key
        return f"arn:aws:kms:{self.region}:{self.account}:key/{key}"


@dataclass(frozen=True)
class Role:
    """A role: what the template calls it, its name, and what is attached to it."""

    logical_id: str
    name: str
    principal: Principal
    trust: Mapping[str, Any]


def roles(account: Account, template: Path = ROLES, given: Mapping[str, Any] | None = None) -> dict[str, Role]:
    """Every role of the template by its name, such as house-prices-dev-approver.

    `given` are further parameters, such as those of a deployed stack.
    """
    document = read_template(template)
    values: dict[str, Any] = {**_pseudo(account), **account.parameters, **(given or {})}
    names = {
        logical_id: str(Resolved(document, values).value(resource["Properties"]["RoleName"]))
        for logical_id, resource in document["Resources"].items()
        if resource["Type"] == ROLE
    }
    arns = {f"{logical_id}.Arn": role_arn(account, name) for logical_id, name in names.items()}
    policies = {logical_id: logical_id for logical_id, each in document["Resources"].items() if each["Type"] == POLICY}
    resources = Resolved(document, {**values, **names, **arns, **policies}).resources
    more = _attachments(resources)
    if account.query:
        asks = attached(account, account.query, QUERY)
        more = {name: [*more.get(name, ()), *asks.get(name, ())] for name in {*more, *asks}}
    found = {}
    for logical_id, name in names.items():
        properties = resources[logical_id]["Properties"]
        inline = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        managed = [resources[each]["Properties"]["PolicyDocument"] for each in properties.get("ManagedPolicyArns", [])]
        principal = Principal(role_arn(account, name), (*inline, *managed, *more.get(name, ())))
        found[name] = Role(logical_id, name, principal, properties["AssumeRolePolicyDocument"])
    return found


def attached(account: Account, names: Mapping[str, str], template: Path = STUDIO) -> dict[str, list[Mapping[str, Any]]]:
    """By the names of roles, the policies that another stack attaches to them.

    `names` are those of its resources, and values of its parameters.
    """
    document = read_template(template)
    lists = [name for name, each in document["Parameters"].items() if each["Type"] == "CommaDelimitedList"]
    given = {name: value.split(",") if name in lists else value for name, value in names.items()}
    return _attachments(Resolved(document, {**_pseudo(account), **account.parameters, **given}).resources)


def _attachments(resources: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """By the names of roles, what the policies of a stack say that name them."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for resource in resources.values():
        properties = resource["Properties"]
        named = {POLICY: properties.get("Roles", []), INLINE: [properties.get("RoleName")]}
        for role in named.get(resource["Type"], []):
            found.setdefault(role, []).append(properties["PolicyDocument"])
    return found


def with_policies(role: Role, more: Iterable[Mapping[str, Any]]) -> Role:
    """A role with further policies."""
    return replace(role, principal=replace(role.principal, policies=(*role.principal.policies, *more)))


def _pseudo(account: Account) -> dict[str, str]:
    """CloudFormation's own parameters."""
    return {"AWS::Region": account.region, "AWS::AccountId": account.account, "AWS::Partition": "aws"}


def role_arn(account: Account, name: str) -> str:
    """The ARN of a role of this account."""
    return f"arn:aws:iam::{account.account}:role/{name}"
