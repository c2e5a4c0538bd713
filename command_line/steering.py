"""abort, pause and resume: what a person wants of a deployment that is under way."""

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from command_line.deployment_history import Following
from command_line.guarded_deployment import alarm_clients

if TYPE_CHECKING:
    from command_line.session import Session
    from deployment.live_shift import LiveShift


def abort(session: "Session", options: argparse.Namespace) -> None:
    """abort"""
    from deployment.alarms import DeploymentAlarms
    from deployment.endpoint import describe_endpoint, wait_until_settled
    from deployment.errors import DeploymentError
    from deployment.live_shift import live_shift

    endpoint, sagemaker = session.endpoint(options.stage), session.client("sagemaker")
    shift = live_shift(sagemaker, endpoint)
    if shift is not None:
        _abort_shift(session, options.stage, shift)
        return
    config = _pending(describe_endpoint(sagemaker, endpoint))
    if config is None:
        raise DeploymentError(f"No update of {endpoint} is under way: there is nothing to abort.")
    alarms = DeploymentAlarms(alarm_clients(session.client), endpoint, config)
    alarms.roll_back("Aborted from the command line.")
    after = wait_until_settled(sagemaker, endpoint, session.waiting, session.console.line) or {}
    if session.holder(endpoint) is None:  # else whoever deploys reads in them why, and removes them
        alarms.remove()
    _show_aborted(session, endpoint, config, after.get("EndpointConfigName"))


def _abort_shift(session: "Session", stage: str, shift: "LiveShift") -> None:
    """Whoever drives the shift takes it back; where nobody does, this does it."""
    from deployment.endpoint import describe_endpoint
    from deployment.live_shift import steer
    from deployment.weighted import ABORTED

    endpoint, sagemaker = session.endpoint(stage), session.client("sagemaker")
    steer(sagemaker, shift, ABORTED)
    with session.alone(endpoint, Following(session, stage).look):
        back_from_shift(session, stage)
    after = describe_endpoint(sagemaker, endpoint) or {}
    _show_aborted(session, endpoint, shift.following, after.get("EndpointConfigName"))


def back_from_shift(session: "Session", stage: str) -> "LiveShift | None":
    """Take back the shift of a stage, that nobody drives, as the lock is held here; None where there was none to."""
    from deployment.history import ROLLED_BACK, UNDER_WAY, now
    from deployment.live_shift import forget_shifts, live_shift, take_back

    endpoint, sagemaker = session.endpoint(stage), session.client("sagemaker")
    shift = live_shift(sagemaker, endpoint)
    if shift is None:
        return None
    returned = take_back(sagemaker, shift, session.waiting, session.console.line)
    forget_shifts(sagemaker, alarm_clients(session.client), endpoint)
    if not returned:
        return None
    session.console.line(f"The shift to version {shift.version} is taken back.")
    history = session.history(endpoint)
    entry = history.newest()
    if entry is not None and entry.outcome == UNDER_WAY:
        history.write(replace(entry, outcome=ROLLED_BACK, reason="It was cut off and taken back.", ended=now()))
    return shift


def _show_aborted(session: "Session", endpoint: str, left: str, serving: str | None) -> None:
    from deployment.errors import DeploymentError

    if serving == left:
        raise DeploymentError(f"The update of {endpoint} to {left} ended before it could be aborted: roll it back.")
    session.console.line(f"{endpoint} serves {serving}; {left} was rolled back.")
    if session.console.json_output:
        session.console.document({"endpoint": endpoint, "config": serving, "left": left})


def pause(session: "Session", options: argparse.Namespace) -> None:
    """pause"""
    from deployment.live_shift import steer
    from deployment.weighted import PAUSED

    shift = _steerable(session, options.stage, "pause")
    steer(session.client("sagemaker"), shift, PAUSED)
    _show_steered(session, shift, PAUSED)
    if session.console.json_output:
        return
    driven = session.holder(shift.endpoint) is not None
    watched = ", and the alarms are still watched" if driven else ""
    again = session.command("deploy_model.py", "resume")
    session.console.line(f"{shift.endpoint} keeps its weights{watched}: `{again} --stage {options.stage}` goes on.")
    if not driven:
        _show_nobody(session, options.stage, shift, "watches its alarms", "watches them")


def resume(session: "Session", options: argparse.Namespace) -> None:
    """resume; where the process that took the steps has died, it says what takes them."""
    from deployment.live_shift import steer
    from deployment.weighted import RUNS

    shift = _steerable(session, options.stage, "resume")
    steer(session.client("sagemaker"), shift, RUNS)
    _show_steered(session, shift, RUNS)
    if session.holder(shift.endpoint) is None and not session.console.json_output:
        _show_nobody(session, options.stage, shift, "takes its steps", "goes on with it")


def _show_nobody(session: "Session", stage: str, shift: "LiveShift", does: str, again: str) -> None:
    command = session.command("deploy_model.py", f"deploy --model-package {shift.version} --stage {stage}")
    session.console.line(f"Nobody {does}: the process that did has ended. `{command}` {again}.")


def _steerable(session: "Session", stage: str, what: str) -> "LiveShift":
    """The shift of a stage; DeploymentError with the reason where nothing is under way, or something else."""
    from deployment.endpoint import describe_endpoint
    from deployment.errors import DeploymentError
    from deployment.live_shift import control, live_shift
    from deployment.weighted import ABORTED

    endpoint, sagemaker = session.endpoint(stage), session.client("sagemaker")
    shift = live_shift(sagemaker, endpoint)
    if shift is not None:
        if control(sagemaker, shift) == ABORTED:
            raise DeploymentError(f"The shift of {endpoint} was aborted and is being taken back: it cannot {what}.")
        return shift
    strategy = session.settings.stages[stage].deployment.strategy
    pending = _pending(describe_endpoint(sagemaker, endpoint))
    where = f"No shift of {endpoint} is under way" if pending is None else f"SageMaker itself updates {endpoint}"
    if strategy == "weighted":
        raise DeploymentError(f"{where}: there is nothing to {what}.")
    raise DeploymentError(
        f"{where}, and the strategy of {stage} is {strategy}: SageMaker takes its steps and has no operation that "
        f"pauses them, so {what} is of the strategy weighted only. `abort` rolls back."
    )


def _show_steered(session: "Session", shift: "LiveShift", state: str) -> None:
    from deployment.weighted import PAUSED

    if session.console.json_output:
        session.console.document({"endpoint": shift.endpoint, "version": shift.version, "state": state})
        return
    words = "is paused" if state == PAUSED else "goes on"
    session.console.line(f"The shift of {shift.endpoint} to version {shift.version} {words}.")


def _pending(description: Any) -> str | None:
    found: str | None = (description or {}).get("PendingDeploymentSummary", {}).get("EndpointConfigName")
    return found
