"""What one step's run decides: its record, the cache, another attempt, and what a stop means for it."""

import re
import threading
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.definition.definition import Step
from local_sagemaker.definition.expressions import Scope
from local_sagemaker.engine.retries import JOB_INTERNAL_ERROR
from local_sagemaker.engine.schedule import Iteration, Node
from local_sagemaker.engine.scope import ExecutionScope
from local_sagemaker.engine.step_run import StepRuns
from local_sagemaker.engine.tasks import Result, Task
from local_sagemaker.errors import LONGEST_REASON, invalid
from tests.local_sagemaker.engine.scripted import BAD, HALTED, OK, World, step

JOB = {"ProcessingJob": {"Arn": "arn:j"}}
CRASHED = Result("Failed", JOB, failure_reason="InternalServerError: gone", exception=JOB_INTERNAL_ERROR)


def scope() -> Scope:
    execution: Any = {"ParameterValues": {"Word": "hello"}}
    nothing: Any = None
    return ExecutionScope(execution, nothing, nothing)


def run(world: World, one: Step, runs: StepRuns | None = None) -> Result:
    """Run a step as an execution does: with the slot that it needs."""
    world.capacity.take(one.type)
    return (runs or world.runs()).run(Node(one.name, one, {}), scope())


def test_a_step_is_starting_executing_and_ended_with_what_other_steps_see(tmp_path: Path) -> None:
    seen = []

    def work(task: Task) -> Result:
        seen.append(world.record("S"))
        task.started("Processing", "j", JOB)
        seen.append(world.record("S"))
        return Result("Succeeded", JOB, {"RoleArn": "r"}, outcome=True)

    world = World(tmp_path, S=work)
    run(world, step("S", DisplayName="Shown", CacheConfig={"Enabled": True}))
    starting, executing = seen
    assert {**starting, "StartTime": 0} == {
        "StepName": "S", "StepDisplayName": "Shown", "StepType": "Processing", "StartTime": 0, "AttemptCount": 1,
        "PipelineExecutionArn": "arn:p/execution/1", "StepStatus": "Starting", "Metadata": {},
    }  # fmt: skip
    assert (executing["StepStatus"], executing["Metadata"]) == ("Executing", JOB)
    ended = world.record("S")
    assert ended["StepStatus"] == "Succeeded"
    assert ended["EndTime"] >= ended["StartTime"]
    assert (ended["Metadata"], ended["Properties"], ended["Outcome"]) == (JOB, {"RoleArn": "r"}, True)
    assert "FailureReason" not in ended


def test_a_step_of_an_iteration_says_of_which_item(tmp_path: Path) -> None:
    world = World(tmp_path)
    node = Node("S-1", step("S"), {}, iteration=Iteration("Loop", 1, {"a": 2}))
    world.runs().run(node, scope())
    assert world.record("S-1")["IterationContext"] == {"ParentStepName": "Loop", "Index": 1, "Item": '{"a": 2}'}
    assert world.ran() == ["S-1"]


def test_a_failed_step_keeps_the_job_that_it_started_and_has_no_properties(tmp_path: Path) -> None:
    def work(task: Task) -> Result:
        task.started("Processing", "j", JOB)
        return Result("Failed", properties={"RoleArn": "r"}, failure_reason="x" * 2000)

    world = World(tmp_path, S=work)
    run(world, step("S"))
    failed = world.record("S")
    assert (failed["StepStatus"], failed["Metadata"]) == ("Failed", JOB)
    assert failed["FailureReason"] == "x" * LONGEST_REASON
    assert "Properties" not in failed


def test_arguments_are_resolved_with_the_name_of_the_job_but_conditions_are_not(tmp_path: Path) -> None:
    world = World(tmp_path)
    asked = {"Environment": {"WORD": {"Get": "Parameters.Word"}, "JOB": {"Get": "Execution.ProcessingJobName"}}}
    run(world, step("Do it", arguments=asked))
    (task,) = world.tasks
    assert re.fullmatch(r"pipelines-e1-Do-it-[a-z0-9]{10}", task.job_name)
    assert task.arguments == {"Environment": {"WORD": "hello", "JOB": task.job_name}}
    unknown = {"Conditions": [{"Type": "Equals", "LeftValue": {"Get": "Steps.Later.X"}, "RightValue": 1}]}
    run(world, step("Gate", "Condition", arguments=unknown))
    assert world.tasks[1].arguments == {}


def test_an_expression_without_a_value_fails_the_step_before_anything_is_called(tmp_path: Path) -> None:
    world = World(tmp_path)
    result = run(world, step("S", arguments={"RoleArn": {"Get": "Steps.Never.Arn"}}, CacheConfig={"Enabled": True}))
    assert (result.status, world.ran()) == ("Failed", [])
    assert world.record("S")["FailureReason"].startswith("ClientError: Step Never has not run")


def test_a_step_that_succeeded_is_reused_and_the_first_run_stays_the_source(tmp_path: Path) -> None:
    world = World(tmp_path, S=Result("Succeeded", JOB, {"RoleArn": "r"}))
    cached = step("S", CacheConfig={"Enabled": True})
    results = [run(world, cached, world.runs(number)) for number in (1, 2, 3)]
    assert world.ran() == ["S"]
    assert [(result.metadata, result.properties) for result in results] == [(JOB, {"RoleArn": "r"})] * 3
    for number in (2, 3):
        assert world.record("S", number)["CacheHitResult"] == {"SourcePipelineExecutionArn": "arn:p/execution/1"}
    assert "CacheHitResult" not in world.record("S", 1)


@pytest.mark.parametrize("end", [BAD, HALTED])
def test_a_step_that_did_not_succeed_is_not_reused(tmp_path: Path, end: Result) -> None:
    world = World(tmp_path, S=[end, OK])
    cached = step("S", CacheConfig={"Enabled": True})
    assert [run(world, cached, world.runs(number)).status for number in (1, 2)] == [end.status, "Succeeded"]
    assert world.ran() == ["S", "S"]


RETRYING = {"RetryPolicies": [{"ExceptionType": [JOB_INTERNAL_ERROR], "MaxAttempts": 2, "IntervalSeconds": 0}]}


def test_each_attempt_is_counted_and_starts_with_a_job_of_a_new_name(tmp_path: Path) -> None:
    seen = []

    def again(task: Task) -> Result:
        seen.append(world.record("S"))
        task.started("Processing", task.job_name, JOB)
        return CRASHED

    world = World(tmp_path, S=[again, again, OK])
    assert run(world, step("S", arguments={"ProcessingJobName": "team"}, **RETRYING)).status == "Succeeded"
    assert [task.job_name.rpartition("-")[2] for task in world.tasks] == ["1", "2", "3"]
    assert all(task.job_name.startswith("team-e1-") for task in world.tasks)
    assert [(each["AttemptCount"], each["StepStatus"], each["Metadata"]) for each in seen] == [
        (1, "Starting", {}),
        (2, "Starting", {}),
    ]
    assert world.record("S")["AttemptCount"] == 3


def test_when_the_attempts_are_used_up_the_reason_says_so_within_its_length(tmp_path: Path) -> None:
    world = World(tmp_path, S=Result("Failed", failure_reason="x" * 2000, exception=JOB_INTERNAL_ERROR))
    result = run(world, step("S", **RETRYING))
    assert len(world.tasks) == 3
    assert len(str(result.failure_reason)) == LONGEST_REASON
    reason = world.record("S")["FailureReason"]
    assert reason.startswith("xxx")
    assert reason.endswith(
        "\nRetry not appropriate on execution of step with PipelineExecutionArn arn:p/execution/1 and StepId S. "
        "The retry attempts for the exception type SAGEMAKER_JOB_INTERNAL_ERROR are used up."
    )


def test_without_a_policy_there_is_one_attempt_and_other_failures_are_as_they_are(tmp_path: Path) -> None:
    world = World(tmp_path, Crash=Result("Failed", exception=JOB_INTERNAL_ERROR), Wrong=BAD)
    assert str(run(world, step("Crash")).failure_reason).startswith("\nRetry not appropriate on execution")
    assert run(world, step("Wrong", **RETRYING)) == BAD
    assert world.ran() == ["Crash", "Wrong"]


class StoppedMeanwhile(threading.Event):
    """Is set as soon as somebody waits for it; `free` is whether a core was free then."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self.free: bool | None = None

    def wait(self, timeout: float | None = None) -> bool:
        self.free = self._world.capacity.has_room("Processing")
        self.set()
        return True


def test_a_step_that_waits_for_its_next_attempt_holds_no_core_and_stops_with_the_execution(tmp_path: Path) -> None:
    world = World(tmp_path, cores=1, S=CRASHED)
    runs = world.runs()
    runs.stopping = stopping = StoppedMeanwhile(world)
    result = run(world, step("S", **RETRYING), runs)
    assert stopping.free is True
    assert not world.capacity.has_room("Processing")  # the execution gives it back
    assert (result, world.ran()) == (Result("Stopped", JOB), ["S"])


def test_the_next_attempt_waits_for_a_core(tmp_path: Path) -> None:
    order: list[str] = []

    def second(task: Task) -> Result:
        order.append("attempt")
        return OK

    world = World(tmp_path, cores=1, S=[CRASHED, second])

    def let_go() -> None:
        order.append("let go")
        world.capacity.give_back("Processing")

    class Taken(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            world.capacity.take("Processing")  # by a step of another execution
            threading.Timer(0.02, let_go).start()
            return False

    runs = world.runs()
    runs.stopping = Taken()
    assert run(world, step("S", **RETRYING), runs).status == "Succeeded"
    assert order == ["let go", "attempt"]


def stopped_while_it_ran(world: World, runs: StepRuns, end: Result, before: Any = None) -> Any:
    """A step that the execution stops while it runs; its record when it was asked, and at its end."""
    asked = []

    def work(task: Task) -> Result:
        task.started("Processing", "j", JOB)
        if before is not None:
            runs.end(Node("S", step("S"), {}), before)
        runs.stopping.set()
        runs.stop()
        asked.append(world.record("S")["StepStatus"])
        return end

    world._ends["S"] = work
    run(world, step("S", **RETRYING), runs)
    return asked[0], world.record("S")


@pytest.mark.parametrize(("end", "reason"), [(Result("Stopped", failure_reason="The job ended as Stopped."), None),
                                             (CRASHED, "InternalServerError: gone")])  # fmt: skip
def test_a_stop_stops_the_job_and_is_no_failure_but_a_failure_is(
    tmp_path: Path, end: Result, reason: str | None
) -> None:
    world = World(tmp_path)
    asked, ended = stopped_while_it_ran(world, world.runs(), end)
    assert (asked, world.stopped) == ("Stopping", [("Processing", "j")])
    assert (ended["StepStatus"], ended.get("FailureReason")) == (end.status, reason)
    assert world.ran() == ["S"]


def test_a_step_that_was_stopped_by_hand_says_how_it_ended(tmp_path: Path) -> None:
    world = World(tmp_path, S=Result("Stopped", failure_reason="The job ended as Stopped."))
    run(world, step("S"))
    assert world.record("S")["FailureReason"] == "The job ended as Stopped."


def test_a_step_that_has_ended_meanwhile_is_not_said_to_be_stopping(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert stopped_while_it_ran(world, world.runs(), OK, before=BAD)[0] == "Failed"


def test_work_that_starts_while_the_execution_stops_is_stopped_at_once(tmp_path: Path) -> None:
    stopped = []

    def stop() -> None:
        stopped.append(world.record("S")["StepStatus"])
        raise invalid("It has ended.")

    def work(task: Task) -> Result:
        runs.stopping.set()
        task.started("", "", {}, stop)
        return HALTED

    world = World(tmp_path, S=work)
    runs = world.runs()
    assert run(world, step("S"), runs) == HALTED
    assert (stopped, world.stopped) == (["Stopping"], [])
    runs.stop()
    assert stopped == ["Stopping"]  # what has ended is asked no more
