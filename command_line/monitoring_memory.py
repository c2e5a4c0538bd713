"""What `monitor` does with what was decided before: acknowledge a check that was raised, decide anew over a window."""

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from command_line.context import AWS_POLL_SECONDS, LOCAL_POLL_SECONDS, Context
from command_line.execution_view import show_failure
from command_line.follow import follow
from command_line.identity import who_am_i
from command_line.stages import no_stage
from pipelines.clients import split_uri
from pipelines.definition.observation_files import STEP
from pipelines.errors import PipelineError
from pipelines.exit_codes import EXIT_ERROR, EXIT_OK
from pipelines.versions.execution_evaluation import observation_uri
from pipelines.watching import executions
from pipelines.watching.acknowledgements import Acknowledgement, check_terms, chosen_check, raised_checks, store

NEAR = 1e-9  # two machines may add up in another order


def acknowledge(context: Context, options: Namespace) -> int:
    """monitor --acknowledge CHECK"""
    stage, now = stage_of(context, options.stage), datetime.now(timezone.utc)
    expires = moment("expires", options.expires) if options.expires else None
    reason, until = check_terms(options.reason, expires, now)
    context.require_configured()
    s3, bucket, project = context.bucket_client(), context.environment.bucket, context.settings.name
    raised = raised_checks(s3, bucket, project, stage)
    check = chosen_check(raised, options.acknowledge, stage)
    who = who_am_i(context.client("sts"))
    known = Acknowledgement(check, raised[check], reason, until.isoformat(), who, now.isoformat())
    uri = store(s3, bucket, project, stage, known)
    if context.json_output:
        context.console.document({"check": check, "decision": raised[check], "until": until.isoformat(), "uri": uri})
    else:
        context.console.line(
            f"{check} of {stage} is known until {until:%Y-%m-%d %H:%M} UTC, as long as it calls for no more than "
            f"{raised[check]}: {uri}"
        )
    return EXIT_OK


def replay(context: Context, options: Namespace) -> int:
    """monitor --replay EXECUTION: the same files once more, and whether the decision is the same; nothing is told."""
    context.require_configured()
    sagemaker, s3 = context.sagemaker, context.bucket_client()
    source = executions.resolve(sagemaker, context.pipeline_name, options.replay)
    before = executions.describe(sagemaker, source)
    uri = observation_uri(sagemaker, before)
    if uri is None:
        raise PipelineError(f"The execution {before.id} has no decision that could be repeated: it is {before.status}.")
    given = executions.parameters_of(sagemaker, source)
    given["Replay"] = f"{before.id}-{datetime.now(timezone.utc):%Y%m%dT%H%M%S}"
    description = f"Replay of {before.id}."
    arn = executions.start(sagemaker, context.pipeline_name, given, description=description, only=(source, STEP))
    execution = followed(context, arn, (STEP,))
    again = observation_uri(sagemaker, execution)
    if again is None or execution.exit_code:
        show_failure(context.console, execution, context.log_folder, context.last_words)
        return execution.exit_code
    first, second = (_read(s3, each) for each in (uri, again))
    found = differences(first, second)
    if context.json_output:
        context.console.document({"decision": second["decision"], "before": first["decision"], "differences": found})
        return EXIT_ERROR if found else EXIT_OK
    for line in found:
        context.console.line(f"  {line}")
    same = "The decision differs" if found else "The same decision"
    context.console.line(
        f"{same}: {second['decision']}, {second['window']}; of {before.id} it was {first['decision']}."
    )
    return EXIT_ERROR if found else EXIT_OK


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """What differs between two decision.json, a sentence each."""
    found = [
        f"{name} was {first[name]!r} and is {second[name]!r}"
        for name in ("decision", "reasons")
        if first[name] != second[name]
    ]
    checks = [{check["name"]: check for check in document["checks"]} for document in (first, second)]
    for name in dict.fromkeys([*checks[0], *checks[1]]):
        before, now = (each.get(name, {}) for each in checks)
        if before.get("outcome") != now.get("outcome") or not _near(before.get("p"), now.get("p")):
            said = [f"{each.get('outcome', 'not there')} (p {each.get('p')})" for each in (before, now)]
            found.append(f"{name} was {said[0]} and is {said[1]}")
    return found


def _near(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is second
    return abs(first - second) <= NEAR


def _read(s3: Any, uri: str) -> dict[str, Any]:
    bucket, key = split_uri(uri)
    document: dict[str, Any] = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    return document


def followed(context: Context, arn: str, steps: Sequence[str]) -> executions.ExecutionSummary:
    """An execution, once it is over."""
    context.console.line(f"Execution  {arn}")
    poll = LOCAL_POLL_SECONDS if context.local else AWS_POLL_SECONDS
    return follow(context.sagemaker, arn, context.console, poll, steps, context.notice)


def stage_of(context: Context, name: str | None) -> str:
    """A stage of the settings, the last one where none is named; PipelineError for one that is not there."""
    stages = list(context.settings.stages)
    if name is None:
        return stages[-1]
    if name not in stages:
        raise PipelineError(no_stage(name, stages))
    return name


def moment(name: str, text: str) -> datetime:
    """A date or a time in UTC; PipelineError for anything else."""
    try:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise PipelineError(
            f"--{name} is {text!r}: give a date such as 2026-10-01, or a time such as 2026-10-01T08:00+02:00."
        ) from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
