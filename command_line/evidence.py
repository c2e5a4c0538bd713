"""`aws-evidence`: a redacted record of one run, and the table of docs/aws.md that reads it."""

from argparse import Namespace
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from command_line.account_check import instances_wanted, stage_of
from command_line.context import Context, write_output
from command_line.guarded_deployment import asking, golden_of
from command_line.identity import who_am_i
from command_line.stages import no_stage
from pipelines.errors import PipelineError
from pipelines.exit_codes import EXIT_OK
from pipelines.settings.environment import Environment

SHORTEST_SECRET = 16  # characters of a key of AWS; those for local SageMaker are not secrets
LOCAL_OUTPUT = Path("reports") / "local_evidence.json"


def write_evidence(context: Context, options: Namespace) -> int:
    """aws-evidence"""
    from infrastructure.account_check import quota_name
    from infrastructure.evidence.observations import Run
    from infrastructure.evidence.promises import ON_AWS, PROMISES, RECORDS, seen_by
    from infrastructure.evidence.record import record, text_of
    from pipelines.watching.executions import resolve

    settings, environment = context.settings, context.environment
    stage = options.stage or settings.approval_stage or next(iter(settings.stages), None)
    if stage not in settings.stages:
        raise PipelineError(no_stage(stage, settings.stages))
    execution = resolve(context.sagemaker, context.pipeline_name, options.execution)
    endpoint = f"{settings.name}-{stage}"
    run = Run(
        client=cache(context.client),
        project=settings.name,
        stage=stage_of(environment.role_arn, settings.name),
        execution=execution,
        endpoint=endpoint,
        history=_history(context, endpoint),
        golden=lambda arn: _golden(context, endpoint, arn),
        quotas=[quota_name(use, kind) for use, kind in instances_wanted(settings)],
    )
    written = record(run, environment.region, _known(context, environment))
    path: Path = options.output or _default_output(context, written, RECORDS)
    write_output(path, text_of(written))
    console = context.console
    console.line(f"Written: {path}, {written['note']}")
    for promise in seen_by(written):
        console.line(f"  seen: {promise.text} ({written['seen'][str(promise.observed)]})")
    for promise in PROMISES:
        if promise.observed and promise.observed not in written["seen"]:
            why = written["unanswered"].get(promise.observed)
            console.line(f"  not seen: {promise.text}" + (f" ({why})" if why else ""), style="dim")
    if written["where"] == ON_AWS and path.parent.resolve() == RECORDS:
        _rewrite_page()
        console.line("docs/aws.md says so now: look at both, and commit them.")
    elif written["where"] != ON_AWS:
        console.line("A record of local SageMaker changes nothing in docs/aws.md.")
    return EXIT_OK


def _rewrite_page() -> None:
    from infrastructure.evidence import promises

    promises.main()


def _default_output(context: Context, written: Mapping[str, Any], records: Path) -> Path:
    from infrastructure.evidence.promises import ON_AWS

    if written["where"] != ON_AWS:
        LOCAL_OUTPUT.parent.mkdir(exist_ok=True)
        return LOCAL_OUTPUT
    return records / f"{written['date']}-{context.pipeline}.json"


def _history(context: Context, endpoint: str) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from deployment.history import History

    history = History(context.client("s3"), context.environment.bucket, context.settings.name, endpoint)
    return [asdict(entry) for entry in history.entries()]


def _golden(context: Context, endpoint: str, package_arn: str) -> int | None:
    """How many golden rows the endpoint answered as the evaluation did; None where one was answered otherwise."""
    from deployment.golden import GoldenCheck

    golden = golden_of(context.client, package_arn)
    if golden is None:
        return None
    check = GoldenCheck(golden, asking(context.client("sagemaker-runtime"), endpoint))
    while not check.done:
        check.send(alone=True)
    return check.answered if check.fault is None else None


def _known(context: Context, environment: Environment) -> dict[str, str]:
    """What is known of the account and may not be shown, and what each is; other things are found by their form."""
    import boto3

    found = {environment.bucket: "bucket", environment.role_arn.split(":")[4]: "account"}
    found |= dict.fromkeys((*environment.subnets, *environment.security_group_ids), "network")
    for role in filter(None, (environment.role_arn, environment.serving_role_arn)):
        found |= {role: "role", role.rpartition("/")[2]: "role"}
    if environment.kms_key:
        found |= {environment.kms_key: "key", environment.kms_key.rpartition("/")[2]: "key"}
    found[who_am_i(context.client("sts"))] = "person"
    credentials = boto3.Session().get_credentials()
    for secret in (credentials.access_key, credentials.secret_key, credentials.token) if credentials else ():
        if len(secret or "") >= SHORTEST_SECRET:
            found[secret] = "secret"
    return found
