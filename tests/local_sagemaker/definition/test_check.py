"""The offline checker: each kind of fault is named with its path, all at once, and nothing good is refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_sagemaker.definition.check import check, refusals

ROOT = Path(__file__).parents[3]
CLUSTER = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
TUNING = {
    "HyperParameterTuningJobConfig": {"Strategy": "Random", "ResourceLimits": {"MaxParallelTrainingJobs": 1}},
    "TrainingJobDefinition": {
        "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": "image"},
        "RoleArn": "arn:aws:iam::000000000000:role/jobs",
        "OutputDataConfig": {"S3OutputPath": "s3://b/o"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    },
}
TRUE = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=15,
)
WORDS = "Name Type Arguments Steps Conditions Condition IfSteps ForEachBody DependsOn Step Trigger Get Std:Join Values"
WORDS += " Std:JsonGet PropertyFile PropertyFiles OutputName Outputs ProcessingOutputConfig Parameters EnumValues"
WORDS += " DefaultValue Expression ProcessingInputs S3Input HyperParameters RetryStrategy MaximumRetryAttempts"
VALUES = "Processing Training Condition ForEach Fail Lambda Not And Or In Equals A Steps.A.X Steps.A.Outputs[ Integer"
LIKELY_JSON = st.recursive(
    st.sampled_from(VALUES.split()) | st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS.split()), inner, max_size=4),
    max_leaves=25,
)


def step(name: str, step_type: str, arguments: Any, **fields: Any) -> dict[str, Any]:
    return {"Name": name, "Type": step_type, "Arguments": arguments, **fields}


def processing(name: str, outputs: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    place = {"S3Uri": "s3://b/o", "LocalPath": "/opt/ml/processing/o", "S3UploadMode": "EndOfJob"}
    arguments = {
        "AppSpecification": {"ImageUri": "image"},
        "ProcessingResources": {"ClusterConfig": CLUSTER},
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": output, "S3Output": place} for output in outputs]},
    }
    return step(name, "Processing", arguments, **fields)


def using(value: Any, name: str = "Use") -> dict[str, Any]:
    return step(name, "Lambda", {"x": value}, FunctionArn="arn")


def condition(conditions: Any, **branches: Any) -> dict[str, Any]:
    return step("Check", "Condition", {"Conditions": conditions, **branches})


def faults(*steps: Any, **fields: Any) -> list[str]:
    return [str(fault) for fault in check(json.dumps({"Version": "2020-12-01", "Steps": list(steps), **fields}))]


def test_all_faults_are_reported_at_once_with_their_paths() -> None:
    source = {"InputName": "in", "S3Input": {"S3Uri": {"Get": "Steps.Preproces.X"}, "S3DataType": "S3Prefix"}}
    second = processing("Second", DependsOn=["Nobody"])
    second["Arguments"]["ProcessingInputs"] = [source]
    del second["Arguments"]["AppSpecification"]
    assert faults(processing("Preprocess"), second) == [
        "Steps[1].Arguments: AppSpecification is missing",
        "Steps[1].Arguments.ProcessingInputs[0].S3Input.S3Uri: Steps.Preproces is not a step; did you mean Preprocess?",
        "Steps[1].DependsOn[0]: Nobody is not a step",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "The definition is not JSON: Expecting property name"),
        ("[]", "A pipeline definition is a JSON object with Steps."),
        ("[" * 100_000, "The definition is nested too deeply to be read."),
        ("{}", "Steps: is missing or empty: a definition has at least one step"),
        ('{"PipelineDefinition": {"Steps": []}}', "this document holds a definition under PipelineDefinition"),
    ],
)
def test_a_text_that_is_no_definition_is_said_to_be_none(text: str, fault: str) -> None:
    (found,) = check(text)
    assert fault in str(found)


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ([{"Type": "Fail"}], "Steps[0]: Name is missing"),
        ([{"Name": "A", "Type": "Training"}], "Steps[0]: Arguments is missing"),
        ([step("A", "Lambda", {})], "Steps[0]: FunctionArn is missing"),
        ([step("A", "Procesing", {})], "Steps[0].Type: Procesing is not a step type; did you mean Processing?"),
        (["A"], "Steps[0]: must be a structure"),
        ([using(1, "A"), using(2, "A")], "Steps[1]: the name A is taken by Steps[0]"),
        (
            [using({"Get": "Steps.Use.OutputParameters['x']"})],
            "Steps[0].Arguments.x: Steps.Use.OutputParameters['x'] is not an output parameter of the step Use",
        ),
        (
            [using({"Get": "Execution.PipelineNam"})],
            "Execution.PipelineNam is not a variable of executions; did you mean PipelineName?",
        ),
        ([using({"Get": "Parameters.P"})], "Parameters.P is not a parameter of this definition"),
        ([using({"Get": "ForEach.CurrentItem"})], "has a value only in the body of a ForEach step"),
        (
            [condition([TRUE], IfSteps=[using({"Get": "ForEach.CurrentItem"})])],
            "has a value only in the body of a ForEach step",
        ),
        ([using({"Get": "Nonsense"})], "Nonsense is not a reference"),
        ([using({"Std:Join": {"On": "/"}})], "Steps[0].Arguments.x: Std:Join needs a list of Values"),
        (
            [using({"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": "a["}})],
            "Steps[0].Arguments.x.Std:JsonGet.Path: 'a[' is not a path",
        ),
        ([using({"Std:JsonGet": {"Path": "a"}})], "Std:JsonGet needs a PropertyFile or an S3Uri, and not both"),
        (
            [using({"Std:Join": {"On": "", "Values": [{"Std:Join": {"Values": [{"Get": "Parameters.P"}]}}]}})],
            "Steps[0].Arguments.x.Std:Join.Values[0].Std:Join.Values[0]: Parameters.P is not a parameter",
        ),
        (
            [processing("A"), using({"Std:JsonGet": {"PropertyFile": {"Get": "Steps.A.F"}, "Path": "a"}})],
            'Steps[1].Arguments.x.Std:JsonGet.PropertyFile: must be {"Get": "Steps.NAME.PropertyFiles.FILE"}',
        ),
        ([using(1, "A") | {"DependsOn": ["A"]}], "Steps[0]: the steps wait for each other: A -> A"),
        (
            [condition([TRUE | {"LeftValue": {"Get": "Steps.In.X"}}], IfSteps=[using(1, "In")])],
            "Steps[0]: the steps wait for each other: Check -> In -> Check",
        ),
        (
            [processing("A"), using({"Get": "Steps.A.PropertyFiles.F"})],
            "Steps.A.PropertyFiles.F is not a property file of the step A",
        ),
        (
            [processing("A"), using({"Get": "Steps.A.ProcessingOutputConfg.Outputs"})],
            "DescribeProcessingJob has no property ProcessingOutputConfg; did you mean ProcessingOutputConfig?",
        ),
        (
            [processing("A", ("train",)), using({"Get": "Steps.A.ProcessingOutputConfig.Outputs['trian'].S3Output"})],
            "is not an output of the step A; did you mean train?",
        ),
        (
            [processing("A", ("train",)), using({"Get": "Steps.A.ProcessingOutputConfig.Outputs['trian']"})],
            "is not an output of the step A; did you mean train?",
        ),
        (
            [processing("A", PropertyFiles=[{"PropertyFileName": "F", "OutputName": "o", "FilePath": "f"}])],
            "Steps[0].PropertyFiles[0].OutputName: the step has no output o",
        ),
        (
            [processing("A", DependsOn=[{"Step": "A", "Trigger": "Never"}])],
            "Steps[0].DependsOn[0].Trigger: Never is not a trigger",
        ),
        (
            [using(1, "A") | {"DependsOn": ["B"]}, using(1, "B") | {"DependsOn": ["A"]}],
            "Steps[0]: the steps wait for each other: A -> B -> A",
        ),
        ([condition([])], "Steps[0].Arguments.Conditions: at least one condition must be given"),
        ([condition([{"Type": "Equal"}])], "Conditions[0].Type: Equal is not a condition; did you mean Equals?"),
        ([condition([{"Type": "Or", "Conditions": [TRUE, {}]}])], "Conditions[0].Conditions[1]: must be a structure"),
        (
            [condition([{"Type": "Not", "Expression": {"Type": "In", "QueryValue": 1}}])],
            "Steps[0].Arguments.Conditions[0].Expression: Values is missing",
        ),
        (
            [condition([TRUE], IfSteps=[using({"Get": "Steps.B.X"})])],
            "Steps[0].Arguments.IfSteps[0].Arguments.x: Steps.B is not a step",
        ),
    ],
)
def test_a_fault_is_named_with_its_path(steps: list[Any], fault: str) -> None:
    assert any(fault in line for line in faults(*steps)), faults(*steps)


def test_each_of_several_cycles_is_told_once() -> None:
    around = {"A": "B", "B": "A", "C": "C", "D": "C"}
    found = faults(*(using(1, name) | {"DependsOn": [other]} for name, other in around.items()))
    assert [line.partition(": the ")[0] for line in found if "wait for each other" in line] == ["Steps[0]", "Steps[2]"]


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"Enviroment": {}}, "Steps[0].Arguments.Enviroment: CreateProcessingJobRequest has no field Enviroment; did"),
        ({"Environment": {"A": 1}}, "Steps[0].Arguments.Environment['A']: must be of type string; it is 1"),
        ({"AppSpecification": []}, "Steps[0].Arguments.AppSpecification: must be a structure; it is []"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 0}}, "MaxRuntimeInSeconds: must be at least 1; it is 0"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": True}}, "must be of type integer; it is True"),
        ({"ExperimentConfig": {"RunName": ""}}, "ExperimentConfig.RunName: must have at least 1 characters"),
        (
            {"ProcessingInputs": [{"InputName": "in", "S3Input": {"S3Uri": "s3://b/k", "S3DataType": "S3Prefx"}}]},
            "S3Input.S3DataType: 'S3Prefx' is not one of the values of ProcessingS3DataType; did you mean S3Prefix?",
        ),
        ({"Environment": {"A": {"Get": "Parameters.P"}}}, "Environment['A']: is a number, and must be a text: join it"),
        (
            {"ProcessingResources": {"ClusterConfig": CLUSTER | {"InstanceCount": {"Std:Join": {"Values": ["1"]}}}}},
            "ClusterConfig.InstanceCount: is a text, and must be a number",
        ),
    ],
)
def test_arguments_that_the_request_shape_refuses_are_faults(changed: dict[str, Any], fault: str) -> None:
    good = processing("A")
    parameters = [{"Name": "P", "Type": "Integer", "DefaultValue": 1}]
    assert faults(good, Parameters=parameters) == []
    (found,) = faults(good | {"Arguments": good["Arguments"] | changed}, Parameters=parameters)
    assert fault in found


@pytest.mark.parametrize(
    ("changed", "warning"),
    [
        ({"RoleArn": "arn:aws:iam::1:role/jobs"}, "RoleArn: AWS accepts only what matches arn:aws"),
        (
            {"AppSpecification": {"ImageUri": "i", "ContainerArguments": ["x" * 300]}},
            "at most 256 characters, there are",
        ),
        ({"Environment": {"A-B": "x"}}, "Environment['A-B']: AWS accepts only what matches"),
        (
            {"ProcessingInputs": [{"InputName": "i"}] * 11},
            "ProcessingInputs: AWS allows at most 10 entries",
        ),
        (
            {"ProcessingResources": {"ClusterConfig": CLUSTER | {"InstanceType": "ml.m5.lage"}}},
            "is not one of the values of ProcessingInstanceType that botocore knows; did you mean ml.m5.large?",
        ),
    ],
)
def test_a_limit_of_aws_that_this_machine_does_not_need_is_told_and_not_refused(
    changed: dict[str, Any], warning: str
) -> None:
    good = processing("A")
    text = json.dumps({"Steps": [good | {"Arguments": good["Arguments"] | changed}]})
    (found,) = check(text)
    assert warning in str(found)
    assert refusals(text) == []


def test_a_name_of_a_step_that_aws_would_not_take_is_told() -> None:
    (found,) = check(json.dumps({"Steps": [using(1, "../a step")]}))
    assert (found.path, found.only_on_aws) == ("Steps[0].Name", True)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"CacheConfig": {"ExpireAfter": "P1D"}}, "Steps[0].CacheConfig: Enabled is missing"),
        (
            {"CacheConfig": {"Enabled": True, "ExpireAfter": "1 day"}},
            "ExpireAfter: '1 day' is not a duration",
        ),
        ({"CacheConfig": []}, "Steps[0].CacheConfig: must be a structure"),
        ({"RetryPolicies": [{"MaxAttempts": 1}]}, "Steps[0].RetryPolicies[0]: ExceptionType is missing"),
        (
            {"RetryPolicies": [{"ExceptionType": ["Step.SERVICE_FAULTS"]}]},
            "Step.SERVICE_FAULTS is not an exception type; did you mean Step.SERVICE_FAULT?",
        ),
        (
            {"RetryPolicies": [{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 3, "ExpireAfterMin": 1}]},
            "Steps[0].RetryPolicies[0]: give MaxAttempts or ExpireAfterMin, not both",
        ),
        (
            {"RetryPolicies": [{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 21}]},
            "Steps[0].RetryPolicies[0].MaxAttempts: must be from 0 to 20; it is 21",
        ),
        (
            {"RetryPolicies": [{"ExceptionType": ["Step.THROTTLING"], "ExpireAfterMin": 14401}]},
            "Steps[0].RetryPolicies[0].ExpireAfterMin: must be from 0 to 14400; it is 14401",
        ),
        (
            {"RetryPolicies": [{"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 43201}]},
            "Steps[0].RetryPolicies[0].IntervalSeconds: must be from 0 to 43200; it is 43201",
        ),
        ({"RetryPolicies": [{"ExceptionType": []}]}, "Steps[0].RetryPolicies[0]: ExceptionType is missing"),
        (
            {"RetryPolicies": [{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": "3"}]},
            "Steps[0].RetryPolicies[0].MaxAttempts: must be a number",
        ),
        (
            {"OutputParameters": [{"OutputName": "o", "OutputType": "Int"}]},
            "Steps[0].OutputParameters[0].OutputType: Int is not a type of output parameters",
        ),
        (
            {"OutputParameters": [{"OutputName": "o"}, {"OutputName": "o"}]},
            "Steps[0].OutputParameters[1]: the name o is taken by Steps[0].OutputParameters[0]",
        ),
    ],
)
def test_a_fault_beside_the_arguments_is_named(fields: dict[str, Any], fault: str) -> None:
    assert any(fault in line for line in faults(using(1) | fields)), faults(using(1) | fields)


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ([{"Name": "P", "Type": "Date"}], "Parameters[0].Type: Date is not a type of parameters"),
        ([{"Name": "P", "Type": "String"}] * 2, "Parameters[1]: the parameter P is declared twice"),
        ([{"Name": "P", "Type": "Integer", "DefaultValue": "1"}], "DefaultValue: is not of the type Integer"),
        ([{"Name": "P", "Type": "String", "DefaultValue": "a", "EnumValues": ["b"]}], "is not one of EnumValues"),
    ],
)
def test_a_fault_of_a_parameter_is_named(parameters: list[Any], fault: str) -> None:
    assert any(fault in line for line in faults(using(1), Parameters=parameters))


def loop(name: str = "Loop", **arguments: Any) -> dict[str, Any]:
    """A ForEach step with a body of one step, Body."""
    fields = {"IterableItems": ["a"], "MaxConcurrency": 1, "ForEachBody": [processing("Body")], **arguments}
    return step(name, "ForEach", fields)


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ([loop(MaxConcurrency=51)], "Arguments.MaxConcurrency: must be a whole number from 1 to 50; it is 51"),
        ([loop(IterableItems="a")], "Arguments.IterableItems: must be a list, or an expression for a JSON list"),
        ([loop(IterableItems=[1] * 101)], "Arguments.IterableItems: at most 100 items can be listed; there are 101"),
        ([loop(IterableItems=[None])], "Arguments.IterableItems[0]: must be a text, a number"),
        ([loop(ForEachBody=[step("Stop", "Fail", {})])], "Fail steps cannot be in the body of a ForEach step"),
        ([loop(Selector={"Pick": "Best", "Field": "x"})], "Selector.Pick: must be MaxBy or MinBy; it is 'Best'"),
        ([loop(Selector={"Pick": "MaxBy", "Field": "x"})], 'Selector.Field: must be {"Get": "IterationOutput'),
        ([loop(), processing("Body-0")], "Steps[1]: the name Body-0 is that of an iteration of Steps[0].Arguments"),
        ([loop(), processing("A", DependsOn=["Body"])], "Steps[1]: Body is in the body of Loop: wait for Loop"),
        ([loop(), using({"Get": "Steps.Body.ProcessingJobName"})], "use Steps.Loop.IterationOutputs[INDEX].Body"),
    ],
)
def test_a_fault_of_a_for_each_step_is_named(steps: list[Any], fault: str) -> None:
    assert any(fault in line for line in faults(*steps)), faults(*steps)


def test_an_experiment_cannot_have_the_name_of_something_that_comes_later() -> None:
    config = {"ExperimentName": {"Get": "PipelineExperimentConfig.TrialName"}, "TrialName": {"Get": "Steps.A.Name"}}
    assert faults(step("A", "Own", {}), PipelineExperimentConfig=config) == [
        "PipelineExperimentConfig: PipelineExperimentConfig.TrialName has no value yet when the execution starts",
        "PipelineExperimentConfig: Steps.A.Name has no value yet when the execution starts",
    ]


def test_what_the_service_accepts_has_no_faults() -> None:
    body = using({"Get": "ForEach.CurrentItem.name"}, "Body") | {"OutputParameters": [{"OutputName": "o"}]}
    each = {
        "IterableItems": {"Get": "Parameters.P"},
        "MaxConcurrency": 2,
        "ForEachBody": [body, using({"Get": "Steps.Body.OutputParameters['o']"}, "Next") | {"DependsOn": ["Body"]}],
        "Selector": {"Pick": "MaxBy", "Field": {"Get": "IterationOutput.Body.OutputParameters['o']"}},
    }
    values = [{"Get": "Execution.PipelineName"}, {"Get": "PipelineExperimentConfig.TrialName"}]
    report = {"S3Uri": {"Std:Join": {"On": "/", "Values": values}}, "Path": "a.b[0]['c d']"}
    nested = {"Type": "And", "Conditions": [{"Type": "Not", "Condition": TRUE}, {"Type": "Not", "Expression": TRUE}]}
    written = {"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}
    longest = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 43200, "ExpireAfterMin": 14400}
    within = {"Type": "In", "QueryValue": {"Std:JsonGet": report}, "Values": ["a"]}
    assert not faults(
        step("Each", "ForEach", each),
        condition([nested, within], IfSteps=[step("Stop", "Fail", {"ErrorMessage": "no"})], ElseSteps=[]),
        processing("A", DependsOn=[{"Step": "Each", "Trigger": "Failed"}, "Check"]),
        step("Tune", "Tuning", TUNING),
        using({"Get": "Steps.Tune.TrainingJobSummaries[0].TrainingJobName"}, "Best"),
        using({"Get": "Steps.Tune.BestTrainingJob.TunedHyperParameters['depth']"}, "Depth"),
        step("Own", "MyOwnType", {"x": {"Get": "Steps.Each.IterationOutputs[0].Body.OutputParameters['o']"}}),
        using({"Get": "Steps.Check.Outcome"}),
        using(1, "AfterBranch") | {"DependsOn": ["Stop"]},
        processing("Score", ("report",), PropertyFiles=[written], RetryPolicies=[longest]),
        using({"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Score.PropertyFiles.Report"}, "Path": "r2"}}, "Read"),
        Parameters=[{"Name": "P", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]}],
    )


@given(JSON | LIKELY_JSON | st.fixed_dictionaries({"Steps": st.lists(LIKELY_JSON, max_size=3)}))
def test_no_json_makes_the_checker_raise(raw: Any) -> None:
    for fault in check(json.dumps(raw)):
        assert "\n" not in str(fault)
        str(fault).encode()


@given(st.text())
def test_no_text_makes_the_checker_raise(text: str) -> None:
    check(text)


ATHENA = {"Catalog": "c", "Database": "d", "QueryString": "q", "OutputS3Uri": "s3://b/k", "OutputFormat": "PARQUET"}
QUERYING = {
    "Name": "Q",
    "Type": "Processing",
    "Arguments": {
        "AppSpecification": {"ImageUri": "python:3"},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "ProcessingInputs": [{"InputName": "rows", "DatasetDefinition": {"AthenaDatasetDefinition": ATHENA}}],
    },
}


@pytest.mark.e2e
def test_the_command_prints_one_fault_a_line_and_says_when_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "definition.json"

    def run() -> tuple[int, str, str]:
        command = [sys.executable, "-m", "local_sagemaker", "check", str(file)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    code, _, error = run()
    assert code == 1
    assert "cannot be read" in error
    file.write_text(json.dumps({"Steps": [using(1)]}))
    assert run() == (0, "no faults\n", "")
    file.write_text(json.dumps({"Steps": [{"Name": "A", "Type": "Fail", "DependsOn": ["\x07\n"]}]}))
    assert run() == (1, "Steps[0].DependsOn[0]: \\x07\\n is not a step\n", "")
    file.write_text(json.dumps({"Steps": [QUERYING]}))
    code, said, _ = run()
    assert (code, said.splitlines()[-1]) == (0, "no faults")
    assert (
        "warning: local SageMaker does not support the query of the input rows of the step Q without a handler: "
        "register one for AthenaDatasetDefinition (docs/local_sagemaker.md)\n" in said
    )


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ({"Steps": [{"Name": "\ud800", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}]}, "half of a character"),
        ({"PipelineExperimentConfig": 3, "Steps": []}, "must be a structure"),
        (
            {
                "Steps": [
                    {"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Parameters.a", "x": "y"}}}
                ]
            },
            "Get stands beside x: a reference stands alone",
        ),
    ],
)
def test_what_would_only_fail_in_the_execution_is_found_before(definition: dict[str, Any], words: str) -> None:
    faults = check(json.dumps({"Version": "2020-12-01", **definition}))
    assert any(words in str(fault) for fault in faults), [str(fault) for fault in faults]
