"""What the commands about the versions of the model do."""

import json
import os
import sys
import webbrowser
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from command_line.approval_rule import prepared, show_started
from command_line.context import LOCAL_POLL_SECONDS, Context
from command_line.execution_view import show_failure
from command_line.follow import follow
from command_line.identity import who_am_i
from command_line.versions_view import models_table, show_decision, show_lineage
from pipelines.errors import PipelineError
from pipelines.exit_codes import EXIT_ERROR, EXIT_OK
from pipelines.versions import registry
from pipelines.versions.evaluation_report import REPORTS, download_report, statistics_uri
from pipelines.versions.execution_evaluation import evaluation_uri, validation_uri
from pipelines.versions.four_eyes import execution_of
from pipelines.versions.lineage import recorded_definition, trace
from pipelines.versions.report_facts import fetch_report
from pipelines.versions.reproduce import Rebuild, caveats, commands, require_recorded
from pipelines.watching import executions


def list_models(context: Context, options: Namespace) -> int:
    """models"""
    group = context.settings.name
    if options.show is not None:
        arn = registry.find_version(context.sagemaker, group, options.show)
        show_lineage(context.console, trace(context.sagemaker, context.client("s3"), arn), context.target_unit)
        return EXIT_OK
    versions = registry.models(context.sagemaker, context.client("s3"), group)
    context.console.show(models_table(versions, group, context.target_unit))
    return EXIT_OK


def reproduce_model(context: Context, options: Namespace) -> int:
    """reproduce"""
    sagemaker, s3, console = context.sagemaker, context.client("s3"), context.console
    lineage = trace(sagemaker, s3, registry.find_version(sagemaker, context.settings.name, options.version))
    definition = json.loads(recorded_definition(sagemaker, require_recorded(lineage)))
    for line in caveats(lineage):
        console.line(f"note: {line}")
    for line in commands(lineage, definition, context.command("run_pipeline.py")):
        console.line(line)
    return _rebuild(context, Rebuild(sagemaker, s3, lineage)) if context.local else EXIT_OK


def open_report(context: Context, options: Namespace) -> int:
    """report"""
    if options.validation:
        return _open_validation(context, options)
    of_version = options.of.isdecimal() or ":model-package/" in options.of
    arn, uri, folder = (_of_version if of_version else _of_execution)(context, options.of)
    s3, place = context.client("s3"), Path(REPORTS) / folder
    if arn is None:
        return _open(context, options, download_report(s3, uri, place), uri)
    execution = executions.describe(context.sagemaker, arn)
    files = fetch_report(context.sagemaker, s3, context.settings.name, execution, uri, place)
    return _open(context, options, files, uri)


def _open_validation(context: Context, options: Namespace) -> int:
    """report --validation: the report on the data of an execution, with the rows that were rejected."""
    arn = executions.resolve(context.sagemaker, context.pipeline_name, options.of)
    execution = executions.describe(context.sagemaker, arn)
    uri = validation_uri(context.sagemaker, execution)
    if uri is None:
        raise PipelineError(f"Execution {execution.id} has no validated data (any more), so it has no report on them.")
    return _open(context, options, download_report(context.client("s3"), uri, Path(REPORTS) / execution.id), uri)


def _open(context: Context, options: Namespace, files: list[Path], uri: str) -> int:
    pages = [path for path in files if path.suffix == ".html"]
    if not pages:
        raise PipelineError(f"There is no report beside {uri} any more: run the pipeline again.")
    context.console.line(str(pages[0]))
    if not options.no_open:
        open_page(pages[0])
    return EXIT_OK


def open_page(page: Path) -> None:
    """Show a page in the browser, where anyone could see it."""
    if has_display():
        webbrowser.open(page.resolve().as_uri())


def _of_version(context: Context, text: str) -> tuple[str | None, str, str]:
    """The execution that made a version, where its evaluation lies, and the folder for its report."""
    group = context.settings.name
    arn = registry.find_version(context.sagemaker, group, text)
    package = context.sagemaker.describe_model_package(ModelPackageName=arn)
    uri = statistics_uri(package)
    if uri is None:
        raise PipelineError(f"Version {arn.rpartition('/')[2]} of {group} names no evaluation, so it has no report.")
    return execution_of(package), uri, f"{group}-{arn.rpartition('/')[2]}"


def _of_execution(context: Context, text: str) -> tuple[str, str, str]:
    """The same of an execution, whether it registered its model or not."""
    arn = executions.resolve(context.sagemaker, context.pipeline_name, text)
    execution = executions.describe(context.sagemaker, arn)
    uri = evaluation_uri(context.sagemaker, execution)
    if uri is None:
        raise PipelineError(f"Execution {execution.id} has no evaluated model (any more), so it has no report.")
    return arn, uri, execution.id


def has_display() -> bool:
    """Whether a browser window could be seen by anyone."""
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _rebuild(context: Context, rebuild: Rebuild) -> int:
    """Run the recorded jobs again on this machine, nothing from the cache, and compare the metrics."""
    console, arn = context.console, rebuild.start()
    try:
        console.line()
        console.line(f"Rebuilding with the recorded definition, code and data: {arn}")
        execution = follow(context.sagemaker, arn, console, LOCAL_POLL_SECONDS)
        if execution.status != "Succeeded":
            show_failure(console, execution, context.log_folder, context.last_words)
            return execution.exit_code
        changes = rebuild.compare(arn)
    finally:
        rebuild.remove()
    for change in changes:
        console.line(f"{change.path}: {change.old} -> {change.new}", style="red")
    if changes:
        console.line(f"The rebuilt model differs: {len(changes)} of its metrics are not equal.", style="red")
        return EXIT_ERROR
    console.line("The metrics of the rebuilt model are equal to those of the version, digit for digit.", style="green")
    return EXIT_OK


def approve_model(context: Context, options: Namespace) -> int:
    """approve"""
    group = context.settings.name
    me = who_am_i(context.client("sts")) if context.settings.approval.four_eyes else None
    builds = prepared(context)
    decision = registry.approve(context.sagemaker, group, options.version, options.comment, me)
    show_decision(context.console, group, decision)
    if decision.was != decision.status:
        show_started(context, builds, f"Its deployment to {context.settings.approval_stage}")
    return EXIT_OK


def reject_model(context: Context, options: Namespace) -> int:
    """reject"""
    group = context.settings.name
    builds = prepared(context)
    decision = registry.reject(context.sagemaker, group, options.version, options.comment)
    show_decision(context.console, group, decision)
    if decision.was != decision.status:
        show_started(context, builds, "The return of the stages that serve it")
    return EXIT_OK


COMMANDS: dict[str, Callable[[Context, Namespace], int]] = {
    "models": list_models,
    "reproduce": reproduce_model,
    "report": open_report,
    "approve": approve_model,
    "reject": reject_model,
}
