"""RetryPipelineExecution: an execution goes on from where it failed, was stopped, or lost its server."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_sagemaker.conftest import Pipelines, processing, step


def count(folder: Path, name: str) -> int:
    """How often the step has run."""
    return len((folder / name).read_text().splitlines()) if (folder / name).exists() else 0


def counted(folder: Path, name: str, then: str = "true", **fields: Any) -> dict[str, Any]:
    """A step that leaves a line for each time that it runs."""
    return step(name, "Processing", processing(f"echo ran >> {folder}/{name}; {then}"), **fields)


def test_a_failed_execution_keeps_what_succeeded_and_runs_the_rest(
    pipelines: Any, sagemaker: Any, tmp_path: Path
) -> None:
    gate = {
        "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}],
        "IfSteps": [counted(tmp_path, "Breaks", f"test -e {tmp_path}/mended")],
        "ElseSteps": [step("Reject", "Fail", {"ErrorMessage": "no"})],
    }
    name = pipelines.create(
        counted(tmp_path, "First"),
        step("Gate", "Condition", gate, DependsOn=["First"]),
        counted(tmp_path, "After", DependsOn=["Breaks"]),
    )
    failed = pipelines.run(name)
    arn = failed["PipelineExecutionArn"]
    assert failed["PipelineExecutionStatus"] == "Failed"
    (tmp_path / "mended").touch()
    assert sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionArn"] == arn
    retried = pipelines.finish(arn)
    assert retried["PipelineExecutionStatus"] == "Succeeded"
    assert "FailureReason" not in retried
    assert {name: count(tmp_path, name) for name in ("First", "Breaks", "After")} == {
        "First": 1,
        "Breaks": 2,
        "After": 1,
    }
    assert {entry["StepStatus"] for entry in pipelines.steps(arn).values()} == {"Succeeded"}
    with pytest.raises(ClientError, match="cannot be retried: it is Succeeded"):
        sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)


def test_a_retried_loop_runs_the_items_that_had_not_succeeded(pipelines: Any, sagemaker: Any, tmp_path: Path) -> None:
    work = processing(
        f'echo ran >> {tmp_path}/$ITEM; test "$ITEM" = a || test -e {tmp_path}/mended',
        Environment={"ITEM": {"Get": "ForEach.CurrentItem"}},
    )
    body = [step("Work", "Processing", work)]
    loop = step("Loop", "ForEach", {"IterableItems": ["a", "b"], "MaxConcurrency": 1, "ForEachBody": body})
    arn = pipelines.run(pipelines.create(loop))["PipelineExecutionArn"]
    (tmp_path / "mended").touch()
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert (count(tmp_path, "a"), count(tmp_path, "b")) == (1, 2)
    assert pipelines.steps(arn)["Loop"]["Metadata"]["ForEach"]["SucceededStepCount"] == 2


def test_a_stopped_execution_goes_on_with_the_parallelism_of_the_retry(
    pipelines: Any, sagemaker: Any, tmp_path: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    arn = pipelines.start(pipelines.create(counted(tmp_path, "Sleep", f"test -e {tmp_path}/awake || sleep 60")))
    wait_until(lambda: count(tmp_path, "Sleep") == 1)
    with pytest.raises(ClientError, match="cannot be retried: it is Executing"):
        sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Stopped"
    (tmp_path / "awake").touch()
    parallelism = {"MaxParallelExecutionSteps": 7}
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn, ParallelismConfiguration=parallelism)
    execution = pipelines.finish(arn)
    assert (execution["PipelineExecutionStatus"], execution["ParallelismConfiguration"]) == ("Succeeded", parallelism)


def test_tokens_are_answered_once_before_and_after_a_kill_of_the_server_whose_execution_can_be_retried(
    new_server: Callable[[], Any], tmp_path: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    server = new_server()
    pid = server.up().pid
    client = server.client("sagemaker")
    pipelines = Pipelines(client)
    name = pipelines.create(
        counted(tmp_path, "First"),
        counted(tmp_path, "Sleep", f"test -e {tmp_path}/awake || sleep 60", DependsOn=["First"]),
    )
    start, retry = "start-" + "0" * 32, "retry-" + "0" * 32
    arn = pipelines.start(name, ClientRequestToken=start)
    wait_until(lambda: count(tmp_path, "Sleep") == 1)
    os.kill(pid, signal.SIGKILL)
    server.up()
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Failed"
    assert pipelines.start(name, ClientRequestToken=start) == arn
    (tmp_path / "awake").touch()
    for _ in range(2):
        client.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=retry)
        assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert (count(tmp_path, "First"), count(tmp_path, "Sleep")) == (1, 2)
    assert len(client.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]) == 1
