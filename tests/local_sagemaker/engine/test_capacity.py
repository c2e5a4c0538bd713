"""How many steps run at once: what the parallelism allows, and the cores of the machine for all executions together."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.engine.capacity import Capacity
from tests.local_sagemaker.conftest import processing, step

CORES = os.cpu_count() or 1


def waiting(folder: Path, name: str) -> dict[str, Any]:
    """A step that runs until the file `go` is there."""
    return step(name, "Processing", processing(f"while ! test -e {folder}/go; do sleep 0.05; done"))


def executing(pipelines: Any, arn: str) -> set[str]:
    """The steps whose jobs run."""
    return {name for name, entry in pipelines.steps(arn).items() if entry["StepStatus"] == "Executing"}


def test_jobs_of_all_executions_share_the_cores_and_other_steps_do_not_wait_for_one(
    pipelines: Any, tmp_path: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    names = [f"Wait{number}" for number in range(CORES + 1)]
    first = pipelines.start(pipelines.create(*(waiting(tmp_path, name) for name in names)))
    wait_until(lambda: len(executing(pipelines, first)) == CORES)
    second = pipelines.start(pipelines.create(step("Job", "Processing", processing("true"))))
    register = step("Register", "RegisterModel", {"ModelPackageGroupName": "no-core-needed"})
    assert pipelines.run(pipelines.create(register))["PipelineExecutionStatus"] == "Succeeded"
    assert len(pipelines.steps(first)) == CORES
    assert pipelines.steps(second) == {}
    (tmp_path / "go").touch()
    assert pipelines.finish(first)["PipelineExecutionStatus"] == "Succeeded"
    assert pipelines.finish(second)["PipelineExecutionStatus"] == "Succeeded"


@pytest.mark.skipif(CORES == 1, reason="two jobs never run at once on one core")
def test_the_parallelism_of_a_running_execution_can_be_changed(
    pipelines: Any, sagemaker: Any, tmp_path: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    name = pipelines.create(waiting(tmp_path, "One"), waiting(tmp_path, "Two"))
    arn = pipelines.start(name, ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    wait_until(lambda: executing(pipelines, arn) == {"One"})
    changed = {
        "PipelineExecutionDisplayName": "wider",
        "PipelineExecutionDescription": "two at once",
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 2},
    }
    sagemaker.update_pipeline_execution(PipelineExecutionArn=arn, **changed)
    wait_until(lambda: executing(pipelines, arn) == {"One", "Two"})
    (tmp_path / "go").touch()
    execution = pipelines.finish(arn)
    assert {field: execution[field] for field in changed} == changed


def test_a_slot_is_taken_by_local_jobs_only_and_given_back() -> None:
    capacity = Capacity(1)
    capacity.take("Callback")
    assert capacity.has_room("Processing")
    capacity.take("Training")
    assert not capacity.has_room("Processing")
    assert capacity.has_room("Callback")
    capacity.give_back("Callback")
    assert not capacity.has_room("Processing")
    capacity.give_back("Training")
    assert capacity.has_room("Processing")


def test_an_execution_that_waits_for_a_core_can_be_stopped(
    pipelines: Any, sagemaker: Any, tmp_path: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    busy = pipelines.start(pipelines.create(*(waiting(tmp_path, f"Wait{number}") for number in range(CORES))))
    wait_until(lambda: len(executing(pipelines, busy)) == CORES)
    blocked = pipelines.start(pipelines.create(step("Job", "Processing", processing("true"))))
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=blocked)
    assert pipelines.finish(blocked)["PipelineExecutionStatus"] == "Stopped"
    (tmp_path / "go").touch()
    assert pipelines.finish(busy)["PipelineExecutionStatus"] == "Succeeded"
