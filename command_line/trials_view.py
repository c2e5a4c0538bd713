"""The trials of a tuning step as a table, with the winner."""

import sys
from collections.abc import Sequence

from command_line.console import Console, Table, duration
from pipelines.clients import SageMakerClient
from pipelines.watching.executions import ExecutionSummary
from pipelines.watching.trials import Trial, Tuning, tunings


def read_trials(sagemaker: SageMakerClient, execution: ExecutionSummary) -> list[Tuning]:
    """What the tuning steps of an execution tried; nothing where the caller may not ask, which is said."""
    from botocore.exceptions import ClientError

    from pipelines.aws_errors import DENIED, explain

    try:
        return tunings(sagemaker, execution)
    except ClientError as error:
        if error.response["Error"].get("Code") not in DENIED:
            raise
        print(f"note: the trials of the tuning are not shown: {explain(error)}", file=sys.stderr)
        return []


def show_trials(console: Console, found: Sequence[Tuning]) -> None:
    """A table for each tuning step, the best trial first."""
    for tuning in found:
        console.line()
        console.line(f"Step {tuning.step} tried ({tuning.goal}):", style="bold")
        console.show(_table(tuning))


def _table(tuning: Tuning) -> Table:
    names = sorted({name for trial in tuning.trials for name in trial.hyperparameters})
    return Table(
        ("TRAINING JOB", "STATUS", "DURATION", "METRIC", *(name.upper() for name in names), "NOTE"),
        [_row(trial, names) for trial in tuning.trials],
        tuning.document(),
        "No training job has started yet.",
    )


def _row(trial: Trial, names: Sequence[str]) -> tuple[str, ...]:
    metric = "-" if trial.objective is None else f"{trial.objective:,.6g}"
    values = (trial.hyperparameters.get(name, "-") for name in names)
    return (trial.job, trial.status, duration(trial.seconds), metric, *values, "best" if trial.best else "")
