"""deploy and promote: bring a version to a stage, one command at a time, and keep what became of it."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from command_line.deployment_history import Following, entry_of, raise_outcome, recorded
from command_line.life_cycles import enter, require_four_eyes, require_second_person, versions_of
from command_line.removing import no_removal_of_nothing, removal_request, removes_itself
from command_line.reserve import require_reserve
from deployment.life_cycle import IN_SERVICE, REPLACED

if TYPE_CHECKING:
    from command_line.session import Session
    from deployment.deploy import Deployed
    from deployment.packages import Package
    from deployment.specification import Specification


def deploy(session: "Session", options: argparse.Namespace) -> None:
    """deploy"""
    from deployment.packages import latest_approved_package, named_package

    session.endpoint(options.stage)  # stage and sample are known before anything is asked
    sample = sample_of(session, options)
    sagemaker = session.client("sagemaker")
    approve, group = session.command("run_pipeline.py", "approve"), session.settings.name
    if options.shadow is not None:
        deploy_shadow(session, options, named_package(sagemaker, group, options.shadow, approve), sample)
        return
    if options.approved_at is not None:
        _deploy_approved(session, options, sample)
        return
    if options.latest_approved:
        package = latest_approved_package(sagemaker, group, approve)
    else:
        package = named_package(sagemaker, group, options.model_package, approve)
    _require_promotion(session, options, package)
    deploy_package(session, options, package, sample)


def _require_promotion(session: "Session", options: argparse.Namespace, package: "Package") -> None:
    """DeploymentError where the stage takes new versions by `promote` only."""
    from deployment.errors import DeploymentError

    stage = options.stage
    source = session.settings.stages[stage].promote_from
    if source is None or options.plan or package.arn in versions_of(session, session.endpoint(stage)):
        return
    served = package.arn in versions_of(session, session.endpoint(source))
    first = f"version {package.version} is there, so run" if served else f"deploy version {package.version} there, then"
    raise DeploymentError(
        f"The stage {stage} takes versions from {source} only (promote_from in the YAML): {first} "
        f"`{session.way_to(stage)}`."
    )


def sample_of(session: "Session", options: argparse.Namespace) -> Any:
    """The payload of --sample, without personal columns; None without one."""
    from deployment.personal import without_personal
    from deployment.predict import read_payload

    if not options.sample:
        return None
    return without_personal(read_payload(options.sample, None, sys.stdin.buffer), session.settings.data.personal)[0]


def _deploy_approved(session: "Session", options: argparse.Namespace, sample: Any) -> None:
    """What the event of an approval asks for, unless that is out of date."""
    from deployment.approvals import event_moment
    from deployment.errors import DeploymentError
    from deployment.packages import APPROVED, describe_package

    if options.latest_approved or options.shadow:
        raise DeploymentError("--approved-at is when one version was approved: name the version with --model-package.")
    approved_at = event_moment(options.approved_at)
    package = describe_package(session.client("sagemaker"), options.model_package)
    if package is None:
        session.console.line(f"{options.model_package} was deleted after its approval: nothing is deployed.")
    elif package.group != session.settings.name:
        raise DeploymentError(
            f"{package.arn} belongs to the group {package.group}: only {session.settings.name} is deployed here."
        )
    elif package.approval != APPROVED:
        session.console.line(f"Version {package.version} is {package.approval} by now: nothing is deployed.")
    else:
        _require_promotion(session, options, package)
        deploy_package(session, options, package, sample, approved_at)


def deploy_package(
    session: "Session",
    options: argparse.Namespace,
    package: "Package",
    sample: Any,
    approved_at: datetime | None = None,
    require: Callable[[], None] = lambda: None,
) -> None:
    """Bring a version to the stage that the options name.

    Where another process is bringing just this version there, that is followed and ends this one, too. With
    `approved_at`, an approval that is out of date changes nothing. `require` is called last of all that may refuse.
    """
    from command_line.guarded_deployment import hosting_of
    from deployment.specification import Specification

    endpoint, console = session.endpoint(options.stage), session.console
    hosting = hosting_of(session.settings, options.stage, session.environment, session.local)
    specification = Specification(endpoint, options.stage, package, hosting)
    if getattr(options, "plan", False):
        _show_plan(session, specification, options.stage)
        return
    console.line(f"Version {package.version} of {session.settings.name} to {endpoint}, {hosting.machines}")
    despite = _freeze(session, options)
    require_four_eyes(session, package)
    require_second_person(session, options.stage, package)
    require()
    following = Following(session, options.stage)
    with session.alone(endpoint, following.look):
        followed = following.ended()
        if followed is not None and followed.package == package.arn and followed.ended is not None:
            raise_outcome(followed)
        why = _out_of_date(session, endpoint, package, approved_at) if approved_at else None
        if why is not None:
            console.line(f"Nothing is deployed to {options.stage}: {why}.")
            return
        deployed = _deploy(session, specification, sample, options, approved=approved_at is not None, reason=despite)
    if followed is not None and followed.package == package.arn and followed.result:
        deployed = replace(deployed, action=followed.result)
    _show(session, deployed, package, sample)


def deploy_shadow(session: "Session", options: argparse.Namespace, shadow: "Package", sample: Any) -> None:
    """Give a version copies of the requests that the stage's version answers, which keeps serving."""
    from command_line.guarded_deployment import hosting_of
    from command_line.shadow import shadowed
    from deployment.errors import DeploymentError
    from deployment.specification import Specification

    endpoint, stage = session.endpoint(options.stage), options.stage
    hosting = hosting_of(session.settings, stage, session.environment, session.local)
    despite = "" if options.plan else _freeze(session, options)
    require_four_eyes(session, shadow)
    serving = shadowed(session, stage, endpoint, shadow, hosting)
    specification = Specification(endpoint, stage, serving, replace(hosting, shadow=shadow))
    if options.plan:
        _show_plan(session, specification, stage)
        return
    with session.alone(endpoint, Following(session, stage).look):
        if shadowed(session, stage, endpoint, shadow, hosting) != serving:
            raise DeploymentError(f"{endpoint} has just changed its version: run this again.")
        said = f"with version {shadow.version} as its shadow"
        deployed = _deploy(session, specification, sample, options, approved=False, reason=f"{said} {despite}".strip())
    _show(session, deployed, serving, sample)
    session.console.line(f"It serves {said}: `compare --stage {stage}` says how they differ.")


def _freeze(session: "Session", options: argparse.Namespace) -> str:
    """Why a freeze of the stage is passed over, empty where there is none; DeploymentError where it holds."""
    from command_line.console import moment
    from deployment.errors import DeploymentError
    from pipelines.settings.freeze_settings import frozen

    found = frozen(session.settings.stages[options.stage].freeze, datetime.now(timezone.utc))
    despite = getattr(options, "despite_freeze", None)
    if found is None:
        return ""
    end, why = found
    until = f"until {moment(end)}" if end is not None else "without an end"
    because = f" ({why})" if why else ""
    if despite:
        session.console.line(f"The stage {options.stage} is frozen {until}{because}; passed over: {despite}")
        return f"despite the freeze: {despite}"
    raise DeploymentError(
        f"The stage {options.stage} is frozen {until}{because}: no version is deployed to it. Wait, or add "
        "--despite-freeze REASON, which is kept in the history; rollback, abort and withdraw are always possible."
    )


def _out_of_date(session: "Session", endpoint: str, package: "Package", approved_at: datetime) -> str | None:
    from deployment.approvals import passed_over
    from deployment.endpoint import describe_endpoint
    from deployment.packages import describe_package
    from deployment.serving import packages_of_config

    sagemaker = session.client("sagemaker")
    found = describe_endpoint(sagemaker, endpoint) or {}
    configs = (found.get("EndpointConfigName"), found.get("PendingDeploymentSummary", {}).get("EndpointConfigName"))
    arns = {arn for config in configs if config for arn in packages_of_config(sagemaker, config)}
    serving = [describe_package(sagemaker, arn) for arn in arns]
    return passed_over(package, approved_at, serving, session.history(endpoint).entries())


def _deploy(
    session: "Session",
    specification: "Specification",
    sample: Any,
    options: argparse.Namespace,
    *,
    approved: bool,
    reason: str,
) -> "Deployed":
    """Run the deployment, with the lock held, and write down what became of it; of an approval, who approved."""
    from command_line.guarded_deployment import guarding_of, scaled_of
    from deployment.deploy import Deployment
    from deployment.history import SERVES
    from pipelines.versions.four_eyes import decider

    endpoint, stage, package = specification.endpoint, specification.stage, specification.package
    guarding = None  # a shadow changes nothing of what is answered
    if specification.hosting.shadow is None:
        guarding = guarding_of(session.settings, stage, endpoint, package.arn, session.client, session.local)
    before = versions_of(session, endpoint)
    described = session.client("sagemaker").describe_model_package(ModelPackageName=package.arn) if approved else {}
    approver = {"who": f"{decider(described)}, who approved it"} if approved and decider(described) else {}
    entry = entry_of(session, stage, options.command, package, config=specification.config_name, **approver)
    sagemaker, removal = session.client("sagemaker"), session.removal(stage)
    with recorded(session, entry) as recording, no_removal_of_nothing(sagemaker, removal):
        removal.set()  # before anything is made: what is made goes, whatever becomes of this command
        deployment = Deployment(
            sagemaker,
            specification,
            session.waiting,
            session.console.line,
            session.log(endpoint),
            guarding,
            recording.begins,
            scaled_of(session.settings, stage, endpoint, session.client),
        )
        deployed = deployment.run(session.predictor(endpoint, stage, sample) if sample else None)
        leaves = removal.set() if removal.after is not None else None
        recording.end(SERVES, reason, result=deployed.action)
    if leaves is not None:
        session.console.line(removes_itself(endpoint, leaves))
    if deployed.action != "unchanged":
        enter(session, stage, [package.arn], IN_SERVICE, f"on {endpoint}")
        enter(session, stage, before - {package.arn}, REPLACED, f"by version {package.version} on {endpoint}")
    return deployed


def _show(session: "Session", deployed: "Deployed", package: "Package", sample: Any) -> None:
    console, endpoint = session.console, deployed.endpoint
    if console.json_output:
        console.document({**asdict(deployed), "version": package.version, "model_package": package.arn})
        return
    if deployed.action == "unchanged":
        console.line(f"{endpoint} already serves version {package.version} exactly like this: nothing changed.")
    else:
        console.line(f"{endpoint} serves version {package.version} ({deployed.action}).", style="green")
    if deployed.golden_rows:
        console.line(f"{deployed.golden_rows} golden rows were answered as they were when it was evaluated.")
    if sample:
        console.line(f"{sample.name} was answered.")
    elif not deployed.golden_rows:
        console.line("Not tried with a request: --sample FILE does that.")


def _show_plan(session: "Session", specification: Any, stage: str) -> None:
    """What a deployment would send, as JSON for a script, and how long it takes."""
    from command_line.guarded_deployment import golden_of, guard_of, scaled_of
    from deployment.endpoint import describe_endpoint
    from deployment.guard import Guard
    from deployment.live_shift import live_shift
    from deployment.plan import DeploymentPlan
    from pipelines.publishing.cost_forecast import prices

    sagemaker = session.client("sagemaker")
    live = describe_endpoint(sagemaker, specification.endpoint)
    serves = live is not None and live.get("EndpointConfigName") == specification.config_name
    shift = live_shift(sagemaker, specification.endpoint)
    serving = shift.previous if shift is not None else (live or {}).get("EndpointConfigName")
    before = sagemaker.describe_endpoint_config(EndpointConfigName=serving) if serving else None
    settings = session.settings.stages[stage]
    scaled = scaled_of(session.settings, stage, specification.endpoint, session.client)
    scaling = scaled.variant.planned(specification.hosting.instance_type or None, scaled.wanted)
    guard, golden = Guard(), None
    if specification.hosting.shadow is None:
        guard, golden = guard_of(session.settings, stage), golden_of(session.client, specification.package.arn)
    model = golden.model if golden is not None else None
    plan = DeploymentPlan(specification, guard, live is None, scaling, serves, before, model)
    requests = [{"operation": operation, "request": request} for operation, request in plan.requests()]
    waits, steps = (
        settings.deployment.waits(settings.instance_count),
        settings.deployment.steps(settings.instance_count),
    )
    price = prices()["regions"].get(session.environment.region, {}).get(settings.instance_type)
    sentences = plan.sentences(waits, steps, price)
    if shift is not None:
        sentences.append(
            f"A shift to version {shift.version} is not finished: `deploy` of that version goes on with it, of another "
            "takes it back first."
        )
    removal = session.removal(stage)
    if removal.after is not None:
        requests.append(removal_request(removal))
        sentences.append(f"It removes itself {settings.remove_after} after its last deployment.")
    if session.console.json_output:
        session.console.document({"requests": requests, "wait_seconds": waits, "notes": sentences})
        return
    for each in requests:
        session.console.line(f"{each['operation']}: {json.dumps(each['request'])}")
    for sentence in sentences:
        session.console.line(sentence)


def promote(session: "Session", options: argparse.Namespace) -> None:
    """promote"""
    from command_line.guarded_deployment import guard_of
    from deployment.errors import DeploymentError
    from deployment.packages import named_package
    from deployment.promotion import Conditions, promotable

    source = session.endpoint(options.source)
    session.endpoint(options.stage)
    sample, wanted = sample_of(session, options), session.settings.stages[options.stage]
    if wanted.promote_from not in (None, options.source):
        raise DeploymentError(
            f"{options.stage} can only be promoted from {wanted.promote_from} (promote_from in the YAML)."
        )
    limits = guard_of(session.settings, options.source).limits or guard_of(session.settings, options.stage).limits
    conditions = Conditions(wanted.promote_after_minutes, wanted.promote_after_requests, limits)
    sagemaker = session.client("sagemaker")
    arn = promotable(sagemaker, session.client("cloudwatch"), source, options.source, conditions)
    approve = session.command("run_pipeline.py", "approve")
    package = named_package(sagemaker, session.settings.name, arn, approve)
    deploy_package(session, options, package, sample, require=partial(require_reserve, session, package))
