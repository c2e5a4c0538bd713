"""The evaluation of an execution, whether it registered its model or not, and the validation of its data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.clients import S3Client, SageMakerClient, exists, split_uri
from pipelines.definition.evaluation_files import (
    OUTPUT,
    PREPROCESS_STEP,
    REPORT_PATH,
    STEP,
    TEST_OUTPUT,
    TEST_PATH,
    VALIDATION_OUTPUT,
    VALIDATION_PATH,
    VALIDATION_STEP,
)
from pipelines.definition.observation_files import DECISION_PATH
from pipelines.definition.observation_files import OUTPUT as OBSERVATION
from pipelines.definition.observation_files import STEP as OBSERVE
from pipelines.versions.evaluation_report import GateResult
from pipelines.watching.executions import ExecutionSummary


def evaluation_uri(sagemaker: SageMakerClient, execution: ExecutionSummary) -> str | None:
    """Where the evaluation of an execution lies; None where it has not come so far. Of a cached step, where it lay."""
    return _file_uri(sagemaker, execution, (STEP, OUTPUT, REPORT_PATH))


def validation_uri(sagemaker: SageMakerClient, execution: ExecutionSummary) -> str | None:
    """The same of the validation of its data."""
    return _file_uri(sagemaker, execution, (VALIDATION_STEP, VALIDATION_OUTPUT, VALIDATION_PATH))


def observation_uri(sagemaker: SageMakerClient, execution: ExecutionSummary) -> str | None:
    """The same of the decision of a monitoring execution."""
    return _file_uri(sagemaker, execution, (OBSERVE, OBSERVATION, DECISION_PATH))


def test_part_uri(sagemaker: SageMakerClient, execution: ExecutionSummary) -> str | None:
    """The same of its test part: raw rows with the target."""
    return _file_uri(sagemaker, execution, (PREPROCESS_STEP, TEST_OUTPUT, TEST_PATH))


@dataclass(frozen=True)
class DataCounts:
    """How many rows of which file the validation read and rejected."""

    file: str
    read: int
    rejected: int


def read_counts(s3: S3Client, uri: str | None) -> DataCounts | None:
    """The counts of a validation; None where there is none (any more), or it is damaged."""
    if uri is None or not exists(s3, *split_uri(uri)):
        return None
    bucket, key = split_uri(uri)
    try:
        document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return DataCounts(str(document["file"]), int(document["rows"]["read"]), int(document["rows"]["rejected"]))
    except (ValueError, KeyError, TypeError):
        return None


def _file_uri(sagemaker: SageMakerClient, execution: ExecutionSummary, place: tuple[str, str, str]) -> str | None:
    """A file by its step, output and path; None where the step has not succeeded, or ran no processing job."""
    name, output_name, path = place
    found = [step.job for step in execution.steps if step.name == name and step.status == "Succeeded" and step.job]
    if not found or found[-1].kind != "ProcessingJob":
        return None
    description = sagemaker.describe_processing_job(ProcessingJobName=found[-1].name)
    for output in description.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if output["OutputName"] == output_name:
            return f"{output['S3Output']['S3Uri'].rstrip('/')}/{path}"
    return None


def relaxed_gates(
    gates: tuple[GateResult, ...], parameters: Mapping[str, str], defaults: Mapping[str, object]
) -> list[str]:
    """The gates of an execution that ask for less than the pipeline's own, each as `MinR2 is 0.5, not 0.85`."""
    found = []
    for gate in gates:
        given, default = parameters.get(gate.parameter), defaults.get(gate.parameter)
        if given is None or default is None:
            continue
        difference = float(given) - float(str(default))
        if difference > 0 if gate.bound == "at most" else difference < 0:
            found.append(f"{gate.parameter} is {float(given):g}, not {float(str(default)):g}")
    return found
