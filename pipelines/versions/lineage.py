"""From a model version back to all that it was made of: commit, execution, code, data, parameters, image, approver."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.clients import S3Client, SageMakerClient, exists, split_uri
from pipelines.definition.bundle import ARCHIVE
from pipelines.definition.evaluation_files import RESERVE_OUTPUT
from pipelines.document.cache_forecast import defaults
from pipelines.publishing.deployed import bundle_uris, fingerprint
from pipelines.versions.evaluation_report import Metrics, read_evaluation, statistics_uri
from pipelines.versions.four_eyes import decider, execution_of
from pipelines.watching.executions import parameters_of, timestamp

DATA_PARAMETER = "InputDataUri"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Data:
    """The data file, or what a query gave: its URI, the SHA-256 that the validation saw, and the S3 version now."""

    uri: str
    sha256: str | None
    version_id: str | None


@dataclass(frozen=True)
class Lineage:
    """The chain of one model version; None where a link is not recorded, or is gone."""

    model_package: str
    version: int
    status: str
    created: str | None
    approver: str | None
    comment: str | None
    commit: str | None
    pipeline: str | None
    pipeline_version: int | None
    execution: str | None
    definition_sha256: str | None
    code: str | None
    data: Data | None
    parameters: dict[str, str]
    metrics: Metrics
    evaluation: str | None
    image: str
    model_data: str
    reserve: dict[str, str]  # the version's properties of its reserve: where it lies, and any score

    @property
    def queried(self) -> bool:
        """Whether the data are what a query gave: then they lie where their execution has put them."""
        return self.data is not None and DATA_PARAMETER not in self.parameters

    @property
    def code_hash(self) -> str | None:
        """The hash of the code bundle, which its key carries."""
        return self.code.removesuffix(f"/{ARCHIVE}").rpartition("/")[2] if self.code else None

    def document(self) -> dict[str, Any]:
        """The chain as data for --json."""
        return {**asdict(self), "code_hash": self.code_hash}


def trace(sagemaker: SageMakerClient, s3: S3Client, model_package: str) -> Lineage:
    """Follow a version back; what is gone meanwhile is left out rather than guessed."""
    package = sagemaker.describe_model_package(ModelPackageName=model_package)
    properties = package.get("CustomerMetadataProperties", {})
    arn = execution_of(package)
    execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn) if arn else {}
    definition = recorded_definition(sagemaker, arn) if arn else None
    document = json.loads(definition) if definition else {}
    parameters = {**defaults(document), **(parameters_of(sagemaker, arn) if arn else {})}
    uris = [properties["code"]] if "code" in properties else bundle_uris(definition or "")
    container = package["InferenceSpecification"]["Containers"][0]
    statistics = statistics_uri(package)
    return Lineage(
        model_package=package["ModelPackageArn"],
        version=package["ModelPackageVersion"],
        status=package.get("ModelApprovalStatus", UNKNOWN),
        created=timestamp(package["CreationTime"]),
        approver=decider(package),
        comment=package.get("ApprovalDescription"),
        commit=properties.get("git_commit"),
        pipeline=arn.split("/")[1] if arn else None,
        pipeline_version=execution.get("PipelineVersionId"),
        execution=arn,
        definition_sha256=fingerprint(definition) if definition else None,
        code=uris[0] if uris else None,
        data=_data(sagemaker, s3, arn, parameters.get(DATA_PARAMETER)),
        parameters={name: str(value) for name, value in parameters.items()},
        metrics=_metrics(s3, statistics),
        evaluation=statistics,
        image=container.get("ImageDigest") or container.get("Image", UNKNOWN),
        model_data=container.get("ModelDataUrl", UNKNOWN),
        reserve={name: text for name, text in properties.items() if name.startswith(RESERVE_OUTPUT)},
    )


def recorded_definition(sagemaker: SageMakerClient, execution_arn: str) -> str:
    """The definition that an execution ran, whatever is deployed now."""
    answer = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=execution_arn)
    return str(answer["PipelineDefinition"])


def _metrics(s3: S3Client, uri: str | None) -> Metrics:
    if uri is None or not exists(s3, *split_uri(uri)):
        return Metrics()
    return read_evaluation(s3, uri).model


def _data(sagemaker: SageMakerClient, s3: S3Client, execution: str | None, uri: str | None) -> Data | None:
    """The data that an execution was given at a URI, or without one by a query, whose result is kept in S3."""
    if execution is None:
        return None
    job = _validating_job(sagemaker, execution)
    uri = uri or _result_of_query(job)
    if uri is None:
        return None
    bucket, key = split_uri(uri)
    version = s3.head_object(Bucket=bucket, Key=key).get("VersionId") if exists(s3, bucket, key) else None
    return Data(uri, _validated_hash(s3, job), version)


def _result_of_query(job: Mapping[str, Any]) -> str | None:
    for entry in job.get("ProcessingInputs", []):
        query = entry.get("DatasetDefinition", {}).get("AthenaDatasetDefinition")
        if query:
            return f"{query['OutputS3Uri'].rstrip('/')}/"
    return None


def _validating_job(sagemaker: SageMakerClient, execution: str) -> dict[str, Any]:
    """The job of ValidateData; of a cached step, that which it took the result from. Empty where there is none."""
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=execution)
    for step in (step for page in pages for step in page["PipelineExecutionSteps"]):
        job = step.get("Metadata", {}).get("ProcessingJob", {}).get("Arn")
        if step["StepName"] == "ValidateData" and job:
            return dict(sagemaker.describe_processing_job(ProcessingJobName=job.rpartition("/")[2]))
    return {}


def _validated_hash(s3: S3Client, job: Mapping[str, Any]) -> str | None:
    """The SHA-256 that ValidateData wrote down."""
    for output in job.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if output["OutputName"] == "report":
            return _hash_in(s3, f"{output['S3Output']['S3Uri']}/validation.json")
    return None


def _hash_in(s3: S3Client, uri: str) -> str | None:
    bucket, key = split_uri(uri)
    if not exists(s3, bucket, key):
        return None
    document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    found: str | None = document.get("sha256")
    return found
