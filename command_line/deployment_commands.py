"""What the commands of deploy_model.py do."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from command_line.life_cycles import enter, require_four_eyes, versions_of
from deployment.life_cycle import IN_SERVICE, REPLACED, ROLLED_BACK

if TYPE_CHECKING:
    from command_line.deployment import Session


def deploy(session: "Session", options: argparse.Namespace) -> None:
    """deploy"""
    from deployment.packages import latest_approved_package, named_package

    session.endpoint(options.stage)  # stage and sample are known before anything is asked
    sample = _sample(options)
    sagemaker = session.client("sagemaker")
    approve, group = session.command("run_pipeline.py", "approve"), session.settings.name
    if options.latest_approved:
        package = latest_approved_package(sagemaker, group, approve)
    else:
        package = named_package(sagemaker, group, options.model_package, approve)
    _deploy_package(session, options, package, sample)


def _sample(options: argparse.Namespace) -> Any:
    from deployment.predict import read_payload

    return read_payload(options.sample, None, sys.stdin.buffer) if options.sample else None


def _deploy_package(session: "Session", options: argparse.Namespace, package: Any, sample: Any) -> None:
    """Bring a version to the stage that the options name."""
    from command_line.guarded_deployment import guarding_of, hosting_of
    from deployment.deploy import Deployment
    from deployment.specification import Specification

    endpoint, console, group = session.endpoint(options.stage), session.console, session.settings.name
    hosting = hosting_of(session.settings, options.stage, session.environment, session.local)
    specification = Specification(endpoint, options.stage, package, hosting)
    if getattr(options, "plan", False):
        _show_plan(session, specification, options.stage)
        return
    console.line(f"Version {package.version} of {group} to {endpoint}, {hosting.machines}")
    guarding = guarding_of(session.settings, options.stage, endpoint, package.arn, session.client, session.local)
    deployment = Deployment(
        session.client("sagemaker"), specification, session.waiting, console.line, session.log(endpoint), guarding
    )
    require_four_eyes(session, package)
    before = versions_of(session, endpoint)
    with session.alone(endpoint):
        deployed = deployment.run(session.predictor(endpoint, options.stage, sample) if sample else None)
    if deployed.action != "unchanged":
        enter(session, options.stage, [package.arn], IN_SERVICE, f"on {endpoint}")
        enter(session, options.stage, before - {package.arn}, REPLACED, f"by version {package.version} on {endpoint}")
    if console.json_output:
        console.document({**asdict(deployed), "version": package.version, "model_package": package.arn})
        return
    if deployed.action == "unchanged":
        console.line(f"{endpoint} already serves version {package.version} in just this way: nothing changed.")
    else:
        console.line(f"{endpoint} serves version {package.version} ({deployed.action}).", style="green")
    console.line(f"{sample.name} was answered." if sample else "Not tried with a request: --sample FILE does that.")


def _show_plan(session: "Session", specification: Any, stage: str) -> None:
    """What a deployment would send, as JSON for a script, and how long it takes."""
    from command_line.guarded_deployment import guard_of
    from deployment.endpoint import describe_endpoint
    from deployment.plan import DeploymentPlan
    from pipelines.publishing.cost_forecast import prices

    live = describe_endpoint(session.client("sagemaker"), specification.endpoint)
    if live is not None and live.get("EndpointConfigName") == specification.config_name:
        session.console.line(f"{specification.endpoint} already serves {specification.config_name}: nothing to send.")
    settings = session.settings.stages[stage]
    plan = DeploymentPlan(specification, guard_of(session.settings, stage), first=live is None)
    requests = [{"operation": operation, "request": request} for operation, request in plan.requests()]
    waits, steps = (
        settings.deployment.waits(settings.instance_count),
        settings.deployment.steps(settings.instance_count),
    )
    price = prices()["regions"].get(session.environment.region, {}).get(settings.instance_type)
    sentences = plan.sentences(waits, steps, price)
    if session.console.json_output:
        session.console.document({"requests": requests, "wait_seconds": waits, "notes": sentences})
        return
    for each in requests:
        session.console.line(f"{each['operation']}: {json.dumps(each['request'])}")
    for sentence in sentences:
        session.console.line(sentence)


def promote(session: "Session", options: argparse.Namespace) -> None:
    """promote"""
    from deployment.errors import DeploymentError
    from deployment.packages import named_package
    from deployment.promotion import Conditions, promotable

    source = session.endpoint(options.source)
    session.endpoint(options.stage)
    sample, wanted = _sample(options), session.settings.stages[options.stage]
    if wanted.promote_from not in (None, options.source):
        raise DeploymentError(
            f"{options.stage} is promoted from {wanted.promote_from} only (promote_from in the YAML)."
        )
    conditions = Conditions(wanted.promote_after_minutes, wanted.promote_after_requests)
    sagemaker = session.client("sagemaker")
    arn = promotable(sagemaker, session.client("cloudwatch"), source, options.source, conditions)
    approve = session.command("run_pipeline.py", "approve")
    _deploy_package(session, options, named_package(sagemaker, session.settings.name, arn, approve), sample)


def abort(session: "Session", options: argparse.Namespace) -> None:
    """abort"""
    from deployment.alarms import DeploymentAlarms
    from deployment.endpoint import describe_endpoint, wait_until_settled
    from deployment.errors import DeploymentError

    endpoint, sagemaker = session.endpoint(options.stage), session.client("sagemaker")
    description = describe_endpoint(sagemaker, endpoint) or {}
    config = description.get("PendingDeploymentSummary", {}).get("EndpointConfigName")
    if config is None:
        raise DeploymentError(f"No update of {endpoint} is under way: there is nothing to abort.")
    alarms = DeploymentAlarms(session.client("cloudwatch"), endpoint, config)
    alarms.roll_back("Aborted from the command line.")
    after = wait_until_settled(sagemaker, endpoint, session.waiting, session.console.line) or {}
    alarms.remove()
    if after.get("EndpointConfigName") == config:
        raise DeploymentError(f"The update of {endpoint} to {config} ended before it could be aborted: roll it back.")
    session.console.line(f"{endpoint} serves {after.get('EndpointConfigName')}; {config} was rolled back.")
    if session.console.json_output:
        session.console.document({"endpoint": endpoint, "config": after.get("EndpointConfigName"), "left": config})


def predict(session: "Session", options: argparse.Namespace) -> None:
    """predict"""
    from deployment.predict import read_payload
    from pipelines.versions.evaluation_report import amount

    endpoint = session.endpoint(options.stage)
    payload = read_payload(options.file, options.content_type, sys.stdin.buffer, options.inference_id)
    payload = _named(payload, session.settings.data)
    answer = session.predictor(endpoint, options.stage, payload)()
    data = session.settings.data
    rows, identities = answer.rows(), payload.identities(data.identity)
    if options.json or rows is None:
        print(answer.with_identities(identities).rstrip("\n"))
        return
    unit, named = data.columns[data.target].unit, len(identities) == len(rows)
    for place, row in enumerate(rows):
        text = f"{' '.join(identities[place].values())}: " if named and identities[place] else ""
        text += amount(row.score, unit)
        if row.interval is not None:
            bounds = " to ".join(amount(bound, unit) for bound in row.interval)
            promised = "interval of unknown coverage" if row.coverage is None else f"{row.coverage:.0%} interval"
            text += f"  ({promised}: {bounds})"
        session.console.line(text)
        for warning in row.warnings:
            session.console.line(f"  warning: {warning}.")


def _named(payload: Any, data: Any) -> Any:
    """The payload with an inference id: the one given, or the identity of its row, if it holds one row with that."""
    from pipelines.watching.truth import identity_key

    rows = payload.identities(data.identity)
    if payload.inference_id is not None or len(rows) != 1 or len(rows[0]) != len(data.identity):
        return payload
    return replace(payload, inference_id=identity_key(rows[0], data))


def rollback(session: "Session", options: argparse.Namespace) -> None:
    """rollback"""
    from deployment.rollback import rollback as roll_back

    endpoint, console = session.endpoint(options.stage), session.console
    log = session.log(endpoint)
    before = versions_of(session, endpoint)
    with session.alone(endpoint):
        outcome = roll_back(session.client("sagemaker"), endpoint, session.waiting, console.line, log, options.to)
    now = versions_of(session, endpoint)
    enter(session, options.stage, now, IN_SERVICE, f"on {endpoint}, after a rollback")
    enter(session, options.stage, before - now, ROLLED_BACK, f"on {endpoint}")
    if console.json_output:
        console.document(asdict(outcome))
        return
    versions = ", ".join(map(str, outcome.versions))
    console.line(
        f"{endpoint} serves version {versions} again ({outcome.config}); it left {outcome.left}.", style="green"
    )


def retire(session: "Session", options: argparse.Namespace) -> None:
    """retire"""
    from deployment.retire import retire as retire_configs

    endpoint, console = session.endpoint(options.stage), session.console
    outcome = retire_configs(session.client("sagemaker"), endpoint, options.keep)
    if console.json_output:
        console.document(asdict(outcome))
        return
    for what, names in (("configuration", outcome.configs), ("model", outcome.models)):
        for name in names:
            console.line(f"Deleted the {what} {name}")
    console.line(f"{len(outcome.configs)} configurations of {endpoint} are deleted, {len(outcome.kept)} stay.")


def status(session: "Session", options: argparse.Namespace) -> None:
    """status"""
    from command_line.console import Table, moment
    from deployment.serving import stage_status
    from pipelines.watching.executions import timestamp

    sagemaker = session.client("sagemaker")
    stages = [options.stage] if options.stage else list(session.settings.stages)
    found = [stage_status(sagemaker, stage, session.endpoint(stage)) for stage in stages]
    rows = [
        (each.stage, each.endpoint, each.status, each.versions_text, moment(each.since), each.instances or "-")
        for each in found
    ]
    documents = [{**asdict(each), "since": timestamp(each.since)} for each in found]
    columns = ("STAGE", "ENDPOINT", "STATUS", "VERSION", "SINCE", "INSTANCES")
    session.console.show(Table(columns, rows, documents, "The settings have no stages."))
    for each in found:
        if each.failure_reason and not options.json:
            session.console.line(f"{each.endpoint}: {each.failure_reason}", style="red")


COMMANDS: dict[str, Callable[["Session", argparse.Namespace], None]] = {
    "abort": abort,
    "deploy": deploy,
    "predict": predict,
    "promote": promote,
    "retire": retire,
    "rollback": rollback,
    "status": status,
}
