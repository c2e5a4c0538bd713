"""Which steps of an execution start, which never do, and how the execution ends: by the rules alone, no processes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_sagemaker.definition.definition import Step
from local_sagemaker.engine.schedule import TRIGGERS, Iteration, Node, Schedule
from local_sagemaker.engine.tasks import Result

OK, BAD, HALTED = Result("Succeeded"), Result("Failed"), Result("Stopped")


def node(name: str, *, branch: tuple[str, bool] | None = None, kind: str = "Processing", **after: str) -> Node:
    """A node that waits for others: node("B", A="Failed")."""
    if branch:
        after[branch[0]] = "Completed"
    return Node(name, Step(name, kind, {}, frozenset(after), branch, {}), after, branch)


def names(schedule: Schedule) -> set[str]:
    return {found.name for found in schedule.ready()}


def run(schedule: Schedule, outcomes: dict[str, Result]) -> str:
    """Run everything to its end, one after another; returns what ran and the verdict."""
    ran = []
    while ready := schedule.ready():
        name = ready[0].name
        schedule.start(name)
        schedule.finish(name, outcomes.get(name, OK))
        ran.append(name)
    return f"{' '.join(ran)}: {schedule.verdict()}"


def test_a_step_starts_when_all_that_it_waits_for_has_succeeded() -> None:
    schedule = Schedule([node("C", A="Completed", B="Completed"), node("A"), node("B")])
    assert names(schedule) == {"A", "B"}
    schedule.start("A")
    schedule.start("B")
    schedule.finish("A", OK)
    assert names(schedule) == set()
    schedule.finish("B", OK)
    assert names(schedule) == {"C"}


def test_after_a_failure_what_runs_goes_on_and_nothing_starts() -> None:
    schedule = Schedule([node("A"), node("B"), node("C"), node("D", B="Completed")])
    schedule.start("A")
    schedule.start("B")
    schedule.finish("A", BAD)
    assert names(schedule) == set()
    schedule.finish("B", OK)
    assert names(schedule) == set()
    assert schedule.verdict() == "Failed"


@pytest.mark.parametrize(
    ("trigger", "upstream", "end"),
    [
        ("Completed", OK, "A B C: Succeeded"),
        ("Completed", BAD, "A: Failed"),
        ("Completed", HALTED, "A: Failed"),
        ("Succeeded", OK, "A B C: Succeeded"),
        ("Failed", BAD, "A B C: CompletedWithFailures"),
        ("Failed", OK, "A C: Succeeded"),
        ("Failed", HALTED, "A: Failed"),
        ("Stopped", HALTED, "A B C: CompletedWithFailures"),
        ("Stopped", BAD, "A: Failed"),
        ("Any", OK, "A B C: Succeeded"),
        ("Any", BAD, "A B C: CompletedWithFailures"),
        ("Any", HALTED, "A B C: CompletedWithFailures"),
    ],
)
def test_a_trigger_says_after_which_end_of_the_other_step_a_step_runs(trigger: str, upstream: Result, end: str) -> None:
    assert run(Schedule([node("A"), node("B", A=trigger), node("C")]), {"A": upstream}) == end


def test_a_handler_that_fails_fails_the_execution() -> None:
    assert run(Schedule([node("A"), node("B", A="Failed")]), {"A": BAD, "B": BAD}) == "A B: Failed"


def test_a_failure_whose_only_handler_is_left_out_is_not_handled() -> None:
    schedule = Schedule([node("A"), node("B"), node("Both", A="Failed", B="Failed")])
    assert run(schedule, {"A": BAD}) == "A B: Failed"


def test_after_a_failure_that_none_handles_a_cleanup_of_another_step_still_runs() -> None:
    schedule = Schedule([node("Work"), node("Clean", Work="Any"), node("Other"), node("Next", Other="Completed")])
    schedule.start("Work")
    schedule.start("Other")
    schedule.finish("Other", BAD)
    assert names(schedule) == set()
    schedule.finish("Work", OK)
    assert run(schedule, {}) == "Clean: Failed"


def test_a_fail_step_fails_the_execution_whatever_comes_after_it() -> None:
    schedule = Schedule([node("Reject", kind="Fail"), node("Notify", Reject="Failed")])
    assert run(schedule, {"Reject": BAD}) == "Reject Notify: Failed"


@pytest.mark.parametrize(
    ("outcome", "ran"), [(True, "Gate If AfterIf AfterGate: Succeeded"), (False, "Gate Else AfterGate: Succeeded")]
)
def test_a_step_after_one_in_a_branch_that_is_not_taken_does_not_run(outcome: bool, ran: str) -> None:
    schedule = Schedule(
        [
            node("Gate", kind="Condition"),
            node("If", branch=("Gate", True)),
            node("Else", branch=("Gate", False)),
            node("AfterIf", If="Completed"),
            node("AfterAfter", AfterIf="Failed"),
            node("AfterGate", Gate="Completed"),
        ]
    )
    assert run(schedule, {"Gate": Result("Succeeded", outcome=outcome)}) == ran


def test_no_trigger_fires_for_a_step_that_was_left_out() -> None:
    schedule = Schedule([node("Gate", kind="Condition"), node("If", branch=("Gate", True)), node("Any", If="Any")])
    assert run(schedule, {"Gate": Result("Succeeded", outcome=False)}) == "Gate: Succeeded"


def test_a_condition_in_a_branch_that_is_not_taken_takes_its_own_branches_with_it() -> None:
    nodes = [
        node("Outer", kind="Condition"),
        node("Inner", branch=("Outer", True), kind="Condition"),
        node("Deep", branch=("Inner", False)),
    ]
    schedule = Schedule(nodes)
    assert run(schedule, {"Outer": Result("Succeeded", outcome=False)}) == "Outer: Succeeded"


def test_once_stopped_nothing_starts_and_the_execution_is_stopped_unless_a_step_has_failed() -> None:
    for end, verdict in ((OK, "Stopped"), (HALTED, "Stopped"), (BAD, "Failed")):
        schedule = Schedule([node("A"), node("B"), node("Clean", A="Any")])
        schedule.start("A")
        schedule.stopped = True
        schedule.finish("A", end)
        assert names(schedule) == set()
        assert schedule.verdict() == verdict


def test_results_of_an_earlier_attempt_count_and_their_steps_do_not_run_again() -> None:
    schedule = Schedule([node("A"), node("B", A="Completed")], {"A": OK})
    assert run(schedule, {}) == "B: Succeeded"


def test_results_of_steps_that_a_selection_leaves_out_count_as_those_of_any_other() -> None:
    assert run(Schedule([node("B", A="Completed")], {"A": OK}), {}) == "B: Succeeded"


def loop(items: int, concurrency: int) -> Schedule:
    """A running ForEach step of two body steps in a row, and a step after it."""
    schedule = Schedule([node("Loop", kind="ForEach"), node("After", Loop="Completed")])
    schedule.start("Loop")
    body = [("First", ()), ("Second", ("First",))]
    nodes = [
        Node(
            f"{name}-{index}",
            Step(name, "Processing", {}, frozenset(before), None, {}),
            {f"{other}-{index}": "Completed" for other in before},
            iteration=Iteration("Loop", index, index),
        )
        for index, (name, before) in itertools.product(range(items), body)
    ]
    schedule.expand("Loop", nodes, concurrency)
    return schedule


def test_iterations_run_at_once_up_to_the_concurrency_and_end_their_step() -> None:
    schedule = loop(items=3, concurrency=2)
    assert names(schedule) == {"First-0", "First-1"}
    schedule.start("First-0")
    schedule.start("First-1")
    assert names(schedule) == set()
    schedule.finish("First-0", OK)
    assert names(schedule) == {"Second-0"}
    assert schedule.settled() == []
    run(schedule, {})
    schedule.finish("First-1", OK)
    run(schedule, {})
    assert schedule.settled() == ["Loop"]
    schedule.close("Loop")
    assert schedule.settled() == []
    schedule.finish("Loop", OK)
    assert run(schedule, {}) == "After: Succeeded"


def test_an_iteration_that_fails_lets_the_others_that_run_end_and_no_more_start() -> None:
    schedule = loop(items=3, concurrency=2)
    schedule.start("First-0")
    schedule.start("First-1")
    schedule.finish("First-0", BAD)
    assert names(schedule) == set()
    assert schedule.settled() == []
    schedule.finish("First-1", OK)
    assert names(schedule) == set()
    assert schedule.settled() == ["Loop"]


def test_while_a_loop_with_a_failed_iteration_ends_no_other_step_starts() -> None:
    schedule = loop(items=3, concurrency=2)
    schedule.add([node("Later")])
    assert "Later" in names(schedule)
    schedule.start("First-0")
    schedule.start("First-1")
    schedule.finish("First-0", BAD)
    assert names(schedule) == set()


def test_a_running_loop_goes_on_when_another_step_fails() -> None:
    schedule = loop(items=1, concurrency=1)
    schedule.add([node("Other")])
    schedule.start("Other")
    schedule.finish("Other", BAD)
    assert names(schedule) == {"First-0"}


def test_a_loop_of_no_items_is_over_at_once() -> None:
    assert loop(items=0, concurrency=1).settled() == ["Loop"]


STATUSES = ("Succeeded", "Failed", "Stopped")


@pytest.mark.e2e
@given(st.data())
def test_whatever_the_graph_and_the_order_no_rule_is_broken(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 7))
    triggers = st.sampled_from(sorted(TRIGGERS))
    names_ = [f"N{number}" for number in range(count)]
    nodes = [node(names_[0])]
    for at in range(1, count):
        nodes.append(node(names_[at], **data.draw(st.dictionaries(st.sampled_from(names_[:at]), triggers))))
    schedule = Schedule(data.draw(st.permutations(nodes)))
    while True:
        ready = schedule.ready()
        for found in ready:
            assert all(schedule.results[name].status in TRIGGERS[trigger] for name, trigger in found.after.items())
        choices = [("start", found.name) for found in ready] + [("finish", name) for name in sorted(schedule.running)]
        if not choices:
            break
        action, name = data.draw(st.sampled_from(choices))
        if action == "start":
            schedule.start(name)
        else:
            schedule.finish(name, Result(data.draw(st.sampled_from(STATUSES))))
    ended = {name: result.status for name, result in schedule.results.items()}
    handled = {
        name
        for name, status in ended.items()
        if any(status in TRIGGERS[other.after[name]] for other in nodes if name in other.after and other.name in ended)
    }
    unhandled = {name for name, status in ended.items() if status != "Succeeded"} - handled
    if unhandled:
        assert schedule.verdict() == "Failed"
    else:
        assert schedule.verdict() == ("Succeeded" if set(ended.values()) <= {"Succeeded"} else "CompletedWithFailures")
        for left in (left for left in nodes if left.name not in ended):
            assert any(ended.get(name) not in TRIGGERS[trigger] for name, trigger in left.after.items())
