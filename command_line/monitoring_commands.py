"""What the commands about a model that serves do: monitor, truth."""

import json
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from command_line.context import Context
from command_line.execution_view import show_failure
from command_line.model_commands import open_page
from command_line.monitoring_memory import acknowledge, followed, moment, replay, stage_of
from command_line.monitoring_schedule import schedule, unschedule
from command_line.monitoring_simulation import simulate
from command_line.upserting import upsert_compiled
from pipelines.clients import split_uri
from pipelines.definition.observation_files import ACT
from pipelines.errors import PipelineError
from pipelines.exit_codes import EXIT_OK
from pipelines.publishing.dataset import check_data, require_data, upload_data
from pipelines.publishing.deployed import describe_deployed
from pipelines.versions.evaluation_report import REPORTS, download_report
from pipelines.versions.execution_evaluation import observation_uri
from pipelines.watching import executions
from pipelines.watching.truth import read_prices, store_prices

STYLES = {"ok": "green", "watch": "yellow", "retrain": "red", "not enough data": "yellow"}


def monitor(context: Context, options: Namespace) -> int:
    """monitor"""
    context = replace(context, chosen_pipeline="monitoring")
    chosen = [name for name in OTHERS if getattr(options, name) not in (None, False)]
    if len(chosen) > 1:
        raise PipelineError(f"--{chosen[0]} and --{chosen[1]} cannot be combined: give one of them.")
    if (options.reason or options.expires) and chosen != ["acknowledge"]:
        raise PipelineError("--reason and --expires belong to --acknowledge CHECK.")
    if (options.rows is not None or options.seed is not None) and chosen != ["simulate"]:
        raise PipelineError("--rows and --seed belong to --simulate DRILL.")
    if chosen:
        return OTHERS[chosen[0]](context, options)
    given = {"Stage": stage_of(context, options.stage), **_window(options)}
    if options.data is not None:
        check_data(options.data)
    context.require_configured()
    seen = describe_deployed(context.sagemaker, context.pipeline_name)
    compiled, s3 = context.compile(), context.bucket_client()
    if options.data is not None:
        given["InputDataUri"] = upload_data(
            s3, options.data, context.settings, context.environment, context.console.line
        )
    else:
        require_data(s3, compiled.parameters, "give the one with the new sales with --data")
    upsert_compiled(context, compiled, seen, force=False)
    arn = executions.start(context.sagemaker, compiled.name, given)
    return follow_window(context, options, arn, compiled.step_names)


def follow_window(context: Context, options: Namespace, arn: str, steps: Sequence[str]) -> int:
    """Follow an execution of the monitoring, and show its decision."""
    execution = followed(context, arn, steps)
    uri = observation_uri(context.sagemaker, execution)
    if uri is None or execution.exit_code:
        show_failure(context.console, execution, context.log_folder, context.last_words)
        return execution.exit_code
    _show(context, options, context.client("s3"), uri, execution)
    return EXIT_OK


def _show(context: Context, options: Namespace, s3: Any, uri: str, execution: executions.ExecutionSummary) -> None:
    """The decision with its reasons, the training that it started, and the report brought here."""
    bucket, key = split_uri(uri)
    document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    files = download_report(s3, uri, Path(REPORTS) / f"monitoring-{execution.id}")
    report = next(path for path in files if path.suffix == ".html")
    training = training_of(execution)
    if context.json_output:
        context.console.document({**document, "training": training, "report": str(report)})
        return
    console = context.console
    console.line()
    console.line(f"{document['decision']}: {document['window']} (UTC)", style=STYLES[document["decision"]])
    for reason in document["reasons"]:
        console.line(f"  {reason}")
    for note in document["notes"]:
        console.line(f"note: {note}")
    console.line()
    if training is not None:
        _show_training(context, training)
    console.line(f"Report     {report}")
    if not options.no_open:
        open_page(report)


def training_of(execution: executions.ExecutionSummary) -> str | None:
    """The execution that retrains, or a sentence on why there is none; None where the decision calls for none."""
    training = next((step.outputs.get("Training") for step in execution.steps if step.name == ACT), None)
    return None if training in (None, "none") else training


def _show_training(context: Context, training: str) -> None:
    if not training.startswith("arn:"):
        context.console.line(f"No training was started, for {training}: `upsert` it, and `start` it.")
        return
    command = replace(context, chosen_pipeline="training").execution_command
    context.console.line(f"Training   {training}")
    context.console.line(f"Watch      {command} describe {training.rpartition('/')[2]}")


def store_truth(context: Context, options: Namespace) -> int:
    """truth"""
    stage = stage_of(context, options.stage)
    prices = read_prices(options.file, context.settings.data)
    context.require_configured()
    s3, bucket = context.bucket_client(), context.environment.bucket
    folder = f"{context.settings.name}/monitoring/truth/{stage}"
    stored = store_prices(s3, bucket, folder, prices, datetime.now(timezone.utc))
    if context.json_output:
        context.console.document({"uri": stored.uri, "prices": len(prices), "new": stored.new})
        return EXIT_OK
    count = "1 price" if len(prices) == 1 else f"{len(prices):,} prices"
    context.console.line(f"{count} {'stored' if stored.new else 'already stored'} as {stored.uri}.")
    return EXIT_OK


def _window(options: Namespace) -> dict[str, str]:
    """The window as parameters, so that a slip is told before anything is started."""
    given = {name: getattr(options, name) for name in ("since", "until") if getattr(options, name) is not None}
    moments = {name: moment(name, text) for name, text in given.items()}
    if "until" in moments and "since" not in moments:
        raise PipelineError("--until is given without --since: give the start of the window, too.")
    since, until = moments.get("since"), moments.get("until", datetime.now(timezone.utc))
    if since is not None and since >= until:
        raise PipelineError(f"The window ends ({until:%Y-%m-%d %H:%M} UTC) before it begins: --since {given['since']}.")
    return {name.title(): text for name, text in given.items()}


OTHERS: dict[str, Callable[[Context, Namespace], int]] = {
    "acknowledge": acknowledge,
    "replay": replay,
    "schedule": schedule,
    "unschedule": unschedule,
    "simulate": simulate,
}
COMMANDS: dict[str, Callable[[Context, Namespace], int]] = {"monitor": monitor, "truth": store_truth}
