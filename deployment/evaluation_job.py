"""The job that evaluated a version, and jobs that are run as it was: same image, code, role, machines and network."""

from collections.abc import Mapping, Sequence
from typing import Any

from deployment.packages import Package, SageMakerClient
from deployment.specification import TAG_PACKAGE, TAG_VERSION, tag_list

EVALUATE = "Evaluate"
INPUT, OUTPUT = "/opt/ml/processing/input", "/opt/ml/processing/output"
COPIED = ("AppSpecification", "Environment", "NetworkConfig", "ProcessingResources", "RoleArn", "StoppingCondition")


def evaluation_of(sagemaker: SageMakerClient, execution: str) -> Mapping[str, Any] | None:
    """DescribeProcessingJob's answer about an execution's evaluation; of a step from the cache, that of the cache."""
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=execution)
    for step in (step for page in pages for step in page["PipelineExecutionSteps"]):
        job = step.get("Metadata", {}).get("ProcessingJob", {}).get("Arn")
        if step["StepName"] == EVALUATE and job:
            found: Mapping[str, Any] = sagemaker.describe_processing_job(ProcessingJobName=job.rpartition("/")[2])
            return found
    return None


def job_like(
    evaluation: Mapping[str, Any],
    name: str,
    package: Package,
    module: str,
    arguments: Sequence[str],
    inputs: Sequence[dict[str, Any]],
    outputs: Mapping[str, str],
) -> dict[str, Any]:
    """The request of CreateProcessingJob that runs another module of the evaluation's archive on the version's model.

    It runs on one host, however many shared the evaluation.

    `inputs` are added to its code and model; `outputs`: folder of /opt/ml/processing/output -> where its files go.
    """
    copied = {key: evaluation[key] for key in COPIED if evaluation.get(key)}
    copied["ProcessingResources"] = {
        "ClusterConfig": {**copied["ProcessingResources"]["ClusterConfig"], "InstanceCount": 1}
    }
    application = dict(copied["AppSpecification"])
    application["ContainerEntrypoint"] = [*application["ContainerEntrypoint"][:-1], module]
    application.pop("ContainerArguments", None)
    if arguments:
        application["ContainerArguments"] = list(arguments)
    key = evaluation["ProcessingOutputConfig"].get("KmsKeyId")
    kept = [each for each in evaluation["ProcessingInputs"] if each["InputName"] in ("code", "model")]
    return {
        **copied,
        "ProcessingJobName": name,
        "AppSpecification": application,
        "ProcessingInputs": [*kept, *inputs],
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": each, "S3Output": _output(each, uri)} for each, uri in outputs.items()],
            **({"KmsKeyId": key} if key else {}),
        },
        "Tags": tag_list({TAG_PACKAGE: package.arn, TAG_VERSION: str(package.version)}),
    }


def job_input(name: str, uri: str, **more: str) -> dict[str, Any]:
    """An input of all below a URI, in a folder of its name; `more` are fields of ProcessingS3Input."""
    source = {"S3Uri": uri, "LocalPath": f"{INPUT}/{name}", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": {**source, **more}}


def _output(name: str, uri: str) -> dict[str, str]:
    return {"S3Uri": uri, "LocalPath": f"{OUTPUT}/{name}", "S3UploadMode": "EndOfJob"}
