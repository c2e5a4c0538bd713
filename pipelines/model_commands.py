"""What the commands about the versions of the model do."""

import json
from argparse import Namespace
from collections.abc import Callable

from pipelines import registry
from pipelines.console import EXIT_ERROR, EXIT_OK
from pipelines.context import LOCAL_POLL_SECONDS, Context
from pipelines.execution_view import show_failure
from pipelines.follow import follow
from pipelines.lineage import recorded_definition, show_lineage, trace
from pipelines.reproduce import Rebuild, caveats, commands, require_recorded


def list_models(context: Context, options: Namespace) -> int:
    """models"""
    group = context.settings.name
    if options.show is not None:
        arn = registry.find_version(context.sagemaker, group, options.show)
        show_lineage(context.console, trace(context.sagemaker, context.client("s3"), arn), context.target_unit)
        return EXIT_OK
    versions = registry.models(context.sagemaker, context.client("s3"), group)
    context.console.show(registry.models_table(versions, group, context.target_unit))
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


def _rebuild(context: Context, rebuild: Rebuild) -> int:
    """Run the recorded jobs again on this machine, nothing from the cache, and compare the metrics."""
    console, arn = context.console, rebuild.start()
    try:
        console.line()
        console.line(f"Rebuilding with the recorded definition, code and data: {arn}")
        execution = follow(context.sagemaker, arn, console, LOCAL_POLL_SECONDS)
        if execution.status != "Succeeded":
            show_failure(console, execution, context.log_folder)
            return execution.exit_code
        changes = rebuild.compare(arn)
    finally:
        rebuild.remove()
    for change in changes:
        console.line(f"{change.path}: {change.old} -> {change.new}", style="red")
    if changes:
        console.line(f"The rebuilt model is another one: {len(changes)} of its metrics differ.", style="red")
        return EXIT_ERROR
    console.line("The metrics of the rebuilt model are equal to those of the version, digit for digit.", style="green")
    return EXIT_OK


def approve_model(context: Context, options: Namespace) -> int:
    """approve"""
    registry.approve(context.sagemaker, context.settings.name, options.version, options.comment, context.console)
    return EXIT_OK


def reject_model(context: Context, options: Namespace) -> int:
    """reject"""
    registry.reject(context.sagemaker, context.settings.name, options.version, options.comment, context.console)
    return EXIT_OK


COMMANDS: dict[str, Callable[[Context, Namespace], int]] = {
    "models": list_models,
    "reproduce": reproduce_model,
    "approve": approve_model,
    "reject": reject_model,
}
