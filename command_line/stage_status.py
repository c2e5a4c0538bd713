"""status and logs: what the endpoints of the stages serve, what was done to them, and what goes on."""

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from command_line.deployment_history import Following, described, raise_outcome
from command_line.removing import goes, removes_itself

if TYPE_CHECKING:
    from command_line.session import Session
    from deployment.history import Entry

SHOWN = 20  # entries of the history
BUILD_STARTS_SECONDS = 240.0  # in which the build of an approval has begun its deployment on AWS
LOCAL_BUILD_STARTS_SECONDS = 30.0
LOG_GROUP = "/aws/codebuild/"


def status(session: "Session", options: argparse.Namespace) -> None:
    """status"""
    from command_line.console import Table, moment
    from deployment.serving import NOT_DEPLOYED, stage_status
    from pipelines.watching.executions import timestamp

    sagemaker = session.client("sagemaker")
    stages = [options.stage] if options.stage else list(session.settings.stages)
    found = [stage_status(sagemaker, stage, session.endpoint(stage)) for stage in stages]
    rows = [
        (each.stage, each.endpoint, each.status, each.versions_text, moment(each.since), each.instances or "-")
        for each in found
    ]
    entries = _entries(session, stages, SHOWN if options.follow else 1)
    leaving = {each.stage: goes(session, each.stage) for each in found if each.status != NOT_DEPLOYED}
    documents: Any = [
        {**asdict(each), "since": timestamp(each.since), "removes_itself": timestamp(leaving.get(each.stage))}
        for each in found
    ]
    if options.follow:
        documents = {"stages": documents, "history": [asdict(entry) for entry in entries]}
    columns = ("STAGE", "ENDPOINT", "STATUS", "VERSION", "SINCE", "INSTANCES")
    session.console.show(Table(columns, rows, documents, "The settings have no stages."))
    if options.json:
        return
    for each in found:
        if each.failure_reason:
            session.console.line(f"{each.endpoint}: {each.failure_reason}", style="red")
        if (when := leaving.get(each.stage)) is not None:
            session.console.line(removes_itself(each.endpoint, when))
    if options.follow:
        _show_history(session, entries)
    for entry in {entry.stage: entry for entry in reversed(entries)}.values():  # the newest of each stage
        _show_under_way(session, entry, options.follow)
    if options.follow:
        _follow(session, stages, entries)


def logs(session: "Session", options: argparse.Namespace) -> None:
    """logs: of the newest deployment that a build has made."""
    from botocore.exceptions import ClientError

    from deployment.errors import DeploymentError

    built = [entry for entry in session.history(session.endpoint(options.stage)).entries() if entry.build and entry.log]
    if not built:
        raise DeploymentError(f"No build has deployed to {options.stage}: whoever deploys by hand has seen the log.")
    group = LOG_GROUP + str(built[0].build).partition(":")[0]
    pages = session.client("logs").get_paginator("filter_log_events")
    try:
        for page in pages.paginate(logGroupName=group, logStreamNames=[built[0].log]):
            for event in page["events"]:
                print(event["message"].rstrip("\n"))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise DeploymentError(f"{group} has no log {built[0].log} any more.") from None


def _entries(session: "Session", stages: Sequence[str], limit: int) -> list["Entry"]:
    """The newest entries of several stages, the newest first."""
    if not session.has_bucket:
        return []
    found = [entry for stage in stages for entry in session.history(session.endpoint(stage)).entries(limit)]
    return sorted(found, key=lambda entry: entry.began, reverse=True)


def _show_under_way(session: "Session", entry: "Entry", followed: bool) -> None:
    """That a deployment is under way, paused or was cut off; where it is `followed`, not how to watch it."""
    from deployment.history import UNDER_WAY
    from deployment.live_shift import control, live_shift
    from deployment.weighted import PAUSED

    if entry.outcome != UNDER_WAY:
        return
    sagemaker = session.client("sagemaker")
    shift, goes_on = live_shift(sagemaker, entry.endpoint), session.holder(entry.endpoint) is not None
    paused = shift is not None and control(sagemaker, shift) == PAUSED
    words = "is under way" if goes_on else "was cut off: `deploy` of the same version goes on with it"
    if paused:
        resume = f"{session.command('deploy_model.py', 'resume')} --stage {entry.stage}"
        words = f"is paused: `{resume}` goes on" if goes_on else f"was paused by `pause` and {words}, after `{resume}`"
    session.console.line(f"{described(entry).capitalize()}, {words}.")
    if goes_on and not followed:
        session.console.line(f"Watch it: {session.command('deploy_model.py', 'status')} --follow")
        if entry.log:
            session.console.line(f"Its log:  {session.command('deploy_model.py', 'logs')} --stage {entry.stage}")


def _show_history(session: "Session", entries: Sequence["Entry"]) -> None:
    from command_line.console import Table, moment

    session.console.line()
    rows = [
        (
            moment(entry.moment),
            entry.stage,
            entry.action,
            str(entry.version),
            entry.commit[:9] if entry.commit else "-",
            entry.who,
            entry.strategy,
            f"{entry.outcome}: {entry.reason.splitlines()[0]}" if entry.reason else entry.outcome,
        )
        for entry in entries
    ]
    columns = ("WHEN", "STAGE", "WHAT", "VERSION", "COMMIT", "BY", "STRATEGY", "OUTCOME")
    session.console.show(Table(columns, rows, None, "Nothing was deployed yet."))


def _follow(session: "Session", stages: Sequence[str], entries: Sequence["Entry"]) -> None:
    """Follow what goes on, or is about to, to its end; its outcome is that of the command."""
    held = [stage for stage in stages if session.holder(session.endpoint(stage)) is not None]
    stage = held[0] if held else _awaited(session, stages, entries)
    if stage is None:
        return
    known = {entry.name for entry in entries if entry.stage == stage and entry.ended is not None}
    following, endpoint = Following(session, stage, known), session.endpoint(stage)
    give_up = time.monotonic() + (LOCAL_BUILD_STARTS_SECONDS if session.local else BUILD_STARTS_SECONDS)
    while session.holder(endpoint) is not None or (following.entry is None and time.monotonic() < give_up):
        following.look()
        time.sleep(session.waiting.poll_seconds)
    ended = following.ended()
    if ended is None:
        session.console.line(f"No deployment to {stage} has begun.")
        return
    raise_outcome(ended)
    session.console.line(f"{described(ended).capitalize()}: {ended.outcome}.")


def _awaited(session: "Session", stages: Sequence[str], entries: Sequence["Entry"]) -> str | None:
    """The stage whose build should be starting: a version was approved just now, and nothing was done with it yet."""
    from deployment.packages import APPROVED
    from pipelines.versions.registry import listed

    stage = session.settings.approval_stage
    if stage not in stages:
        return None
    sagemaker = session.client("sagemaker")
    approved = [
        each for each in listed(sagemaker, session.settings.name) if each.get("ModelApprovalStatus") == APPROVED
    ]
    if not approved:
        return None
    package = sagemaker.describe_model_package(ModelPackageName=approved[0]["ModelPackageArn"])
    changed = package.get("LastModifiedTime", package["CreationTime"])
    patience = timedelta(seconds=LOCAL_BUILD_STARTS_SECONDS if session.local else BUILD_STARTS_SECONDS)
    is_new = datetime.now(timezone.utc) - changed < patience
    if not is_new or any(entry.package == package["ModelPackageArn"] for entry in entries):
        return None
    session.console.line(f"Version {package['ModelPackageVersion']} was approved just now: its deployment is awaited.")
    return stage
