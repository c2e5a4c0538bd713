"""rollback and withdraw: an endpoint goes back to what it served before."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from command_line.deployment_history import Following, entry_of, recorded
from command_line.guarded_deployment import scaled_of
from command_line.life_cycles import enter, versions_of
from command_line.steering import back_from_shift
from deployment.life_cycle import IN_SERVICE, ROLLED_BACK

if TYPE_CHECKING:
    from command_line.session import Session
    from deployment.rollback import RolledBack


def rollback(session: "Session", options: argparse.Namespace) -> None:
    """rollback; a weighted shift that nobody drives any more is taken back, which is all unless a version is named"""
    from deployment.packages import describe_package
    from deployment.rollback import RolledBack

    console, endpoint = session.console, session.endpoint(options.stage)
    with session.alone(endpoint, Following(session, options.stage).look):
        shift = back_from_shift(session, options.stage)
        if shift is None or options.to is not None:
            outcome = _roll_back(session, options.stage, options.to)
        else:
            versions = {describe_package(session.client("sagemaker"), arn) for arn in versions_of(session, endpoint)}
            numbers = tuple(sorted(package.version for package in versions if package is not None))
            outcome = RolledBack(endpoint, shift.config, shift.previous, numbers)
    if console.json_output:
        console.document(asdict(outcome))
        return
    console.line(_sentence(outcome), style="green")


def _roll_back(session: "Session", stage: str, version: str | None = None) -> "RolledBack":
    """Roll an endpoint back, with its lock held, and write down where the versions are now."""
    from deployment.history import SERVES
    from deployment.packages import describe_package
    from deployment.rollback import Rollback

    sagemaker, endpoint = session.client("sagemaker"), session.endpoint(stage)
    scaled = scaled_of(session.settings, stage, endpoint, session.client)
    moving = Rollback(sagemaker, endpoint, session.waiting, session.console.line, session.log(endpoint), scaled)
    before = versions_of(session, endpoint)
    target = moving.target(version)
    package = describe_package(sagemaker, target.packages[0])
    if package is None:
        raise RuntimeError(f"{target.packages[0]} was deleted just now")
    with recorded(session, entry_of(session, stage, "rollback", package, config=target.config.name)) as recording:
        recording.begins()
        outcome = moving.run(target)
        recording.end(SERVES, result="rolled back to")
    now = versions_of(session, endpoint)
    enter(session, stage, now, IN_SERVICE, f"on {endpoint}, after a rollback")
    enter(session, stage, before - now, ROLLED_BACK, f"on {endpoint}")
    return outcome


def _sentence(outcome: "RolledBack") -> str:
    versions = ", ".join(map(str, outcome.versions))
    return f"{outcome.endpoint} serves version {versions} again ({outcome.config}); it left {outcome.left}."


def withdraw(session: "Session", options: argparse.Namespace) -> None:
    """withdraw: where a version that is not approved any more serves, what is still approved serves again."""
    from deployment.errors import DeploymentError
    from deployment.packages import APPROVED, describe_package

    sagemaker, arn, console = session.client("sagemaker"), _arn(session, options.model_package), session.console
    package = describe_package(sagemaker, arn)
    if package is not None and package.approval == APPROVED:
        console.line(f"Version {package.version} is Approved by now: it keeps serving where it does.")
        return
    stages = [options.stage] if options.stage else list(session.settings.stages)
    documents, left = [], []
    for stage in stages:
        document = _withdraw_from(session, stage, arn)
        documents.append(document)
        if document["left_because"]:
            left.append(f"{stage}: {document['left_because']}")
    if console.json_output:
        console.document(documents)
    if left:
        raise DeploymentError(f"A version that is not approved is still serving. {' '.join(left)}")


def _withdraw_from(session: "Session", stage: str, arn: str) -> dict[str, Any]:
    """What became of one stage: what it serves, and why a version that is not approved was left there."""
    from deployment.endpoint import describe_endpoint, wait_until_settled
    from deployment.errors import DeploymentError

    endpoint, console = session.endpoint(stage), session.console
    document: dict[str, Any] = {"stage": stage, "endpoint": endpoint, "rolled_back_to": None, "left_because": None}
    if describe_endpoint(session.client("sagemaker"), endpoint) is None:
        return document
    with session.alone(endpoint, Following(session, stage).look):
        back_from_shift(session, stage)
        wait_until_settled(session.client("sagemaker"), endpoint, session.waiting, console.line)
        if arn not in versions_of(session, endpoint):
            console.line(f"{endpoint} does not serve version {arn.rpartition('/')[2]}: nothing to do.")
            return document
        try:
            outcome = _roll_back(session, stage)
        except DeploymentError as error:
            document["left_because"] = str(error)
            return document
    console.line(_sentence(outcome), style="green")
    return {**document, "rolled_back_to": outcome.config}


def _arn(session: "Session", name: str) -> str:
    from pipelines.versions.registry import find_version

    return name if name.startswith("arn:") else find_version(session.client("sagemaker"), session.settings.name, name)
