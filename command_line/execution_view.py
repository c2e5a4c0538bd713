"""How executions look: in a list, on their own, and while they run."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from command_line.console import Console, Table, drawn, duration, moment
from command_line.trials_view import show_trials
from pipelines.watching.executions import ExecutionSummary, Job, StepSummary
from pipelines.watching.logs import log_place
from pipelines.watching.trials import Tuning

COLUMNS = ("STEP", "STATUS", "DURATION", "NOTE")
KILLED = "exit code: 137"
OF_THE_KILLED = (
    "Exit code 137: its process was killed, most often since its machine had no memory left: take a larger instance "
    "type, or give fewer rows; `plan --data` says what the steps need."
)
LastWords = Callable[[Job], str | None]  # what a job said of its failure in its log


class ExecutionView(Protocol):
    """Shows an execution again and again while it changes."""

    def update(self, execution: ExecutionSummary) -> None:
        """Show what is new."""

    def say(self, text: str) -> None:
        """One sentence beside the steps."""


class LiveView:
    """For a terminal: one table that changes in place, whose durations run on between two polls."""

    def __init__(self, console: Console, expected_steps: Sequence[str]) -> None:
        self._console = console
        self._expected = expected_steps
        self._execution: ExecutionSummary | None = None

    def update(self, execution: ExecutionSummary) -> None:
        """Show what is new."""
        self._execution = execution

    def say(self, text: str) -> None:
        """One sentence above the table."""
        self._console.line(text, style="yellow")

    def __rich__(self) -> Any:
        """The table as it is now, for rich."""
        execution = self._execution
        steps = execution.steps if execution else ()
        started = {step.name for step in steps}
        rows = [_row(step) for step in steps]
        if execution is None or not execution.is_over:
            rows += [(name, "waiting", "-", "") for name in self._expected if name not in started]
        return drawn(COLUMNS, rows)


class PlainView:
    """For a pipe or a log: one line for each change of a step's status."""

    def __init__(self, console: Console, expected_steps: Sequence[str]) -> None:
        self._console = console
        self._width = max(map(len, expected_steps), default=0)
        self._seen: dict[str, str] = {}

    def update(self, execution: ExecutionSummary) -> None:
        """Print the steps whose status is new."""
        for step in execution.steps:
            if self._seen.get(step.name) != step.status:
                self._seen[step.name] = step.status
                self._console.line(self._line(step))

    def say(self, text: str) -> None:
        """One line."""
        self._console.line(text)

    def _line(self, step: StepSummary) -> str:
        words = [step.name.ljust(self._width), step.status]
        if step.ended is not None:
            words += [duration(step.seconds()), step.note]
        return "  ".join(word for word in words if word)


@contextmanager
def watched(console: Console, expected_steps: Sequence[str]) -> Iterator[ExecutionView]:
    """The view that suits where the console prints."""
    if not console.interactive:
        yield PlainView(console, expected_steps)
        return
    from rich.live import Live

    view = LiveView(console, expected_steps)
    with Live(view, console=console.rich, refresh_per_second=8):
        yield view


def executions_table(executions: Sequence[ExecutionSummary], pipeline_name: str) -> Table:
    """One row for each execution."""
    return Table(
        ("EXECUTION", "STATUS", "STARTED", "DURATION", "WHO", "NAME"),
        [
            (
                each.id,
                each.status,
                moment(each.started),
                duration(each.seconds()),
                each.who or "-",
                each.display_name or "-",
            )
            for each in executions
        ],
        [each.document() for each in executions],
        f"Pipeline {pipeline_name} has not been executed yet: start it with `run` or `start`.",
    )


def steps_table(execution: ExecutionSummary) -> Table:
    """One row for each step that has started."""
    return Table(
        COLUMNS,
        [_row(step) for step in execution.steps],
        [step.document() for step in execution.steps],
        "No step has started yet.",
    )


def show_execution(
    console: Console,
    execution: ExecutionSummary,
    log_folder: Any = None,
    last_words: LastWords = lambda _: None,
    tuning: Sequence[Tuning] = (),
) -> None:
    """An execution, its steps, what it tried and where the logs of the failed ones are, for `describe`."""
    if console.json_output:
        console.document({**execution.document(), "tuning": [each.document() for each in tuning]})
        return
    console.line(f"execution  {execution.arn}", style="bold")
    console.line(f"status     {execution.status}")
    console.line(f"started    {moment(execution.started)} by {execution.who or 'unknown'}")
    console.line(f"duration   {duration(execution.seconds())}")
    console.line()
    console.show(steps_table(execution))
    show_trials(console, tuning)
    if execution.status == "Failed":
        console.line()
        show_failure(console, execution, log_folder, last_words)


def show_failure(
    console: Console, execution: ExecutionSummary, log_folder: Any = None, last_words: LastWords = lambda _: None
) -> None:
    """Which step failed, why, what its job said of it where the reason does not hold that, and where its log is.

    With --json the log of a build shows why alone, so that it is the last line.
    """
    failed = [step for step in execution.steps if step.status == "Failed"]
    for step in failed:
        console.line(f"Step {step.name} failed: {step.failure_reason or 'SageMaker gave no reason.'}", style="red")
        if not console.json_output:
            for line in more_of_failure(step, log_folder, last_words):
                console.line(line)
    if not failed and execution.status == "Failed":
        console.line(f"The execution failed: {execution.failure_reason or 'SageMaker gave no reason.'}", style="red")


def more_of_failure(step: StepSummary, log_folder: Any = None, last_words: LastWords = lambda _: None) -> Iterator[str]:
    """What a failed step's job said where the reason does not hold it, what its exit code means, where its log is."""
    if step.job is None:
        return
    reason, said = step.failure_reason or "", last_words(step.job)
    if said and said not in reason:
        yield f"Its job said: {said}"
    if reason.endswith(KILLED):
        yield OF_THE_KILLED
    yield f"Its log: {log_place(step.job, log_folder)}"


def _row(step: StepSummary) -> tuple[str, str, str, str]:
    return step.name, step.status, duration(step.seconds()), step.note
