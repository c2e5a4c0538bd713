"""What each operation of SageMaker needs of its caller: the action, its resources and its condition keys.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html; a test compares the
resources with that table, for every operation that local SageMaker supports.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local_sagemaker.iam.access import Access

Request = Mapping[str, Any]
Arn = Callable[[str], str]  # from a resource such as model/a to its ARN
# What the names of operations speak of: the resource in an ARN, and the request's field that holds its name.
THINGS = {
    "ProcessingJob": ("processing-job", "ProcessingJobName"),
    "TrainingJob": ("training-job", "TrainingJobName"),
    "TransformJob": ("transform-job", "TransformJobName"),
    "HyperParameterTuningJob": ("hyper-parameter-tuning-job", "HyperParameterTuningJobName"),
    "Model": ("model", "ModelName"),
    "ModelPackageGroup": ("model-package-group", "ModelPackageGroupName"),
    "EndpointConfig": ("endpoint-config", "EndpointConfigName"),
    "Endpoint": ("endpoint", "EndpointName"),
    "Pipeline": ("pipeline", "PipelineName"),
    "ModelCard": ("model-card", "ModelCardName"),
    "Artifact": ("artifact", "ArtifactArn"),
    "Action": ("action", "ActionName"),
    "Context": ("context", "ContextName"),
    "Experiment": ("experiment", "ExperimentName"),
    "Trial": ("experiment-trial", "TrialName"),
    "TrialComponent": ("experiment-trial-component", "TrialComponentName"),
}
VERBS = ("Create", "Describe", "Update", "Delete", "Stop", "Start", "List", "Retry", "Send")
# Operations whose names do not say what they are about.
OTHERS = {
    "InvokeEndpoint": "Endpoint",
    "InvokeEndpointAsync": "Endpoint",
    "StartPipelineExecution": "Pipeline",
    "ListPipelineExecutions": "Pipeline",
    "ListPipelineVersions": "Pipeline",
    "ListTrainingJobsForHyperParameterTuningJob": "HyperParameterTuningJob",
    "UpdateEndpointWeightsAndCapacities": "Endpoint",
    "GetModelPackageGroupPolicy": "ModelPackageGroup",
    "PutModelPackageGroupPolicy": "ModelPackageGroup",
    "DeleteModelPackageGroupPolicy": "ModelPackageGroup",
    "ListModelCardVersions": "ModelCard",
}
ALSO = {"CreateEndpoint": ("EndpointConfig",), "UpdateEndpoint": ("EndpointConfig",)}
ASSOCIATIONS = ("AddAssociation", "DeleteAssociation")
FIELDS_WITH_ARNS = ("PipelineExecutionArn", "PipelineArn", "ResourceArn")
NOTHING = "*"  # the resource of an action that knows none
# Condition keys whose value is one field of the request, by the path to it.
CONTEXT = {
    "sagemaker:ModelApprovalStatus": ("ModelApprovalStatus",),
    "sagemaker:ModelLifeCycle:Stage": ("ModelLifeCycle", "Stage"),
    "sagemaker:ModelLifeCycle:StageStatus": ("ModelLifeCycle", "StageStatus"),
    "sagemaker:CustomerMetadataPropertiesToRemove": ("CustomerMetadataPropertiesToRemove",),
    "sagemaker:OutputKmsKey": ("OutputDataConfig", "KmsKeyId"),
    "sagemaker:MaxRuntimeInSeconds": ("StoppingCondition", "MaxRuntimeInSeconds"),
    "sagemaker:NetworkIsolation": ("EnableNetworkIsolation",),
}
ANYWHERE = {  # wherever in the request the field stands
    "sagemaker:InstanceTypes": "InstanceType",
    "sagemaker:VolumeKmsKey": "VolumeKmsKeyId",
    "sagemaker:VpcSubnets": "Subnets",
    "sagemaker:VpcSecurityGroupIds": "SecurityGroupIds",
}
CREATES = "Create"


def caller_accesses(operation: str, request: Request, arn: Arn) -> list[Access]:
    """Everything that the caller of an operation must be allowed by name; dependent actions apart."""
    context = _context(operation, request)
    resources = list(_resources(operation, request, arn)) or [NOTHING]
    needed = [Access(f"sagemaker:{operation}", resource, context) for resource in resources]
    if operation.startswith(CREATES) and request.get("Tags") and resources[0] != NOTHING:
        tags = {key: value for key, value in context.items() if key.startswith("aws:")}
        needed.append(Access("sagemaker:AddTags", resources[0], tags, f"tags given to {operation}"))
    return needed


def _resources(operation: str, request: Request, arn: Arn) -> Iterator[str]:
    for field in FIELDS_WITH_ARNS:
        if str(request.get(field, "")).startswith("arn:"):
            yield str(request[field])
            return
    if operation in ASSOCIATIONS:
        yield from (str(request[end]) for end in ("SourceArn", "DestinationArn") if end in request)
        return
    if operation == "CreateArtifact":  # the service makes its ARN, after it has allowed the request
        yield arn("artifact/*")
        return
    if operation.endswith(("ModelPackage", "ModelPackages")):
        yield from _package_resources(operation, request, arn)
        return
    thing = OTHERS.get(operation) or next(
        (operation.removeprefix(verb) for verb in VERBS if operation.startswith(verb)), ""
    )
    for name in (thing, *ALSO.get(operation, ())):
        kind, field = THINGS.get(name, ("", ""))
        value = request.get(field)
        if value:
            yield _arn_of(str(value), kind, arn)


def _package_resources(_operation: str, request: Request, arn: Arn) -> Iterator[str]:
    """Of a version of the registry. Which of its two ARNs the service asks for, AWS's table leaves open: both."""
    yield from request.get("ModelPackageArnList", ())
    named = request.get("ModelPackageArn") or request.get("ModelPackageName")
    if named:
        yield _arn_of(str(named), "model-package", arn)
        return
    group = request.get("ModelPackageGroupName")
    if group:
        group_arn = _arn_of(str(group), "model-package-group", arn)
        yield group_arn
        yield group_arn.replace(":model-package-group/", ":model-package/") + "/*"


def _arn_of(name: str, kind: str, arn: Arn) -> str:
    return name if name.startswith("arn:") else arn(f"{kind}/{name}")


def _context(_operation: str, request: Request) -> dict[str, tuple[str, ...]]:
    context: dict[str, tuple[str, ...]] = {}
    for key, path in CONTEXT.items():
        value: Any = request
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            context[key] = _texts(value)
    for key, field in ANYWHERE.items():
        if found := tuple(dict.fromkeys(_found(request, field))):
            context[key] = found
    for key, value in (request.get("CustomerMetadataProperties") or {}).items():
        context[f"sagemaker:CustomerMetadataProperties/{key}"] = _texts(value)
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or []}
    context |= {f"aws:RequestTag/{key}": _texts(value) for key, value in tags.items()}
    if keys := (*tags, *request.get("TagKeys", [])):
        context["aws:TagKeys"] = tuple(keys)
    return context


def _found(value: Any, field: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name == field and not isinstance(item, Mapping):
                yield from _texts(item)
            else:
                yield from _found(item, field)
    elif isinstance(value, list):
        for item in value:
            yield from _found(item, field)


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(map(str, value))
    return (str(value).lower() if isinstance(value, bool) else str(value),)
