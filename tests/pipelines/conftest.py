"""A SageMaker with a deployed pipeline whose executions go as a test says."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from command_line.console import Console
from tests.aws_stub import Refusal, StubAws, arn, now, stub_aws

PIPELINE, GROUP = "house-prices-training", "house-prices"
PARAMETERS: list[dict[str, Any]] = [
    {"Name": "InputDataUri", "Type": "String"},
    {"Name": "TrainingInstanceCount", "Type": "Integer", "DefaultValue": 1},
    {"Name": "MaxMape", "Type": "Float", "DefaultValue": 0.15},
    {"Name": "Shuffle", "Type": "Boolean", "DefaultValue": True},
    {
        "Name": "ModelApprovalStatus",
        "Type": "String",
        "DefaultValue": "PendingManualApproval",
        "EnumValues": ["PendingManualApproval", "Approved"],
    },
]
DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": PARAMETERS,
    "Steps": [
        {"Name": "Train", "Type": "Training", "Arguments": {}},
        {
            "Name": "CheckQuality",
            "Type": "Condition",
            "Arguments": {
                "IfSteps": [{"Name": "RegisterModel", "Type": "RegisterModel", "Arguments": {}}],
                "ElseSteps": [{"Name": "RejectModel", "Type": "Fail", "Arguments": {}}],
            },
        },
    ],
}
EVALUATION = {
    "regression_metrics": {
        "mae": {"value": 61234.5, "standard_deviation": 100.0},
        "rmse": {"value": 112345.4, "standard_deviation": 100.0},
        "r2": {"value": 0.90412, "standard_deviation": 0.01},
        "mape": {"value": 0.1131, "standard_deviation": 0.001},
    },
    "candidates": {
        "xgboost": {"rmse": {"value": 112345.4}, "mae": {"value": 61234.5}, "r2": {"value": 0.90412}},
        "linear": {"rmse": {"value": 125049.0}, "mae": {"value": 70000.0}, "mape": {"value": None}},
    },
    "comparison": {"rmse_ratio": {"value": 0.8984}},
}


def execution_arn(identity: str) -> str:
    """The ARN of an execution of the pipeline."""
    return arn(f"pipeline/{PIPELINE}/execution/{identity}")


def step(name: str, status: str = "Succeeded", **fields: Any) -> dict[str, Any]:
    """One entry of ListPipelineExecutionSteps; it took 3.1 s if it has ended."""
    began = now() - 10
    entry = {"StepName": name, "StepStatus": status, "StartTime": began, "AttemptCount": 1, "Metadata": {}, **fields}
    if status not in ("Executing", "Starting"):
        entry.setdefault("EndTime", began + 3.1)
    return entry


def job(kind: str, name: str) -> dict[str, Any]:
    """The metadata of a step that ran a job."""
    return {kind: {"Arn": arn(f"{kind.lower().removesuffix('job')}-job/{name}")}}


class Executions:
    """Executions by id. `script` is what each look at the newest one shows: (status, steps), the last one stays."""

    def __init__(self, aws: StubAws) -> None:
        self.aws = aws
        self.listed: list[dict[str, Any]] = []
        self.script: list[tuple[str, list[dict[str, Any]]]] = [("Succeeded", [])]
        self.failure_reason: str | None = None
        self.packages: list[dict[str, Any]] = []
        for name in [name for name in dir(self) if name[0].isupper()]:
            aws.answers[name] = getattr(self, name)

    @property
    def sagemaker(self) -> Any:
        """A client."""
        return self.aws.client("sagemaker")

    @property
    def s3(self) -> Any:
        """A client."""
        return self.aws.client("s3")

    def add(self, identity: str, display_name: str | None = None) -> str:
        """One more execution, the newest."""
        entry = {
            "PipelineExecutionArn": execution_arn(identity),
            "StartTime": now(),
            "PipelineExecutionStatus": "Succeeded",
        }
        if display_name:
            entry["PipelineExecutionDisplayName"] = display_name
        self.listed.insert(0, entry)
        return str(entry["PipelineExecutionArn"])

    def register(self, status: str = "PendingManualApproval", **fields: Any) -> str:
        """Register the next version with its evaluation and return its ARN."""
        version = len(self.packages) + 1
        key = f"evaluation/{version}/evaluation.json"
        self.aws.objects["bucket", key] = json.dumps(EVALUATION).encode()
        self.aws.objects["bucket", f"evaluation/{version}/evaluation.html"] = b"<html>report</html>"
        package = {
            "ModelPackageName": GROUP,
            "ModelPackageGroupName": GROUP,
            "ModelPackageVersion": version,
            "ModelPackageArn": arn(f"model-package/{GROUP}/{version}"),
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": []},
            "ModelApprovalStatus": status,
            "CreationTime": now(),
            "CustomerMetadataProperties": {"git_commit": "0123456789abcdef-dirty"},
            "ModelMetrics": {
                "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": f"s3://bucket/{key}"}}
            },
            **fields,
        }
        self.packages.insert(0, package)
        return str(package["ModelPackageArn"])

    def DescribePipeline(self, request: dict[str, Any]) -> dict[str, Any]:
        self._require(request["PipelineName"])
        return {"PipelineDefinition": json.dumps(DEFINITION)}

    def StartPipelineExecution(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"PipelineExecutionArn": self.add("started00001")}

    def StopPipelineExecution(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.script[0][0] in ("Succeeded", "Failed", "Stopped"):
            raise Refusal("ValidationException", "Pipeline execution is not in an executing state.")
        steps = self.script[0][1]
        self.script = [("Stopping", steps), ("Stopped", steps)]
        return {"PipelineExecutionArn": request["PipelineExecutionArn"]}

    def DescribePipelineExecution(self, request: dict[str, Any]) -> dict[str, Any]:
        status, identity = self.script[0][0], request["PipelineExecutionArn"]
        listed = [entry for entry in self.listed if entry["PipelineExecutionArn"] == identity]
        return {
            **(listed[0] if listed else {}),
            "PipelineExecutionArn": identity,
            "PipelineExecutionStatus": status,
            "FailureReason": self.failure_reason,
            "CreationTime": now() - 20,
            "LastModifiedTime": now(),
            "CreatedBy": {"IamIdentity": {"Arn": "arn:aws:sts::123456789012:assumed-role/build/ada"}},
        }

    def DescribePipelineDefinitionForExecution(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"PipelineDefinition": json.dumps(DEFINITION)}

    def ListPipelineParametersForExecution(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"PipelineParameters": []}

    def ListPipelineExecutionSteps(self, request: dict[str, Any]) -> dict[str, Any]:
        steps = self.script[0][1]
        if len(self.script) > 1:
            self.script.pop(0)
        return {"PipelineExecutionSteps": steps}

    def ListPipelineExecutions(self, request: dict[str, Any]) -> dict[str, Any]:
        self._require(request["PipelineName"])
        return {"PipelineExecutionSummaries": self.listed}

    def ListModelPackages(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.packages:
            raise Refusal(
                "ValidationException", f"ModelPackageGroup {request['ModelPackageGroupName']} does not exist."
            )
        return {"ModelPackageSummaryList": self.packages}

    def DescribeModelPackage(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._package(request["ModelPackageName"])

    def UpdateModelPackage(self, request: dict[str, Any]) -> dict[str, Any]:
        self._package(request["ModelPackageArn"]).update(request)
        return {"ModelPackageArn": request["ModelPackageArn"]}

    def _package(self, identity: str) -> dict[str, Any]:
        return next(package for package in self.packages if package["ModelPackageArn"] == identity)

    def _require(self, pipeline: str) -> None:
        if pipeline != PIPELINE:
            raise Refusal("ResourceNotFound", f"Pipeline '{arn(f'pipeline/{pipeline}')}' does not exist.")


class Output(Console):
    """A console whose lines a test can read."""

    def __init__(self, *, json_output: bool = False) -> None:
        self.stream = io.StringIO()
        super().__init__(json_output=json_output, stream=self.stream)

    @property
    def text(self) -> str:
        """Everything printed so far."""
        return self.stream.getvalue()


@pytest.fixture(scope="session")
def aws() -> Iterator[StubAws]:
    """The socket, shared by all tests: a server costs more than a test."""
    with stub_aws() as stub:
        yield stub


@pytest.fixture
def executions(aws: StubAws) -> Executions:
    """A SageMaker with the pipeline and nothing else."""
    aws.answers.clear()
    aws.objects.clear()
    aws.calls.clear()
    return Executions(aws)


@pytest.fixture
def output() -> Output:
    """A console that is not a terminal."""
    return Output()
