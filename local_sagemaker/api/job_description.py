"""What the service's descriptions of jobs hold beside what their requests gave: its defaults, which the SDKs index.

The fields and values are those of the examples in AWS's documentation of DescribeTrainingJob and DescribeTransformJob.
"""

from typing import Any

from local_sagemaker.jobs.algorithm import logged_metrics, trains_itself
from local_sagemaker.wire.dispatch import Request

TRAINING_FLAGS = ("EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining", "EnableNetworkIsolation")
WHOLE_RECORDS = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
NO_CHANNEL_OPTIONS = {"CompressionType": "None", "RecordWrapperType": "None"}


def training_job(job: Request) -> Request:
    """A training job as DescribeTrainingJob answers it: its artifacts, its algorithm's metrics, every default."""
    algorithm, output = job["AlgorithmSpecification"], job["OutputDataConfig"]
    hyperparameters = job.get("HyperParameters", {})
    itself = trains_itself(str(algorithm.get("TrainingImage", "")), hyperparameters)
    metrics = logged_metrics(algorithm, hyperparameters)
    uri = f"{output['S3OutputPath'].rstrip('/')}/{job['TrainingJobName']}/output/model.tar.gz"
    described: dict[str, Any] = {
        "ModelArtifacts": {"S3ModelArtifacts": uri},
        **dict.fromkeys(TRAINING_FLAGS, False),
        **job,
        "AlgorithmSpecification": {
            "EnableSageMakerMetricsTimeSeries": itself,
            **algorithm,
            **({"MetricDefinitions": metrics} if metrics else {}),
        },
        "OutputDataConfig": {"KmsKeyId": "", "CompressionType": "GZIP", **output},
    }
    if "InputDataConfig" in job:
        described["InputDataConfig"] = [{**NO_CHANNEL_OPTIONS, **channel} for channel in job["InputDataConfig"]]
    return described


def transform_job(job: Request) -> Request:
    """A transform job as DescribeTransformJob answers it."""
    return {
        **job,
        "TransformInput": {"CompressionType": "None", "SplitType": "None", **job["TransformInput"]},
        "TransformOutput": {"AssembleWith": "None", "KmsKeyId": "", **job["TransformOutput"]},
        "DataProcessing": {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
        | job.get("DataProcessing", {}),
    }
