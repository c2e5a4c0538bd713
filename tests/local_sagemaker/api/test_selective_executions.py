"""SelectiveExecutionConfig: chosen steps run on what the others made in a reference execution."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_sagemaker.conftest import output, processing, step

WORD = {"Get": "Parameters.Word"}


def chain(pipelines: Any) -> str:
    """A pipeline in which Read depends on what Write made, and a step comes after it."""
    place = {"Std:Join": {"On": "/", "Values": ["s3://test-bucket/chosen", {"Get": "Execution.PipelineExecutionId"}]}}
    write = processing(
        "echo $WORD > /opt/ml/processing/output/text/word.txt",
        Environment={"WORD": WORD},
        ProcessingOutputConfig=output("text", place),
    )
    uri = {"Get": "Steps.Write.ProcessingOutputConfig.Outputs['text'].S3Output.S3Uri"}
    location = {"S3Uri": uri, "LocalPath": "/opt/ml/processing/input", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    read = processing(
        'test "$(cat /opt/ml/processing/input/word.txt)" = "$WORD"',
        Environment={"WORD": WORD},
        ProcessingInputs=[{"InputName": "text", "S3Input": location}],
    )
    return str(
        pipelines.create(
            step("Write", "Processing", write),
            step("Read", "Processing", read),
            step("After", "Processing", processing("true"), DependsOn=["Read"]),
            parameters=[{"Name": "Word", "Type": "String", "DefaultValue": "hello"}],
        )
    )


def selection(*names: str, source: str | None = None) -> dict[str, Any]:
    """The SelectiveExecutionConfig that chooses these steps."""
    config: dict[str, Any] = {"SelectedSteps": [{"StepName": name} for name in names]}
    return {"SelectiveExecutionConfig": {**config, **({"SourcePipelineExecutionArn": source} if source else {})}}


def test_only_the_selected_steps_run_and_the_others_are_taken_from_the_reference(pipelines: Any) -> None:
    name = chain(pipelines)
    source = pipelines.run(name, PipelineParameters=[{"Name": "Word", "Value": "bye"}])["PipelineExecutionArn"]
    chosen = selection("Read", source=source)
    execution = pipelines.run(name, PipelineParameters=[{"Name": "Word", "Value": "bye"}], **chosen)
    steps = pipelines.steps(execution["PipelineExecutionArn"])
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert execution["SelectiveExecutionConfig"] == chosen["SelectiveExecutionConfig"]
    assert set(steps) == {"Write", "Read"}
    assert steps["Write"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": source}
    assert steps["Write"]["Metadata"] == pipelines.steps(source)["Write"]["Metadata"]
    assert "SelectiveExecutionResult" not in steps["Read"]
    other = pipelines.run(name, **chosen)  # the reference said bye, and this execution expects hello
    assert other["PipelineExecutionStatus"] == "Failed"


def test_steps_that_need_nothing_of_the_others_need_no_reference(pipelines: Any) -> None:
    execution = pipelines.run(chain(pipelines), **selection("Write", "Read"))
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert set(pipelines.steps(execution["PipelineExecutionArn"])) == {"Write", "Read"}


def test_a_selection_that_cannot_run_starts_nothing_and_says_why(pipelines: Any, sagemaker: Any) -> None:
    name = chain(pipelines)
    failed = pipelines.run(pipelines.create(step("Write", "Processing", processing("exit 1"))))["PipelineExecutionArn"]
    own = pipelines.run(name, **selection("Write"))["PipelineExecutionArn"]
    for words, chosen in {
        r"\[Raed\] are not steps": selection("Raed"),
        r"null. The selected steps \[Read\] have dependencies on \[Write\]": selection("Read"),
        "not an execution of this pipeline": selection("Read", source=failed),
        r"dependencies on \[Read\], which have not succeeded": selection("After", source=own),
        r"\[Read\] are not": selection("Write", "After"),
    }.items():
        with pytest.raises(ClientError, match=words):
            pipelines.start(name, **chosen)
    assert len(sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]) == 1


def test_a_step_in_a_branch_runs_alone_where_the_condition_led_to_it(pipelines: Any) -> None:
    gate = {
        "Conditions": [{"Type": "Equals", "LeftValue": WORD, "RightValue": "yes"}],
        "IfSteps": [step("Yes", "Processing", processing("true"))],
        "ElseSteps": [step("No", "Processing", processing("true"))],
    }
    parameters = [{"Name": "Word", "Type": "String", "DefaultValue": "yes"}]
    name = pipelines.create(step("Gate", "Condition", gate), parameters=parameters)
    source = pipelines.run(name)["PipelineExecutionArn"]
    execution = pipelines.run(name, **selection("Yes", source=source))
    assert set(pipelines.steps(execution["PipelineExecutionArn"])) == {"Gate", "Yes"}
    with pytest.raises(ClientError, match="The condition Gate did not lead to the selected step No"):
        pipelines.start(name, **selection("No", source=source))
