"""ForEach steps: their iterations are real jobs that clients can see, and later steps use what they made."""

import json
import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from local_sagemaker.definition.definition import Step
from local_sagemaker.definition.expressions import ExpressionError
from local_sagemaker.engine.for_each import aggregate, iterations
from local_sagemaker.engine.schedule import Iteration, Node
from local_sagemaker.engine.tasks import Result
from tests.conftest import LocalServer
from tests.local_sagemaker.conftest import output, processing, step

NAME = {"Get": "ForEach.CurrentItem.name"}


def for_each(items: Any, *body: dict[str, Any], concurrency: int = 2, **arguments: Any) -> dict[str, Any]:
    """A ForEach step as SDK v3 writes one."""
    fields = {"IterableItems": items, "MaxConcurrency": concurrency, **arguments, "ForEachBody": list(body)}
    return step("Loop", "ForEach", fields)


def test_each_item_is_a_job_and_its_outputs_reach_the_steps_after_it(pipelines: Any, s3: Any) -> None:
    uri = {"Std:Join": {"On": "/", "Values": ["s3://test-bucket/for-each", NAME]}}
    write = processing(
        "echo $NAME > /opt/ml/processing/output/text/name.txt",
        Environment={"NAME": NAME},
        ProcessingOutputConfig=output("text", uri),
    )
    read = {"Get": "Steps.Write.ProcessingOutputConfig.Outputs['text'].S3Output.S3Uri"}
    written = {"Get": "Steps.Loop.IterationOutputs[1].Write.ProcessingOutputConfig.Outputs['text'].S3Output.S3Uri"}
    name = pipelines.create(
        for_each(
            {"Get": "Parameters.Items"},
            step("Write", "Processing", write),
            step("Show", "Processing", processing("true", Environment={"URI": read})),
        ),
        step(
            "After", "Processing", processing('test "$URI" = s3://test-bucket/for-each/b', Environment={"URI": written})
        ),
        parameters=[{"Name": "Items", "Type": "String", "DefaultValue": '[{"name": "a"}, "{\\"name\\": \\"b\\"}"]'}],
    )
    execution = pipelines.run(name)
    steps = pipelines.steps(execution["PipelineExecutionArn"])
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    assert set(steps) == {"Loop", "Write-0", "Write-1", "Show-0", "Show-1", "After"}
    assert steps["Write-1"]["IterationContext"] == {"ParentStepName": "Loop", "Index": 1, "Item": '{"name": "b"}'}
    assert steps["Loop"]["Metadata"]["ForEach"] == {
        "Status": "Succeeded",
        "InputItemCount": 2,
        "TotalStepCount": 4,
        "SucceededStepCount": 4,
        "FailedStepCount": 0,
        "StoppedStepCount": 0,
    }
    assert steps["Write-0"]["EndTime"] <= steps["Show-0"]["StartTime"]
    assert max(entry["EndTime"] for name, entry in steps.items() if "-" in name) <= steps["Loop"]["EndTime"]
    assert s3.get_object(Bucket="test-bucket", Key="for-each/b/name.txt")["Body"].read() == b"b\n"


def test_an_item_that_fails_fails_the_step_and_the_execution(pipelines: Any) -> None:
    work = processing("exit $CODE", Environment={"CODE": {"Get": "ForEach.CurrentItem"}})
    name = pipelines.create(for_each(["0", "3", "0"], step("Work", "Processing", work), concurrency=1))
    execution = pipelines.run(name)
    steps = pipelines.steps(execution["PipelineExecutionArn"])
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert set(steps) == {"Loop", "Work-0", "Work-1"}
    assert "exit code: 3" in steps["Work-1"]["FailureReason"]
    assert (steps["Loop"]["StepStatus"], steps["Loop"]["Metadata"]["ForEach"]["FailedStepCount"]) == ("Failed", 1)
    assert "Work-1" in steps["Loop"]["FailureReason"]


def test_stopping_ends_the_iterations_and_their_step(
    pipelines: Any, sagemaker: Any, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    body = step("Work", "Processing", processing("sleep 60"))
    arn = pipelines.start(pipelines.create(for_each(["a", "b"], body, concurrency=1)))
    wait_until(lambda: pipelines.steps(arn).get("Work-0", {}).get("StepStatus") == "Executing")
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Stopped"
    steps = pipelines.steps(arn)
    assert {name: entry["StepStatus"] for name, entry in steps.items()} == {"Loop": "Stopped", "Work-0": "Stopped"}
    assert steps["Loop"]["Metadata"]["ForEach"]["StoppedStepCount"] == 1


def test_a_loop_of_no_items_has_succeeded(pipelines: Any) -> None:
    parameters = [{"Name": "Items", "Type": "String", "DefaultValue": "[]"}]
    body = step("Work", "Processing", processing("true"))
    execution = pipelines.run(pipelines.create(for_each({"Get": "Parameters.Items"}, body), parameters=parameters))
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert set(pipelines.steps(execution["PipelineExecutionArn"])) == {"Loop"}


def test_items_that_are_no_list_fail_the_step_by_name(pipelines: Any) -> None:
    parameters = [{"Name": "Items", "Type": "String", "DefaultValue": "a, b"}]
    name = pipelines.create(
        for_each({"Get": "Parameters.Items"}, step("Work", "Processing", processing("true"))), parameters=parameters
    )
    steps = pipelines.steps(pipelines.run(name)["PipelineExecutionArn"])
    assert steps["Loop"]["FailureReason"] == "ClientError: IterableItems must be a JSON list; it is 'a, b'."


class NoScope:
    """No reference has a value."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def loop(**arguments: Any) -> Step:
    """A ForEach step with a body of one step, Score."""
    body = Step("Score", "Processing", {}, frozenset(), None, {})
    arguments = {"IterableItems": ["a", "b", "c"], "MaxConcurrency": 2, **arguments}
    return Step("Loop", "ForEach", arguments, frozenset(), None, {}, body=(body,))


@pytest.mark.parametrize(("pick", "index"), [("MaxBy", 1), ("MinBy", 2)])
def test_a_selector_picks_an_iteration_by_a_number_in_its_output(pick: str, index: int) -> None:
    selector = {"Pick": pick, "Field": {"Get": "IterationOutput.Score.Report['r2']"}}
    selecting = loop(Selector=selector)
    nodes, concurrency = iterations(selecting, NoScope())  # type: ignore[arg-type]
    scores = {"Score-0": "0.5", "Score-1": 10, "Score-2": "-1"}
    results = {name: Result("Succeeded", properties={"Report": {"r2": score}}) for name, score in scores.items()}
    result = aggregate(selecting, nodes, results, stopped=False)
    assert concurrency == 2
    assert result.metadata["ForEach"]["Selector"] == {"StepName": "Score", "Index": index}
    assert result.properties["Selected"] == {"Report": {"r2": scores[f"Score-{index}"]}}


def test_a_selector_that_leads_to_no_number_fails_the_step() -> None:
    step_ = loop(Selector={"Pick": "MaxBy", "Field": {"Get": "IterationOutput.Score.Name"}})
    nodes = [Node("Score-0", step_.body[0], {}, iteration=Iteration("Loop", 0, "a"))]
    result = aggregate(step_, nodes, {"Score-0": Result("Succeeded", properties={"Name": "x"})}, stopped=False)
    assert (result.status, result.failure_reason) == (
        "Failed",
        "ClientError: Selector.Field must lead to numbers; it leads to 'x'.",
    )


def test_items_and_steps_are_counted_apart() -> None:
    bodies = tuple(Step(name, "Processing", {}, frozenset(), None, {}) for name in ("Prepare", "Score"))
    two = Step("Loop", "ForEach", loop().arguments, frozenset(), None, {}, body=bodies)
    nodes, _ = iterations(two, NoScope())  # type: ignore[arg-type]
    found = aggregate(two, nodes, {node.name: Result("Succeeded") for node in nodes}, stopped=False)
    counts = found.metadata["ForEach"]
    assert (counts["InputItemCount"], counts["TotalStepCount"], counts["SucceededStepCount"]) == (3, 6, 6)
    assert [set(outputs) for outputs in found.properties["IterationOutputs"]] == [{"Prepare", "Score"}] * 3


def test_a_loop_that_was_stopped_says_so() -> None:
    stopped = aggregate(loop(), iterations(loop(), NoScope())[0], {}, stopped=True)  # type: ignore[arg-type]
    assert (stopped.status, stopped.metadata["ForEach"]["TotalStepCount"]) == ("Stopped", 3)


@pytest.mark.parametrize("concurrency", [0, "2", True])
def test_a_concurrency_that_is_no_count_is_refused(concurrency: Any) -> None:
    with pytest.raises(ExpressionError, match="MaxConcurrency must be a whole number of at least 1"):
        iterations(loop(MaxConcurrency=concurrency), NoScope())  # type: ignore[arg-type]


def test_more_callbacks_than_cores_wait_at_once_and_a_selector_picks_the_best_answer(
    pipelines: Any, sagemaker: Any, server: LocalServer
) -> None:
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="for-each")["QueueUrl"]
    items = [f"item {number}" for number in range((os.cpu_count() or 1) + 2)]
    ask = step(
        "Ask",
        "Callback",
        {"item": {"Get": "ForEach.CurrentItem"}},
        SqsQueueUrl=url,
        OutputParameters=[{"OutputName": "score", "OutputType": "Integer"}],
    )
    selector = {"Pick": "MaxBy", "Field": {"Get": "IterationOutput.Ask.OutputParameters['score']"}}
    best = {"Std:Join": {"On": "", "Values": ["best ", {"Get": "Steps.Loop.Selected.OutputParameters['score']"}]}}
    arn = pipelines.start(
        pipelines.create(
            for_each(items, ask, concurrency=50, Selector=selector),
            step("Job", "Processing", processing("true")),
            step("Tell", "Fail", {"ErrorMessage": best}),
        )
    )
    asked: dict[str, str] = {}
    deadline = time.monotonic() + 30
    while len(asked) < len(items) or pipelines.steps(arn)["Job"]["StepStatus"] != "Succeeded":
        assert time.monotonic() < deadline, asked
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            body = json.loads(message["Body"])
            asked[body["arguments"]["item"]] = body["token"]
        time.sleep(0.02)
    for number, item in enumerate(items):
        score = [{"Name": "score", "Value": str(100 - abs(number - 1))}]
        sagemaker.send_pipeline_execution_step_success(CallbackToken=asked[item], OutputParameters=score)
    pipelines.finish(arn)
    steps = pipelines.steps(arn)
    assert steps["Loop"]["Metadata"]["ForEach"]["Selector"] == {"StepName": "Ask", "Index": 1}
    assert steps["Tell"]["Metadata"]["Fail"]["ErrorMessage"] == "best 100"
