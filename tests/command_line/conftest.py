"""The fixtures of the pipelines, which the commands are tried on."""

import json
from typing import Any

from tests.pipelines.conftest import DEFINITION, EVALUATION, Executions, job, step
from tests.pipelines.conftest import aws as aws
from tests.pipelines.conftest import executions as executions
from tests.pipelines.conftest import output as output


def evaluated(executions: Executions, **parameters: str) -> None:
    """The newest execution evaluated its model and rejected it: R2 is 0.9041, just above 0.9, MAPE above its limit."""
    checks = [
        {"name": "min_r2", "subject": "R2", "value": 0.9041, "bound": "at least", "limit": 0.9, "passed": True},
        {"name": "max_mape", "subject": "MAPE", "value": 0.2, "bound": "at most", "limit": 0.15, "passed": False},
    ]
    document = {**EVALUATION, "gates": {"checks": checks}}
    executions.aws.objects["bucket", "x/evaluation.json"] = json.dumps(document).encode()
    executions.aws.objects["bucket", "x/evaluation.html"] = b"<html>rejected</html>"
    output: dict[str, Any] = {"OutputName": "evaluation", "S3Output": {"S3Uri": "s3://bucket/x"}}
    definition = {
        **DEFINITION,
        "Parameters": [
            {"Name": "MinR2", "Type": "Float", "DefaultValue": 0.95},
            {"Name": "MaxMape", "Type": "Float", "DefaultValue": 0.15},
        ],
    }
    executions.aws.answers |= {
        "DescribeProcessingJob": lambda request: {"ProcessingOutputConfig": {"Outputs": [output]}},
        "DescribePipelineDefinitionForExecution": lambda request: {"PipelineDefinition": json.dumps(definition)},
        "ListPipelineParametersForExecution": lambda request: {
            "PipelineParameters": [{"Name": name, "Value": value} for name, value in parameters.items()]
        },
    }
    steps = [
        step("Evaluate", Metadata=job("ProcessingJob", "evaluate-1")),
        step("RejectModel", "Failed", FailureReason="MAPE is 0.2 (at most 0.15)."),
    ]
    executions.script = [("Failed", steps)]


def validated(executions: Executions) -> None:
    """The execution of `evaluated` validated its data first, and rejected 3 of 1,000 rows."""
    counts = {"file": "houses.csv", "rows": {"read": 1000, "rejected": 3}}
    executions.aws.objects["bucket", "v/validation.json"] = json.dumps(counts).encode()
    executions.aws.objects["bucket", "v/validation.html"] = b"<html>data</html>"
    evaluation = executions.aws.answers["DescribeProcessingJob"]
    output = {"OutputName": "report", "S3Output": {"S3Uri": "s3://bucket/v"}}

    def describe(request: dict[str, Any]) -> dict[str, Any]:
        if request["ProcessingJobName"] == "validate-1":
            return {"ProcessingOutputConfig": {"Outputs": [output]}}
        return evaluation(request)

    executions.aws.answers["DescribeProcessingJob"] = describe
    status, steps = executions.script[0]
    executions.script = [(status, [step("ValidateData", Metadata=job("ProcessingJob", "validate-1")), *steps])]
