"""What a person reads when an execution is over: metrics, model package, report, the next commands."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from command_line.console import Console, duration
from command_line.execution_view import LastWords, show_failure, steps_table
from command_line.trials_view import show_trials
from command_line.versions_view import gates_table, metrics_table
from pipelines.clients import S3Client, SageMakerClient
from pipelines.versions.evaluation_report import Evaluation, read_evaluation, statistics_uri
from pipelines.versions.execution_evaluation import (
    DataCounts,
    evaluation_uri,
    read_counts,
    validation_uri,
)
from pipelines.versions.four_eyes import PENDING
from pipelines.versions.report_facts import fetch_report, registered_package, relaxed_by_parameters
from pipelines.watching.executions import ExecutionSummary
from pipelines.watching.trials import Tuning


@dataclass(frozen=True)
class Commands:
    """How the next commands begin, as in `.venv/bin/python run_pipeline.py --local`, and what they name."""

    pipeline: str
    deployment: str
    stage: str
    sample: str
    sample_of: str | None = None  # the data file of which a request is made first

    def next(self, version: int, status: str) -> list[str]:
        """From the report to a prediction: the commands still to be run for a version in this status."""
        approve = [f'{self.pipeline} approve {version} --comment "..."'] if status == PENDING else []
        request = f"{self.pipeline} sample --data {self.sample_of} --output {self.sample}"
        return [
            f"{self.pipeline} report {version}",
            *approve,
            *([request] if self.sample_of else []),
            f"{self.deployment} deploy --latest-approved --stage {self.stage}",
            f"{self.deployment} predict --stage {self.stage} {self.sample}",
        ]


@dataclass(frozen=True)
class Registered:
    """The model package that an execution registered."""

    arn: str
    version: int
    status: str


@dataclass(frozen=True)
class Outcome:
    """What came of an execution: its evaluation with the report's files here, and its model package if it made one.

    `relaxed` names the gates that ask for less than the pipeline's own.
    """

    registered: Registered | None
    evaluation: Evaluation | None
    report_uri: str | None
    report_files: tuple[Path, ...]
    relaxed: tuple[str, ...] = ()
    data: DataCounts | None = None

    def document(self) -> dict[str, Any]:
        """The outcome as data for --json: the evaluation, and the model package where there is one."""
        evaluated = {
            "evaluation": self.evaluation.document() if self.evaluation else None,
            "report_uri": self.report_uri,
            "report_files": [str(path) for path in self.report_files],
        }
        model = {**asdict(self.registered), **evaluated} if self.registered else None
        data = asdict(self.data) if self.data else None
        return {**evaluated, "data": data, "relaxed_gates": list(self.relaxed), "model_package": model}


def outcome(
    sagemaker: SageMakerClient, s3: S3Client, group: str, execution: ExecutionSummary, reports: Path
) -> Outcome:
    """What came of an execution, its report copied to reports/<execution id>/ where it has one."""
    package = registered_package(sagemaker, execution)
    registered, uri = None, None
    if package is not None:
        arn, version = package["ModelPackageArn"], package["ModelPackageVersion"]
        registered = Registered(arn, version, package["ModelApprovalStatus"])
        uri = statistics_uri(package)
    uri = uri or evaluation_uri(sagemaker, execution)
    data = read_counts(s3, validation_uri(sagemaker, execution))
    if uri is None:
        return Outcome(registered, None, None, (), data=data)
    evaluation = read_evaluation(s3, uri)
    return Outcome(
        registered,
        evaluation,
        uri.rpartition("/")[0] + "/",
        tuple(fetch_report(sagemaker, s3, group, execution, uri, reports / execution.id)),
        tuple(relaxed_by_parameters(sagemaker, execution, evaluation.gates)),
        data,
    )


def show_summary(
    console: Console,
    execution: ExecutionSummary,
    result: Outcome,
    *,
    unit: str,
    commands: Commands,
    log_folder: Path | None = None,
    last_words: LastWords = lambda _: None,
    tuning: Sequence[Tuning] = (),
) -> None:
    """The end of a run, for a person; with --json one document, and why it failed. `unit` is that of the target."""
    if console.json_output:
        tried = {"tuning": [each.document() for each in tuning]}
        console.document({**execution.document(), **result.document(), **tried})
        if execution.status == "Failed":
            show_failure(console, execution)
        return
    console.line()
    if not console.interactive:  # on a terminal the table that was followed still stands there
        console.show(steps_table(execution))
        console.line()
    console.line(f"Execution {execution.arn}", style="bold")
    console.line(f"{execution.status} after {duration(execution.seconds())}")
    if execution.status == "Failed":
        show_failure(console, execution, log_folder, last_words)
    if result.data is not None:
        console.line(_data_line(result.data, commands, execution))
    show_trials(console, tuning)
    _show_evaluation(console, result, unit)
    registered = result.registered
    if registered is not None:
        console.line(f"Model package      {registered.arn}  {registered.status}")
    _show_report(console, result)
    next_commands = _next(execution, result, commands)
    if next_commands:
        console.line()
        console.line("Next:")
    for command in next_commands:
        console.line(f"  {command}")


def _data_line(data: DataCounts, commands: Commands, execution: ExecutionSummary) -> str:
    counts = f"Data {data.file}: {data.read:,} rows read, {data.rejected:,} rejected"
    return f"{counts}. Why: {commands.pipeline} report {execution.id} --validation" if data.rejected else counts


def _show_evaluation(console: Console, result: Outcome, unit: str) -> None:
    """The metrics, the gates, and which of them ask for less than the pipeline's own."""
    if result.evaluation is not None:
        console.line()
        console.line("On the test part:")
        console.show(metrics_table(result.evaluation, unit))
        for warning in result.evaluation.warnings:
            console.line(f"warning: {warning}", style="yellow")
        if result.evaluation.gates:
            console.line()
            console.show(gates_table(result.evaluation.gates))
        for text in result.relaxed:
            console.line(f"Relaxed for this execution: {text}.", style="yellow")
    if result.registered is not None or result.evaluation is not None:
        console.line()


def _show_report(console: Console, result: Outcome) -> None:
    if result.report_uri is not None:
        console.line(f"Evaluation report  {result.report_uri}")
    for path in result.report_files:
        console.line(f"                   {path}")


def _next(execution: ExecutionSummary, result: Outcome, commands: Commands) -> list[str]:
    if result.registered is not None:
        return commands.next(result.registered.version, result.registered.status)
    return [f"{commands.pipeline} report {execution.id}"] if result.evaluation is not None else []
