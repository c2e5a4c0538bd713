"""Every construct of a definition has its value in an execution, with jobs that write down what they were given."""

import json
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_sagemaker.conftest import Pipelines, output, processing, step

PARAMETERS = [
    {"Name": "Stage", "Type": "String", "DefaultValue": "test", "EnumValues": ["test", "live"]},
    {"Name": "Rows", "Type": "Integer", "DefaultValue": 3},
    {"Name": "Limit", "Type": "Float", "DefaultValue": 0.5, "EnumValues": [0.5, 0.75]},
    {"Name": "Strict", "Type": "Boolean", "DefaultValue": True},
    {"Name": "Bucket", "Type": "String"},
]
EXECUTION = ("PipelineName", "PipelineArn", "PipelineExecutionId", "PipelineExecutionArn", "StartDateTime")
BUCKET = {"Get": "Parameters.Bucket"}


def join(*values: Any, on: str = "/") -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def compared(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


def condition(name: str, *conditions: dict[str, Any], **branches: list[Any]) -> dict[str, Any]:
    return step(name, "Condition", {"Conditions": list(conditions), **branches})


def writing() -> dict[str, Any]:
    """A job that writes its environment into a JSON file, which is a property file too."""
    variables = {name: {"Get": f"Execution.{name}"} for name in (*EXECUTION, "CurrentDateTime", "ProcessingJobName")}
    environment = {
        **variables,
        "Trial": {"Get": "PipelineExperimentConfig.TrialName"},
        "Rows": join({"Get": "Parameters.Rows"}, on=""),
        "Nested": join("a", join({"Get": "Parameters.Limit"}, {"Get": "Parameters.Strict"}, on="-"), "b"),
        "Stage": {"Get": "Parameters.Stage"},
    }
    script = (
        "python3 -c \"import json, os; json.dump(dict(os.environ), open('/opt/ml/processing/output/env/e.json', 'w'))\""
    )
    place = join("s3:/", BUCKET, join("constructs", {"Get": "Execution.PipelineExecutionId"}))
    arguments = processing(script, Environment=environment, ProcessingOutputConfig=output("env", place))
    files = [{"PropertyFileName": "Env", "OutputName": "env", "FilePath": "e.json"}]
    return step("Write", "Processing", arguments, PropertyFiles=files)


def gates() -> list[dict[str, Any]]:
    """Conditions in the branches of conditions, over every kind of value; the outcome of each is in its name."""
    file = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Write.PropertyFiles.Env"}, "Path": "Stage"}}
    uri = join({"Get": "Steps.Write.ProcessingOutputConfig.Outputs['env'].S3Output.S3Uri"}, "e.json")
    stored = {"Std:JsonGet": {"S3Uri": uri, "Path": "['Nested']"}}
    truth = compared("Equals", {"Get": "Parameters.Strict"}, True)
    several = [
        truth,
        {"Type": "Not", "Condition": compared("GreaterThan", {"Get": "Parameters.Rows"}, 3)},
        {"Type": "Or", "Conditions": [compared("LessThan", 1, 0), compared("Equals", stored, "a/0.5-true/b")]},
        {"Type": "In", "QueryValue": file, "Values": ["live", {"Get": "Parameters.Stage"}]},
    ]
    both = {"Type": "And", "Conditions": [truth, compared("LessThanOrEqualTo", {"Get": "Parameters.Limit"}, 0.4)]}
    end = step("End", "Fail", {"ErrorMessage": join("stored", stored, on=" ")})
    inner = condition("False", both, IfSteps=[step("Never", "Fail", {})], ElseSteps=[end])
    return [condition("True", *several, IfSteps=[inner], ElseSteps=[])]


def test_every_construct_has_its_value(pipelines: Pipelines, sagemaker: Any, s3: Any) -> None:
    definition = {
        "Version": "2020-12-01",
        "Parameters": PARAMETERS,
        "PipelineExperimentConfig": {"ExperimentName": "e", "TrialName": {"Get": "Execution.PipelineExecutionId"}},
        "Steps": [writing(), *gates()],
    }
    name = pipelines.create(step("Placeholder", "Fail", {}))
    sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=json.dumps(definition))
    execution = pipelines.run(name, PipelineParameters=[{"Name": "Bucket", "Value": "test-bucket"}])
    arn = execution["PipelineExecutionArn"]
    steps = pipelines.steps(arn)
    assert steps["True"]["Metadata"]["Condition"]["Outcome"] == "True"
    assert steps["False"]["Metadata"]["Condition"]["Outcome"] == "False"
    assert steps["End"]["Metadata"]["Fail"]["ErrorMessage"] == "stored a/0.5-true/b"
    assert "Never" not in steps
    execution_id = arn.rpartition("/")[2]
    written = json.loads(s3.get_object(Bucket="test-bucket", Key=f"constructs/{execution_id}/e.json")["Body"].read())
    started = execution["CreationTime"].isoformat(timespec="milliseconds")
    assert datetime.fromisoformat(written["StartDateTime"]) == datetime.fromisoformat(started)
    assert datetime.fromisoformat(written["CurrentDateTime"]) >= datetime.fromisoformat(written["StartDateTime"])
    assert [written[each] for each in EXECUTION[:4]] == [name, execution["PipelineArn"], execution_id, arn]
    assert written["ProcessingJobName"] == steps["Write"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    assert (written["Trial"], written["Rows"], written["Stage"]) == (execution_id, "3", "test")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "parameter Bucket has no default: give it a value"),
        ({"Bucket": "b", "Stage": "prod"}, "parameter Stage must be one of test, live; got 'prod'"),
        ({"Bucket": "b", "Limit": "0.6"}, "parameter Limit must be one of 0.5, 0.75; got '0.6'"),
        ({"Bucket": "b", "Rows": "3.5"}, "parameter Rows is of type Integer; '3.5' is not"),
        ({"Bucket": "b", "Strict": "yes"}, "parameter Strict is of type Boolean; 'yes' is not"),
    ],
)
def test_a_value_that_a_parameter_cannot_have_starts_nothing(
    pipelines: Pipelines, given: dict[str, str], words: str
) -> None:
    name = pipelines.create(step("End", "Fail", {}), parameters=PARAMETERS)
    with pytest.raises(ClientError, match=words):
        pipelines.start(name, PipelineParameters=[{"Name": key, "Value": value} for key, value in given.items()])


def test_the_name_of_another_kind_of_job_has_no_value(pipelines: Pipelines) -> None:
    arguments = processing("true", Environment={"JOB": {"Get": "Execution.TrainingJobName"}})
    execution = pipelines.run(pipelines.create(step("Write", "Processing", arguments)))
    reason = pipelines.steps(execution["PipelineExecutionArn"])["Write"]["FailureReason"]
    assert "Execution.TrainingJobName has a value only in the arguments of Training steps" in reason
