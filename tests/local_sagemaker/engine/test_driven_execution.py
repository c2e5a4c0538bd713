"""What an execution decides over steps that end as they are told: order, width, loops, stopping, and its own end."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.definition.definition import Step
from local_sagemaker.engine.execution import STEP_FAILED
from local_sagemaker.engine.tasks import Result, Task
from local_sagemaker.errors import ServiceError
from tests.local_sagemaker.engine.scripted import BAD, HALTED, OK, World, step

PATIENCE = 10  # seconds


def loop(*items: str, concurrency: Any = 2, after: tuple[str, ...] = ()) -> Step:
    """A ForEach step whose body says its item."""
    body = step("Work", arguments={"Environment": {"ITEM": {"Get": "ForEach.CurrentItem"}}})
    arguments = {"IterableItems": list(items), "MaxConcurrency": concurrency}
    return step("Loop", "ForEach", *after, arguments=arguments, body=(body,))


def together(count: int) -> Callable[[Task], Result]:
    """Steps that succeed where as many run at once."""
    barrier = threading.Barrier(count)

    def work(task: Task) -> Result:
        try:
            barrier.wait(PATIENCE / 5)
        except threading.BrokenBarrierError:
            return Result("Failed", failure_reason="alone")
        return OK

    return work


class Alone:
    """Steps that succeed where no other of them runs at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self, task: Task) -> Result:
        if not self._lock.acquire(blocking=False):
            return Result("Failed", failure_reason="not alone")
        threading.Event().wait(0.02)  # for another one to come
        self._lock.release()
        return OK


class Held:
    """A step that runs until it is let go; it can be waited for."""

    def __init__(self) -> None:
        self.begun, self.let_go, self.stopped = threading.Event(), threading.Event(), threading.Event()

    def __call__(self, task: Task) -> Result:
        task.started("", "", {}, self.stopped.set)
        self.begun.set()
        assert self.let_go.wait(PATIENCE)
        return HALTED if self.stopped.is_set() else OK


def test_what_a_step_made_is_known_to_the_next_and_all_of_it_has_succeeded(tmp_path: Path) -> None:
    world = World(tmp_path, A=Result("Succeeded", properties={"Uri": "s3://b/a"}))
    second = step("B", "Processing", "A", arguments={"Environment": {"A": {"Get": "Steps.A.Uri"}}})
    assert world.ended(second, step("A")) == ("Succeeded", None)
    assert world.ran() == ["A", "B"]
    assert world.tasks[1].arguments == {"Environment": {"A": "s3://b/a"}}


def test_a_failed_step_ends_the_execution_in_the_services_words(tmp_path: Path) -> None:
    world = World(tmp_path, A=BAD)
    assert world.ended(step("A"), step("B", "Processing", "A")) == ("Failed", STEP_FAILED)
    assert world.ran() == ["A"]
    assert world.record("B") is None


def test_a_fault_that_nobody_foresaw_fails_the_step_with_its_name_and_frees_its_core(tmp_path: Path) -> None:
    world = World(tmp_path, cores=1, A=ZeroDivisionError("by zero"))
    clean = Step("Clean", "Processing", {}, frozenset({"A"}), None, {"Name": "Clean"}, {"A": "Failed"})
    assert world.ended(step("A"), clean) == ("CompletedWithFailures", None)
    failed = world.record("A")
    assert (failed["StepStatus"], failed["FailureReason"]) == (
        "Failed",
        "InternalServerError: ZeroDivisionError: by zero",
    )
    assert world.capacity.has_room("Processing")


def test_results_that_are_kept_count_and_their_steps_do_not_run(tmp_path: Path) -> None:
    world = World(tmp_path)
    second = step("B", "Processing", "A", arguments={"Environment": {"A": {"Get": "Steps.A.Uri"}}})
    kept = {"A": Result("Succeeded", properties={"Uri": "s3://b/old"})}
    assert world.ended(step("A"), second, kept=kept) == ("Succeeded", None)
    assert world.ran() == ["B"]
    assert world.tasks[0].arguments == {"Environment": {"A": "s3://b/old"}}


def test_steps_run_at_once_as_far_as_cores_and_parallelism_allow(tmp_path: Path) -> None:
    both = [step("A"), step("B")]
    world = World(tmp_path, cores=2, A=(meet := together(2)), B=meet)
    assert world.ended(*both, ParallelismConfiguration=None) == ("Succeeded", None)
    for cores, parallelism in ((1, None), (2, {"MaxParallelExecutionSteps": 1})):
        (folder := tmp_path / str(cores)).mkdir()
        world = World(folder, cores=cores, A=(alone := Alone()), B=alone)
        assert world.ended(*both, ParallelismConfiguration=parallelism) == ("Succeeded", None)


def test_a_step_that_is_no_job_needs_no_core(tmp_path: Path) -> None:
    world = World(tmp_path, cores=1, A=(meet := together(2)), B=meet)
    assert world.ended(step("A"), step("B", "Model")) == ("Succeeded", None)


def test_a_changed_parallelism_is_obeyed_while_it_runs(tmp_path: Path) -> None:
    first, second = Held(), Held()
    world = World(tmp_path, A=first, B=second)
    execution = world.execution(step("A"), step("B"), ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    execution.start()
    assert first.begun.wait(PATIENCE)
    assert not second.begun.wait(0.02)
    execution.set_parallelism({"ParallelismConfiguration": {"MaxParallelExecutionSteps": 2}})
    assert second.begun.wait(PATIENCE)
    first.let_go.set()
    second.let_go.set()
    assert world.end_of(execution) == ("Succeeded", None)


def test_a_loop_takes_no_place_of_its_own_and_gives_each_iteration_its_item(tmp_path: Path) -> None:
    world = World(tmp_path, cores=1)
    after = step("After", "Processing", "Loop")
    assert world.ended(loop("a", "b"), after, ParallelismConfiguration={"MaxParallelExecutionSteps": 1}) == (
        "Succeeded",
        None,
    )
    assert world.ran() == ["Work-0", "Work-1", "After"]
    assert [task.arguments["Environment"]["ITEM"] for task in world.tasks[:2]] == ["a", "b"]
    ended = world.record("Loop")
    assert (ended["StepStatus"], ended["Metadata"]["ForEach"]["SucceededStepCount"]) == ("Succeeded", 2)


def test_iterations_that_are_kept_do_not_run_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.ended(loop("a", "b"), kept={"Work-0": OK}) == ("Succeeded", None)
    assert world.ran() == ["Work-1"]
    assert world.record("Loop")["Metadata"]["ForEach"]["SucceededStepCount"] == 2


def test_a_loop_that_cannot_start_fails_and_none_of_its_body_runs(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.ended(loop("a", concurrency=0)) == ("Failed", STEP_FAILED)
    assert world.record("Loop")["FailureReason"].startswith("ClientError: MaxConcurrency must be a whole number")
    assert world.ran() == []


def test_a_stop_reaches_what_runs_and_nothing_more_starts(tmp_path: Path) -> None:
    held = Held()
    world = World(tmp_path, cores=1, A=held)
    execution = world.execution(step("A"), step("B"), step("C", "Processing", "A"))
    execution.start()
    assert held.begun.wait(PATIENCE)
    execution.stop()
    assert held.stopped.is_set()
    assert world.record("A")["StepStatus"] == "Stopping"
    held.let_go.set()
    assert world.end_of(execution) == ("Stopped", None)
    assert world.ran() == ["A"]
    assert world.record("A")["StepStatus"] == "Stopped"


def test_it_is_over_when_it_has_begun_and_ended(tmp_path: Path) -> None:
    held = Held()
    world = World(tmp_path, A=held)
    execution = world.execution(step("A"))
    execution.join()  # there is nothing to wait for yet
    assert not execution.is_over
    execution.start()
    assert held.begun.wait(PATIENCE)
    assert not execution.is_over
    threading.Timer(0.02, held.let_go.set).start()
    execution.join()
    assert execution.is_over


def test_none_of_its_threads_keeps_the_server_from_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)
    daemons = []

    def write_now(write: Callable[[], object]) -> None:
        daemons.append(threading.current_thread().daemon)
        write()

    monkeypatch.setattr(world.records, "insist", write_now)
    assert world.ended(loop("a")) == ("Succeeded", None)
    assert daemons == [True] * 3  # the ends of the iteration, of its loop and of the execution


def test_an_expression_has_its_value_in_the_execution_or_is_refused(tmp_path: Path) -> None:
    execution = World(tmp_path).execution(step("A"))
    assert execution.value({"Get": "Parameters.Word"}) == "hello"
    with pytest.raises(ServiceError, match="Step A has not run"):
        execution.value({"Get": "Steps.A.Uri"})
