"""What every document of a kind must have, so that one that lacks it is put aside and the others are not kept back."""

from local_sagemaker.state.checks import ARRAY, INTEGER, NUMBER, TEXT, Fields


def _job(name: str) -> Fields:
    return {f"{name}Name": TEXT, f"{name}Arn": TEXT, f"{name}Status": TEXT, "CreationTime": NUMBER}


REQUIRED: dict[str, Fields] = {
    "processing-job": _job("ProcessingJob"),
    "training-job": _job("TrainingJob"),
    "transform-job": _job("TransformJob"),
    "tuning-job": _job("HyperParameterTuningJob"),
    "model-package-group": {"ModelPackageGroupName": TEXT, "ModelPackageGroupArn": TEXT, "CreationTime": NUMBER},
    "model-package": {"ModelPackageArn": TEXT, "ModelPackageStatus": TEXT, "CreationTime": NUMBER},
    "model-package-counter": {"Version": INTEGER},
    "model-package-group-policy": {"ResourcePolicy": TEXT},
    "Model": {"ModelName": TEXT, "ModelArn": TEXT, "CreationTime": NUMBER},
    "EndpointConfig": {
        "EndpointConfigName": TEXT,
        "EndpointConfigArn": TEXT,
        "ProductionVariants": ARRAY,
        "CreationTime": NUMBER,
    },
    "Endpoint": {
        "EndpointName": TEXT,
        "EndpointArn": TEXT,
        "EndpointConfigName": TEXT,
        "EndpointStatus": TEXT,
        "CreationTime": NUMBER,
    },
    "pipeline": {
        "PipelineName": TEXT,
        "PipelineArn": TEXT,
        "PipelineDefinition": TEXT,
        "RoleArn": TEXT,
        "CreationTime": NUMBER,
    },
    "pipeline-version": {"PipelineArn": TEXT, "PipelineVersionId": INTEGER, "PipelineDefinition": TEXT},
    "execution": {
        "PipelineArn": TEXT,
        "PipelineExecutionArn": TEXT,
        "PipelineExecutionStatus": TEXT,
        "CreationTime": NUMBER,
    },
    "execution-step": {"StepName": TEXT, "StepType": TEXT, "PipelineExecutionArn": TEXT, "StepStatus": TEXT},
    "step-cache": {"Step": TEXT, "EndTime": NUMBER},
    "callback": {"PipelineExecutionArn": TEXT},
    "tags": {"Tags": ARRAY},
}

# The field of a document by which the lists of its kind are filtered.
STATUS_FIELDS = {
    "processing-job": "ProcessingJobStatus",
    "training-job": "TrainingJobStatus",
    "transform-job": "TransformJobStatus",
    "model-package": "ModelApprovalStatus",
}
