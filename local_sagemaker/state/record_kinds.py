"""The kinds of documents in the state, and what each must have.

One that lacks it is put aside, and the others are not kept back.
"""

from local_sagemaker.state.checks import ARRAY, INTEGER, NUMBER, TEXT, Fields

# The kinds of documents: what their rows are called in state.db.
PROCESSING_JOB = "processing-job"
TRAINING_JOB = "training-job"
TRANSFORM_JOB = "transform-job"
TUNING_JOB = "tuning-job"
MODEL_PACKAGE_GROUP = "model-package-group"
MODEL_PACKAGE = "model-package"
MODEL_PACKAGE_COUNTER = "model-package-counter"
MODEL_PACKAGE_GROUP_POLICY = "model-package-group-policy"
MODEL = "Model"
ENDPOINT_CONFIG = "EndpointConfig"
ENDPOINT = "Endpoint"
PIPELINE = "pipeline"
PIPELINE_VERSION = "pipeline-version"
EXECUTION = "execution"
EXECUTION_STEP = "execution-step"
STEP_CACHE = "step-cache"
CALLBACK = "callback"
TAGS = "tags"
TARGET_RUN = "target-run"
SCHEDULE = "schedule"
SCHEDULE_GROUP = "schedule-group"
REQUEST_TOKEN = "request-token"  # noqa: S105 - a kind, no secret


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
    TARGET_RUN: {"RunId": TEXT, "TargetArn": TEXT, "Status": TEXT, "Attempts": INTEGER, "CreationTime": NUMBER},
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
STATUS_FIELDS = {
    PROCESSING_JOB: "ProcessingJobStatus",
    TRAINING_JOB: "TrainingJobStatus",
    TRANSFORM_JOB: "TransformJobStatus",
    MODEL_PACKAGE: "ModelApprovalStatus",
}
