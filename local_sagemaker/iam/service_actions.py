"""What a request to another service than SageMaker needs: read off its protocol.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from local_sagemaker.iam.access import Access

ANY = "*"
# Of the services whose actions name their operation: the field with the resource, and its ARN.
RESOURCES: dict[str, tuple[tuple[str, str], ...]] = {
    "iam": (("RoleName", "arn:aws:iam::{account}:role/{name}"), ("UserName", "arn:aws:iam::{account}:user/{name}")),
    "sts": (("RoleArn", "{name}"),),
    "logs": (("logGroupName", "arn:aws:logs:{region}:{account}:log-group:{name}"),),
    "events": (
        ("Rule", "arn:aws:events:{region}:{account}:rule/{name}"),
        ("Name", "arn:aws:events:{region}:{account}:rule/{name}"),
    ),
    "cloudwatch": (
        ("AlarmName", "arn:aws:cloudwatch:{region}:{account}:alarm:{name}"),
        ("AlarmNames", "arn:aws:cloudwatch:{region}:{account}:alarm:{name}"),
    ),
    "sns": (("TopicArn", "{name}"),),
    "ssm": (("Name", "arn:aws:ssm:{region}:{account}:parameter/{name}"),),
    "kms": (("KeyId", "arn:aws:kms:{region}:{account}:key/{name}"),),
    "secretsmanager": (("SecretId", "arn:aws:secretsmanager:{region}:{account}:secret:{name}"),),
    "lambda": (("FunctionName", "arn:aws:lambda:{region}:{account}:function:{name}"),),
    "cloudformation": (("StackName", "arn:aws:cloudformation:{region}:{account}:stack/{name}/x"),),
}
# What everyone may ask: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
WITHOUT_PERMISSION = ("sts:GetCallerIdentity",)
SCALING = "application-autoscaling"
PREFIXES = {"monitoring": "cloudwatch"}  # a service's name in signatures, and in actions
# S3's subresources in the query: the part of the action's name. https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
BUCKET_PARTS = {
    "location": "Location",
    "versioning": "Versioning",
    "policy": "Policy",
    "encryption": "EncryptionConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "tagging": "Tagging",
    "acl": "Acl",
    "cors": "CORS",
    "notification": "Notification",
    "publicAccessBlock": "PublicAccessBlock",
    "ownershipControls": "OwnershipControls",
    "logging": "Logging",
}
WITHOUT_BUCKET_IN_NAME = ("encryption", "lifecycle")


@dataclass(frozen=True)
class Asked:
    """A request as its protocol has it: `fields` are those of a form or a JSON document."""

    method: str
    path: str
    query: str
    action: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    copy_source: str = ""


def service_accesses(service: str, asked: Asked, account: str, region: str) -> list[Access]:
    """What a request needs; nothing where everyone may."""
    if service == "s3":
        return _s3(asked)
    if service == "scheduler":
        return list(_scheduler(asked, f"arn:aws:scheduler:{region}:{account}"))
    service = PREFIXES.get(service, service)
    action = f"{service}:{asked.action}"
    if action in WITHOUT_PERMISSION:
        return []
    if service == SCALING and asked.fields.get("ServiceNamespace"):
        context = {f"{SCALING}:service-namespace": (str(asked.fields["ServiceNamespace"]),)}
        target = f"arn:aws:{SCALING}:{region}:{account}:scalable-target/x"  # the id of a target is any
        return [Access(action, ANY if asked.action.startswith("Describe") else target, context)]
    if action == "cloudwatch:PutMetricData":
        namespace = {"cloudwatch:namespace": (str(asked.fields["Namespace"]),)} if "Namespace" in asked.fields else {}
        return [Access(action, ANY, namespace)]
    if service == "sqs" and asked.fields.get("QueueUrl"):
        name = str(asked.fields["QueueUrl"]).rpartition("/")[2]
        return [Access(action, f"arn:aws:sqs:{region}:{account}:{name}")]
    if service == "lambda" and asked.fields.get("Role"):
        passed = {"iam:PassedToService": ("lambda.amazonaws.com",)}
        function = f"arn:aws:lambda:{region}:{account}:function:{asked.fields.get('FunctionName')}"
        why = f"{asked.action} gives the role to Lambda"
        return [Access(action, function), Access("iam:PassRole", str(asked.fields["Role"]), passed, why)]
    for name, form in RESOURCES.get(service, ()):
        if values := _values(asked.fields, name):
            arns = [
                text if text.startswith("arn:") else form.format(region=region, account=account, name=text)
                for text in values
            ]
            return [Access(action, arn) for arn in arns]
    return [Access(action, ANY)]


def _scheduler(asked: Asked, arn: str) -> Iterator[Access]:
    """Of EventBridge Scheduler, whose resources are a schedule in its group, or a group."""
    fields, resource = asked.fields, ANY
    if "ResourceArn" in fields:
        resource = str(fields["ResourceArn"])
    elif asked.action.endswith("ScheduleGroup"):
        resource = f"{arn}:schedule-group/{fields.get('Name')}"
    elif asked.action.endswith("Schedule"):
        resource = f"{arn}:schedule/{fields.get('GroupName', 'default')}/{fields.get('Name')}"
    yield Access(f"scheduler:{asked.action}", resource)
    role = fields.get("Target", {}).get("RoleArn") if isinstance(fields.get("Target"), dict) else None
    if role is not None:
        passed = {"iam:PassedToService": ("scheduler.amazonaws.com",)}
        yield Access("iam:PassRole", str(role), passed, f"{asked.action} gives the role to EventBridge Scheduler")


def _values(fields: Mapping[str, Any], name: str) -> list[str]:
    """The values of a field that has one, or a list: in JSON, or in a form, which numbers its members."""
    value = fields.get(name) or [text for key, text in fields.items() if key.startswith(f"{name}.member.")]
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _s3(asked: Asked) -> list[Access]:
    bucket, _, key = unquote(asked.path).lstrip("/").partition("/")
    query = parse_qs(asked.query, keep_blank_values=True)
    if not bucket:
        return [Access("s3:ListAllMyBuckets", ANY)]
    arn = f"arn:aws:s3:::{bucket}"
    if key:
        needed = [Access(f"s3:{action}", f"{arn}/{key}") for action in _object_actions(asked.method, query)]
        if asked.copy_source:
            needed.append(
                Access("s3:GetObject", f"arn:aws:s3:::{unquote(asked.copy_source).lstrip('/').partition('?')[0]}")
            )
        return needed
    if asked.method == "POST" and "delete" in query:
        return [Access("s3:DeleteObject", f"{arn}/*")]
    return [Access(f"s3:{_bucket_action(asked.method, query)}", arn)]


def _object_actions(method: str, query: Mapping[str, Any]) -> list[str]:
    version = "Version" if "versionId" in query else ""
    if "tagging" in query or "acl" in query:
        verb = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}.get(method, "Get")
        return [f"{verb}Object{version}{'Tagging' if 'tagging' in query else 'Acl'}"]
    if "uploadId" in query and method in ("GET", "DELETE"):
        return ["ListMultipartUploadParts" if method == "GET" else "AbortMultipartUpload"]
    return {
        "GET": [f"GetObject{version}"],
        "HEAD": [f"GetObject{version}"],
        "PUT": ["PutObject"],
        "POST": ["PutObject"],
        "DELETE": [f"DeleteObject{version}"],
    }.get(method, ["GetObject"])


def _bucket_action(method: str, query: Mapping[str, Any]) -> str:
    part = next((name for name in BUCKET_PARTS if name in query), None)
    if part is not None:
        verb = "Get" if method in ("GET", "HEAD") else "Put"
        if part == "policy" and method == "DELETE":
            verb = "Delete"
        return f"{verb}{'' if part in WITHOUT_BUCKET_IN_NAME else 'Bucket'}{BUCKET_PARTS[part]}"
    if "versions" in query:
        return "ListBucketVersions"
    if "uploads" in query:
        return "ListBucketMultipartUploads"
    return {"PUT": "CreateBucket", "DELETE": "DeleteBucket"}.get(method, "ListBucket")
