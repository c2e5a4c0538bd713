"""What `monitor` does with what was decided before: acknowledge a check that was raised."""

from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime, timezone

from command_line.context import AWS_POLL_SECONDS, LOCAL_POLL_SECONDS, Context
from command_line.follow import follow
from command_line.identity import who_am_i
from command_line.stages import no_stage
from pipelines.errors import PipelineError
from pipelines.exit_codes import EXIT_OK
from pipelines.watching import executions
from pipelines.watching.acknowledgements import Acknowledgement, check_terms, chosen_check, raised_checks, store


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
