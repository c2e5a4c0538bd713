"""What AWS does on somebody's behalf when an operation is called: by the caller's rights, or by those of a role.

No request names these actions; each rule says where AWS does.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from local_sagemaker.iam.access import Access

Request = Mapping[str, Any]
Arn = Callable[[str], str]
Describe = Callable[[str, Request], Request]  # an operation's answer; {} where what it asks for is not there
IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.[^/]+/([^:@]+)")
ROLES = "https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html"
PIPELINES = "https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-access.html"
KEYS = "https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html"
TABLE = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html"
# Of the role of a job with a query: its statements on Athena and Glue in AWS's policy AmazonSageMakerFullAccess.
POLICIES = "https://docs.aws.amazon.com/sagemaker/latest/dg/security-iam-awsmanpol.html"
WORK_GROUP_ACTIONS = (
    "GetQueryExecution",
    "GetQueryResults",
    "GetWorkGroup",
    "StartQueryExecution",
    "StopQueryExecution",
)
TABLE_ACTIONS = ("GetDatabase", "GetPartitions", "GetTable")
RESULT_DATABASE, RESULT_ACTIONS = "sagemaker_processing", ("CreateDatabase", "CreateTable", "DeleteTable")
SAGEMAKER = {"iam:PassedToService": ("sagemaker.amazonaws.com",)}
FOR_A_SERVICE = {"kms:GrantIsForAWSResource": ("true",)}
NETWORK = (  # of jobs and models in a VPC
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
IMAGE_ACTIONS = ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
LOG_GROUPS = {
    "CreateProcessingJob": "ProcessingJobs",
    "CreateTrainingJob": "TrainingJobs",
    "CreateHyperParameterTuningJob": "TrainingJobs",
    "CreateTransformJob": "TransformJobs",
    "CreateModel": "Endpoints",
}
ROLE_FIELDS = {  # of the operations that take a role
    "CreateProcessingJob": ("RoleArn",),
    "CreateTrainingJob": ("RoleArn",),
    "CreateHyperParameterTuningJob": ("TrainingJobDefinition", "RoleArn"),
    "CreateModel": ("ExecutionRoleArn",),
    "CreatePipeline": ("RoleArn",),
    "UpdatePipeline": ("RoleArn",),
}
OUTPUTS = ("ProcessingOutputConfig", "OutputDataConfig", "CheckpointConfig", "TransformOutput")


@dataclass(frozen=True)
class Dependent:
    """An access that a call needs beside its own: of the caller, or of the role named by its ARN."""

    role: str | None  # None: the caller
    access: Access


def dependents(operation: str, request: Request, arn: Arn, describe: Describe) -> Iterator[Dependent]:
    """Every access that AWS makes on the caller's behalf, and on that of the role in the request."""
    path = ROLE_FIELDS.get(operation)
    role = _at(request, *path) if path else None
    if isinstance(role, str):
        # Source: TABLE, "dependent actions".
        yield Dependent(None, Access("iam:PassRole", role, SAGEMAKER, f"{operation} gives the role to SageMaker"))
    if operation == "CreateEndpoint":
        yield from _endpoint(request, arn, describe)
    elif operation in ("CreatePipeline", "UpdatePipeline"):
        yield from _definition(request)
    elif operation in LOG_GROUPS and isinstance(role, str):
        for access in role_accesses(operation, request, arn, describe):
            yield Dependent(role, access)


def role_accesses(operation: str, request: Request, arn: Arn, describe: Describe) -> Iterator[Access]:
    """What the role of a job or of a model does while that runs. Source: ROLES, one section for each operation."""
    region, account = arn("").split(":")[3:5]
    request = _with_packages(request, describe)
    yield from _objects(request)
    yield from _queries(request, region, account)
    group = f"arn:aws:logs:{region}:{account}:log-group:/aws/sagemaker/{LOG_GROUPS[operation]}"
    for action, resource in (
        ("CreateLogGroup", group),
        ("CreateLogStream", f"{group}:log-stream:x"),
        ("DescribeLogStreams", group),
        ("PutLogEvents", f"{group}:log-stream:x"),
    ):
        yield Access(f"logs:{action}", resource, {}, "its log")
    metrics = {"cloudwatch:namespace": (f"/aws/sagemaker/{LOG_GROUPS[operation]}",)}
    yield Access("cloudwatch:PutMetricData", "*", metrics, "its metrics")
    for account_of_image, region_of_image, name in sorted(set(_images(request))):
        yield Access("ecr:GetAuthorizationToken", "*", {}, "its image")
        repository = f"arn:aws:ecr:{region_of_image}:{account_of_image}:repository/{name}"
        yield from (Access(f"ecr:{action}", repository, {}, "its image") for action in IMAGE_ACTIONS)
    if next(_values(request, "Subnets"), None):
        yield from (Access(f"ec2:{action}", "*", {}, "its network interfaces") for action in NETWORK)
    for key in dict.fromkeys(_values(request, "VolumeKmsKeyId")):  # Source: KEYS
        yield Access("kms:CreateGrant", _key(key, arn), FOR_A_SERVICE, "the key of its volumes")
        yield Access("kms:DescribeKey", _key(key, arn), {}, "the key of its volumes")
    for key in dict.fromkeys(_values(request, "KmsKeyId")):  # Source: KEYS
        yield Access("kms:GenerateDataKey", _key(key, arn), {}, "the key of its outputs")
        yield Access("kms:Decrypt", _key(key, arn), {}, "the key of its outputs, which are inputs of others")


def pipeline_accesses(operation: str, resource: str) -> Iterator[Access]:
    """What a pipeline's role does with a job that it has created, until that has ended. Source: PIPELINES."""
    kind = operation.removeprefix("Create")
    if kind.endswith("Job"):
        yield Access(f"sagemaker:Describe{kind}", resource, {}, "the pipeline waits for the job")
        yield Access(f"sagemaker:Stop{kind}", resource, {}, "the pipeline stops the job")
        yield Access("sagemaker:AddTags", resource, {}, "the pipeline tags the job")
        yield Access("sagemaker:ListTags", resource, {}, "the pipeline reads the job's tags")
    if kind == "HyperParameterTuningJob":
        action = "sagemaker:ListTrainingJobsForHyperParameterTuningJob"
        yield Access(action, resource, {}, "the pipeline looks for the best training job")


def _endpoint(request: Request, arn: Arn, describe: Describe) -> Iterator[Dependent]:
    """Source: KEYS, "CreateEndpoint: kms:CreateGrant where the configuration has a key"."""
    config = describe("DescribeEndpointConfig", {"EndpointConfigName": request.get("EndpointConfigName")})
    if key := config.get("KmsKeyId"):
        for action, context in (("CreateGrant", FOR_A_SERVICE), ("DescribeKey", {})):
            access = Access(f"kms:{action}", _key(str(key), arn), context, "the key of the endpoint's volumes")
            yield Dependent(None, access)


def _definition(request: Request) -> Iterator[Dependent]:
    """A definition that lies in S3 is read with the caller's rights."""
    place = request.get("PipelineDefinitionS3Location")
    if isinstance(place, Mapping):
        resource = f"arn:aws:s3:::{place.get('Bucket')}/{place.get('ObjectKey')}"
        yield Dependent(None, Access("s3:GetObject", resource, {}, "the definition"))


def _objects(request: Request) -> Iterator[Access]:
    outputs = [place for name in OUTPUTS for place in _places(request.get(name))]
    results = list(_places(list(_values(request, "OutputS3Uri"))))  # of queries: written, and read as inputs
    for bucket, key in sorted(set(_places(request)) - set(outputs)):
        yield Access("s3:GetObject", f"arn:aws:s3:::{bucket}/{_within(key)}", {}, "its inputs")
        yield Access("s3:ListBucket", f"arn:aws:s3:::{bucket}", {}, "its inputs")
    for bucket, key in sorted({*outputs, *results}):
        for action in ("PutObject", "AbortMultipartUpload"):
            yield Access(f"s3:{action}", f"arn:aws:s3:::{bucket}/{_within(f'{key}/')}", {}, "its outputs")
        yield Access("s3:GetBucketLocation", f"arn:aws:s3:::{bucket}", {}, "its outputs")


def _queries(request: Request, region: str, account: str) -> Iterator[Access]:
    """What a query of Athena needs; which files its tables have, the request does not say. Source: POLICIES."""
    for query in _found(request, "AthenaDatasetDefinition"):
        athena = f"arn:aws:athena:{region}:{account}"
        group = f"{athena}:workgroup/{query.get('WorkGroup', 'primary')}"
        yield from (Access(f"athena:{action}", group, {}, "its query") for action in WORK_GROUP_ACTIONS)
        yield Access("athena:GetDataCatalog", f"{athena}:datacatalog/{query.get('Catalog')}", {}, "its query")
        asked = ((query.get("Database"), TABLE_ACTIONS), (RESULT_DATABASE, RESULT_ACTIONS))
        for database, actions in asked:
            resources = ("catalog", f"database/{database}", f"table/{database}/x")
            for action in actions:  # each is asked for on all that lies above, too
                for resource in resources[:2] if action.endswith("Database") else resources:
                    yield Access(f"glue:{action}", f"arn:aws:glue:{region}:{account}:{resource}", {}, "its query")


def _within(key: str) -> str:
    """A key, or one below a prefix."""
    return f"{key.rstrip('/')}/x".lstrip("/") if key.endswith("/") or not key else key


def _with_packages(request: Request, describe: Describe) -> Request:
    """A model's request, with the artifacts of the model packages that it names."""
    named = list(_values(request, "ModelPackageName"))
    packages = [describe("DescribeModelPackage", {"ModelPackageName": name}) for name in named]
    return {**request, "Packages": [package.get("InferenceSpecification", {}) for package in packages]}


def _places(value: Any) -> Iterator[tuple[str, str]]:
    for text in _texts(value):
        if text.strip('"').startswith("s3://"):  # the hyperparameters of script mode are JSON
            parts = urlsplit(text.strip('"'))
            yield parts.netloc, parts.path.lstrip("/")


def _images(request: Request) -> Iterator[tuple[str, str, str]]:
    for text in _texts(request):
        if found := IMAGE.match(text):
            yield found[1], found[2], found[3]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _found(value: Any, field: str) -> Iterator[Mapping[str, Any]]:
    """The structures of a field, wherever they are."""
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _found(item, field)
    if isinstance(value, Mapping) and isinstance(value.get(field), Mapping):
        yield value[field]


def _values(value: Any, field: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name == field:
                yield from _texts(item)
            else:
                yield from _values(item, field)
    elif isinstance(value, list):
        for item in value:
            yield from _values(item, field)


def _key(key: str, arn: Arn) -> str:
    region, account = arn("").split(":")[3:5]
    return key if key.startswith("arn:") else f"arn:aws:kms:{region}:{account}:key/{key.removeprefix('key/')}"


def _at(document: Any, *names: str) -> Any:
    for name in names:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document
