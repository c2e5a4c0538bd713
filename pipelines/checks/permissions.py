"""Whether the role of infrastructure/template.yaml allows what the steps of a definition do."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.checks.fault import Fault
from pipelines.document.walk import Step, steps
from pipelines.settings.environment import Environment

TEMPLATE_ROLE = "ExecutionRole"
JOB = "arn:aws:sagemaker:{region}:{account}:{kind}/{pipeline}-x"
# What the pipeline's role does for a step of each type: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-access.html
JOB_KINDS = {
    "Processing": "processing-job",
    "Training": "training-job",
    "Transform": "transform-job",
    "Tuning": "hyper-parameter-tuning-job",
}
JOB_NAMES = {"Tuning": "HyperParameterTuning"}  # where the actions do not have the name of the step's type
JOB_ACTIONS = ("Create{type}Job", "Describe{type}Job", "Stop{type}Job")
ALSO = {
    "Processing": ("AddTags", "ListTags"),
    "Training": ("AddTags", "ListTags"),
    "Transform": ("AddTags",),
    "Tuning": ("AddTags", "ListTags", "ListTrainingJobsForHyperParameterTuningJob"),
}


@dataclass(frozen=True)
class Need:
    """One action on one resource that a step needs."""

    action: str
    resource: str


@dataclass(frozen=True)
class Statement:
    """One statement of a policy, its resources as patterns."""

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def covers(self, need: Need) -> bool:
        """Whether it speaks of an action on a resource; its conditions are taken to hold."""
        named = any(fnmatchcase(need.action.lower(), action.lower()) for action in self.actions)
        return named and any(fnmatchcase(need.resource, resource) for resource in self.resources)


def permission_faults(
    definition: Mapping[str, Any], pipeline: str, project: str, environment: Environment, template: Path
) -> Iterator[Fault]:
    """The actions of each step that the template's execution role may not do."""
    statements = role_statements(template, project, environment)
    for step in steps(definition):
        for need in needs(step, pipeline, project, environment):
            if not _is_allowed(need, statements):
                place = f"{TEMPLATE_ROLE} of {template.parent.name}/{template.name}"
                message = f"the role {place} may not do {need.action} on {need.resource}"
                yield Fault(step.name, step.path, message, f"add {need.action} to the policy of {TEMPLATE_ROLE}")


def needs(step: Step, pipeline: str, project: str, environment: Environment) -> Iterator[Need]:
    """What a step's job does on AWS, in actions of IAM."""
    account = environment.role_arn.split(":")[4]
    where = {"region": environment.region, "account": account, "pipeline": f"pipelines-{pipeline}"}
    if step.type in JOB_KINDS:
        job = JOB.format(kind=JOB_KINDS[step.type], **where)
        kind = JOB_NAMES.get(step.type, step.type)
        yield from (Need(f"sagemaker:{action.format(type=kind)}", job) for action in JOB_ACTIONS)
        yield from (Need(f"sagemaker:{action}", job) for action in ALSO[step.type])
        yield Need("iam:PassRole", f"arn:aws:iam::{account}:role/{project}-execution")  # the template's own role
        yield from _job_needs(step, project, environment, account)
    elif step.type == "RegisterModel":
        group = str(step.arguments.get("ModelPackageGroupName", project))
        prefix = f"arn:aws:sagemaker:{environment.region}:{account}:"
        yield Need("sagemaker:CreateModelPackage", f"{prefix}model-package/{group}/1")
        yield Need("sagemaker:CreateModelPackage", f"{prefix}model-package-group/{group}")
        yield Need("sagemaker:CreateModelPackageGroup", f"{prefix}model-package-group/{group}")
        yield Need("sagemaker:DescribeModelPackageGroup", f"{prefix}model-package-group/{group}")
    elif step.type in ("Condition", "Fail"):
        yield Need("s3:GetObject", f"arn:aws:s3:::{environment.bucket}/{project}/x")  # JsonGet reads property files


def _job_needs(step: Step, project: str, environment: Environment, account: str) -> Iterator[Need]:
    bucket = f"arn:aws:s3:::{environment.bucket}"
    yield from (Need(f"s3:{action}", f"{bucket}/{project}/x") for action in ("GetObject", "PutObject"))
    yield Need("s3:ListBucket", bucket)
    group = "Training" if step.type == "Tuning" else step.type
    log = f"arn:aws:logs:{environment.region}:{account}:log-group:/aws/sagemaker/{group}Jobs:log-stream:x"
    yield from (Need(f"logs:{action}", log) for action in ("CreateLogGroup", "CreateLogStream", "PutLogEvents"))
    yield Need("cloudwatch:PutMetricData", "*")
    yield Need("ecr:GetAuthorizationToken", "*")
    image = re.search(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.\S+?/([^:@\"']+)", str(step.arguments))
    if image:
        repository = f"arn:aws:ecr:{image[2]}:{image[1]}:repository/{image[3]}"
        yield from (
            Need(f"ecr:{action}", repository)
            for action in ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
        )
    if environment.subnets:
        yield from (
            Need(f"ec2:{action}", "*")
            for action in (
                "CreateNetworkInterface",
                "CreateNetworkInterfacePermission",
                "DeleteNetworkInterface",
                "DeleteNetworkInterfacePermission",
                "DescribeDhcpOptions",
                "DescribeNetworkInterfaces",
                "DescribeSecurityGroups",
                "DescribeSubnets",
                "DescribeVpcs",
            )
        )
    if environment.kms_key:
        yield from (
            Need(f"kms:{action}", _key_arn(environment)) for action in ("Decrypt", "GenerateDataKey", "CreateGrant")
        )


def role_statements(template: Path, project: str, environment: Environment) -> list[Statement]:
    """The statements of the execution role, with the environment's values in place of the template's parameters."""
    role = read_template(template)["Resources"][TEMPLATE_ROLE]["Properties"]
    values = {
        "AWS::Region": environment.region,
        "AWS::AccountId": environment.role_arn.split(":")[4],
        "AWS::Partition": "aws",
        "ProjectName": project,
        "Bucket": environment.bucket,
        "Bucket.Arn": f"arn:aws:s3:::{environment.bucket}",
        "KmsKeyArn": _key_arn(environment),
    }
    found = []
    for policy in role.get("Policies", []):
        for entry in policy["PolicyDocument"]["Statement"]:
            entry = entry["Fn::If"][1] if "Fn::If" in entry else entry
            actions, resources = (_listed(entry[name]) for name in ("Action", "Resource"))
            filled = tuple(_filled(resource, values) for resource in resources)
            found.append(Statement(entry["Effect"] == "Allow", tuple(map(str, actions)), filled))
    return found


def read_template(path: Path) -> dict[str, Any]:
    """A CloudFormation template; its short forms (!Sub, !GetAtt, ...) as the long ones."""
    return _parsed(path.read_text(encoding="utf-8"))


@cache
def _parsed(text: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe one
    return document


def _is_allowed(need: Need, statements: list[Statement]) -> bool:
    covering = [statement for statement in statements if statement.covers(need)]
    return bool(covering) and all(statement.allows for statement in covering)


def _key_arn(environment: Environment) -> str:
    key = environment.kms_key or ""
    account = environment.role_arn.split(":")[4]
    return key if key.startswith("arn:") else f"arn:aws:kms:{environment.region}:{account}:key/{key}"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _filled(value: Any, values: Mapping[str, str]) -> str:
    if isinstance(value, Mapping):
        ((kind, inner),) = value.items()
        if kind == "Fn::Sub":
            return re.sub(r"\$\{([^}]+)\}", lambda found: values.get(found[1], found[0]), str(inner))
        name = ".".join(inner) if isinstance(inner, list) else str(inner)
        return values.get(name, f"${{{name}}}")
    return str(value)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C one where there is libyaml
    """Reads `!Name value` as {"Fn::Name": value}; !Ref as {"Ref": value}."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".")
    return {"Ref" if suffix == "Ref" else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
