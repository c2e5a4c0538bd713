"""What a person reads when an execution is over: metrics, model package, report, the next commands."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line.console import Console, duration
from command_line.execution_view import show_failure, steps_table
from command_line.versions_view import metrics_table
from pipelines.clients import S3Client, SageMakerClient
from pipelines.versions.evaluation_report import Evaluation, download_report, read_evaluation, statistics_uri
from pipelines.versions.registry import PENDING
from pipelines.watching.executions import ExecutionSummary


@dataclass(frozen=True)
class Commands:
    """How the next commands begin, as in `.venv/bin/python run_pipeline.py --local`, and what they name."""

    pipeline: str
    deployment: str
    stage: str
    sample: str
    sample_of: str | None = None  # the data file of which a request is made first

    def next(self, version: int, status: str) -> list[str]:
        """From the registry to a prediction: the commands still to be run for a version in this status."""
        approve = [f'{self.pipeline} approve {version} --comment "..."'] if status == PENDING else []
        request = f"{self.pipeline} sample --data {self.sample_of} --output {self.sample}"
        return [
            *approve,
            *([request] if self.sample_of else []),
            f"{self.deployment} deploy --latest-approved --stage {self.stage}",
            f"{self.deployment} predict --stage {self.stage} {self.sample}",
        ]


@dataclass(frozen=True)
class Registered:
    """The model package that an execution registered, with its evaluation where it has one."""

    arn: str
    version: int
    status: str
    evaluation: Evaluation | None
    report_uri: str | None
    report_files: tuple[Path, ...]

    def document(self) -> dict[str, Any]:
        """The model package as data for --json."""
        return {
            "arn": self.arn,
            "version": self.version,
            "status": self.status,
            "evaluation": self.evaluation.document() if self.evaluation else None,
            "report_uri": self.report_uri,
            "report_files": [str(path) for path in self.report_files],
        }


def registered_model(
    sagemaker: SageMakerClient, s3: S3Client, execution: ExecutionSummary, reports: Path
) -> Registered | None:
    """The model package of an execution, its report copied to reports/<execution id>/; None if it made none."""
    arns = [step.metadata["RegisterModel"]["Arn"] for step in execution.steps if "RegisterModel" in step.metadata]
    if not arns:
        return None
    package = sagemaker.describe_model_package(ModelPackageName=arns[-1])
    uri = statistics_uri(package)
    return Registered(
        arn=arns[-1],
        version=package["ModelPackageVersion"],
        status=package["ModelApprovalStatus"],
        evaluation=read_evaluation(s3, uri) if uri else None,
        report_uri=uri.rpartition("/")[0] + "/" if uri else None,
        report_files=tuple(download_report(s3, uri, reports / execution.id)) if uri else (),
    )


def show_summary(
    console: Console,
    execution: ExecutionSummary,
    registered: Registered | None,
    *,
    unit: str,
    commands: Commands,
    log_folder: Path | None = None,
) -> None:
    """The end of a run, for a person; with --json one document. `unit` is that of the target."""
    if console.json_output:
        model = registered.document() if registered else None
        console.document({**execution.document(), "model_package": model})
        return
    console.line()
    if not console.interactive:  # on a terminal the table that was followed still stands there
        console.show(steps_table(execution))
        console.line()
    console.line(f"Execution {execution.arn}", style="bold")
    console.line(f"{execution.status} after {duration(execution.seconds())}")
    if execution.status == "Failed":
        show_failure(console, execution, log_folder)
    if registered is not None:
        _show_model(console, registered, unit, commands)


def _show_model(console: Console, registered: Registered, unit: str, commands: Commands) -> None:
    if registered.evaluation is not None:
        console.line()
        console.line("On the test part:")
        console.show(metrics_table(registered.evaluation, unit))
        for warning in registered.evaluation.warnings:
            console.line(f"warning: {warning}", style="yellow")
    console.line()
    console.line(f"Model package      {registered.arn}  {registered.status}")
    if registered.report_uri is not None:
        console.line(f"Evaluation report  {registered.report_uri}")
    for path in registered.report_files:
        console.line(f"                   {path}")
    console.line()
    console.line("Next:")
    for command in commands.next(registered.version, registered.status):
        console.line(f"  {command}")
