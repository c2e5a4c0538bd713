"""The kinds of documents in the state, and what each must have.

One that lacks it is put aside, and the others are not kept back.
"""

from local_sagemaker.state.checks import ARRAY, INTEGER, NUMBER, TEXT, Fields
from local_sagemaker.state.record_types import (
    AsyncRequestRecord,
    CallbackRecord,
    Document,
    EndpointRecord,
    ExecutionRecord,
    GroupPolicyRecord,
    PipelineRecord,
    PipelineVersionRecord,
    StepCacheRecord,
    StepRecord,
    TagsRecord,
    TargetRunRecord,
    VersionCounterRecord,
)
from local_sagemaker.state.records import Kind

# Where the document is a request with the answer's fields beside it, or an answer as it was given, it is a plain
# mapping: its names are those of botocore's shapes.
PROCESSING_JOB = Kind[Document]("processing-job")
TRAINING_JOB = Kind[Document]("training-job")
TRANSFORM_JOB = Kind[Document]("transform-job")
TUNING_JOB = Kind[Document]("tuning-job")
MODEL_PACKAGE_GROUP = Kind[Document]("model-package-group")
MODEL_PACKAGE = Kind[Document]("model-package")
MODEL_PACKAGE_COUNTER = Kind[VersionCounterRecord]("model-package-counter")
MODEL_PACKAGE_GROUP_POLICY = Kind[GroupPolicyRecord]("model-package-group-policy")
MODEL_CARD = Kind[Document]("model-card")
MODEL = Kind[Document]("Model")
ENDPOINT_CONFIG = Kind[Document]("EndpointConfig")
ENDPOINT = Kind[EndpointRecord]("Endpoint")
ASYNC_REQUEST = Kind[AsyncRequestRecord]("async-request")
PIPELINE = Kind[PipelineRecord]("pipeline")
PIPELINE_VERSION = Kind[PipelineVersionRecord]("pipeline-version")
EXECUTION = Kind[ExecutionRecord]("execution")
EXECUTION_STEP = Kind[StepRecord]("execution-step")
STEP_CACHE = Kind[StepCacheRecord]("step-cache")
CALLBACK = Kind[CallbackRecord]("callback")
TAGS = Kind[TagsRecord]("tags")
TARGET_RUN = Kind[TargetRunRecord]("target-run")
SCALABLE_TARGET = Kind[Document]("scalable-target")
SCALING_POLICY = Kind[Document]("scaling-policy")
FUNCTION = Kind[Document]("function")
FUNCTION_CODE = Kind[Document]("function-code")
LINEAGE_ENTITY = Kind[Document]("lineage-entity")
LINEAGE_ASSOCIATION = Kind[Document]("lineage-association")
METRIC_FILTER = Kind[Document]("metric-filter")
SCHEDULE = Kind[Document]("schedule")
SCHEDULE_GROUP = Kind[Document]("schedule-group")
REQUEST_TOKEN = Kind[Document]("request-token")


def _job(name: str) -> Fields:
    return {f"{name}Name": TEXT, f"{name}Arn": TEXT, f"{name}Status": TEXT, "CreationTime": NUMBER}


REQUIRED: dict[str, Fields] = {
    PROCESSING_JOB: _job("ProcessingJob"),
    TRAINING_JOB: _job("TrainingJob"),
    TRANSFORM_JOB: _job("TransformJob"),
    TUNING_JOB: _job("HyperParameterTuningJob"),
    MODEL_PACKAGE_GROUP: {"ModelPackageGroupName": TEXT, "ModelPackageGroupArn": TEXT, "CreationTime": NUMBER},
    MODEL_PACKAGE: {"ModelPackageArn": TEXT, "ModelPackageStatus": TEXT, "CreationTime": NUMBER},
    MODEL_PACKAGE_COUNTER: {"Version": INTEGER},
    MODEL_PACKAGE_GROUP_POLICY: {"ResourcePolicy": TEXT},
    MODEL_CARD: {
        "ModelCardName": TEXT,
        "ModelCardArn": TEXT,
        "ModelCardVersion": INTEGER,
        "ModelCardStatus": TEXT,
        "Content": TEXT,
        "CreationTime": NUMBER,
    },
    MODEL: {"ModelName": TEXT, "ModelArn": TEXT, "CreationTime": NUMBER},
    ENDPOINT_CONFIG: {
        "EndpointConfigName": TEXT,
        "EndpointConfigArn": TEXT,
        "ProductionVariants": ARRAY,
        "CreationTime": NUMBER,
    },
    ENDPOINT: {
        "EndpointName": TEXT,
        "EndpointArn": TEXT,
        "EndpointConfigName": TEXT,
        "EndpointStatus": TEXT,
        "CreationTime": NUMBER,
    },
    ASYNC_REQUEST: {
        "Id": TEXT,
        "InferenceId": TEXT,
        "EndpointName": TEXT,
        "Region": TEXT,
        "TtlSeconds": INTEGER,
        "TimeoutSeconds": INTEGER,
        "IncludeInferenceResponseIn": ARRAY,
        "CreationTime": NUMBER,
    },
    PIPELINE: {
        "PipelineName": TEXT,
        "PipelineArn": TEXT,
        "PipelineDefinition": TEXT,
        "RoleArn": TEXT,
        "CreationTime": NUMBER,
    },
    PIPELINE_VERSION: {"PipelineArn": TEXT, "PipelineVersionId": INTEGER, "PipelineDefinition": TEXT},
    EXECUTION: {
        "PipelineArn": TEXT,
        "PipelineExecutionArn": TEXT,
        "PipelineExecutionStatus": TEXT,
        "CreationTime": NUMBER,
    },
    EXECUTION_STEP: {"StepName": TEXT, "StepType": TEXT, "PipelineExecutionArn": TEXT, "StepStatus": TEXT},
    STEP_CACHE: {"Step": TEXT, "EndTime": NUMBER},
    CALLBACK: {"PipelineExecutionArn": TEXT},
    TAGS: {"Tags": ARRAY},
    SCALABLE_TARGET: {"ResourceId": TEXT, "Region": TEXT, "MinCapacity": INTEGER, "MaxCapacity": INTEGER},
    SCALING_POLICY: {
        "ResourceId": TEXT,
        "PolicyName": TEXT,
        "PolicyARN": TEXT,
        "PolicyType": TEXT,
        "Alarms": ARRAY,
    },
    METRIC_FILTER: {"logGroupName": TEXT, "filterName": TEXT, "filterPattern": TEXT, "metricTransformations": ARRAY},
    TARGET_RUN: {"RunId": TEXT, "TargetArn": TEXT, "Status": TEXT, "Attempts": INTEGER, "CreationTime": NUMBER},
    LINEAGE_ENTITY: {
        "LineageType": TEXT,
        "Arn": TEXT,
        "Name": TEXT,
        "Type": TEXT,
        "SourceUri": TEXT,
        "CreationTime": NUMBER,
    },
    LINEAGE_ASSOCIATION: {"SourceArn": TEXT, "DestinationArn": TEXT, "AssociationType": TEXT, "CreationTime": NUMBER},
    FUNCTION: {"FunctionName": TEXT, "FunctionArn": TEXT, "Runtime": TEXT, "Handler": TEXT, "Role": TEXT},
    FUNCTION_CODE: {"Zip": TEXT},
    SCHEDULE: {
        "Name": TEXT,
        "GroupName": TEXT,
        "Arn": TEXT,
        "Region": TEXT,
        "ScheduleExpression": TEXT,
        "State": TEXT,
        "CreationTime": NUMBER,
    },
    SCHEDULE_GROUP: {"Name": TEXT, "Arn": TEXT, "CreationTime": NUMBER},
}

# The field of a document by which the lists of its kind are filtered.
STATUS_FIELDS: dict[str, str] = {
    PROCESSING_JOB: "ProcessingJobStatus",
    TRAINING_JOB: "TrainingJobStatus",
    TRANSFORM_JOB: "TransformJobStatus",
    MODEL_PACKAGE: "ModelApprovalStatus",
}
