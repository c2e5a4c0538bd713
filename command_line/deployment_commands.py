"""What the commands of deploy_model.py do."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from command_line.batch import batch
from command_line.deploying import deploy, promote
from command_line.load_test import loadtest
from command_line.returning import rollback, withdraw
from command_line.shadow import compare
from command_line.stage_status import logs, status
from command_line.steering import abort, pause, resume
from command_line.version_difference import diff

if TYPE_CHECKING:
    from command_line.session import Session

ASKED = ("comparables", "reasons", "strict")  # what a request may ask for beside predictions


def predict(session: "Session", options: argparse.Namespace) -> None:
    """predict"""
    from command_line.prediction_view import prediction_lines
    from deployment.personal import without_personal
    from deployment.predict import read_payload

    endpoint, data = session.endpoint(options.stage), session.settings.data
    payload, dropped = without_personal(
        read_payload(options.file, options.content_type, sys.stdin.buffer, options.inference_id), data.personal
    )
    if dropped:
        print(f"note: {', '.join(dropped)} left out: personal columns are not sent.", file=sys.stderr)
    payload = _named(payload, data).asking([name for name in ASKED if getattr(options, name)])
    answer = session.predictor(endpoint, options.stage, payload)()
    rows, identities = answer.rows(), payload.identities(data.identity)
    if options.json or rows is None:
        print(answer.with_identities(identities).rstrip("\n"))
        return
    if len(identities) != len(rows):
        identities = [{}] * len(rows)
    for row, identity in zip(rows, identities, strict=True):
        for line in prediction_lines(row, identity, data.target, data.columns[data.target].unit):
            session.console.line(line)


def _named(payload: Any, data: Any) -> Any:
    """The payload with an inference id: the one given, or the identity of its row, if it holds one row with that."""
    from pipelines.watching.truth import identity_key

    rows = payload.identities(data.identity)
    if payload.inference_id is not None or len(rows) != 1:
        return payload
    return replace(payload, inference_id=identity_key(rows[0], data))


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
    console.line(f"{len(outcome.configs)} configurations of {endpoint} deleted, {len(outcome.kept)} kept.")


COMMANDS: dict[str, Callable[["Session", argparse.Namespace], None]] = {
    "abort": abort,
    "batch": batch,
    "compare": compare,
    "deploy": deploy,
    "diff": diff,
    "loadtest": loadtest,
    "logs": logs,
    "pause": pause,
    "predict": predict,
    "promote": promote,
    "resume": resume,
    "retire": retire,
    "rollback": rollback,
    "status": status,
    "withdraw": withdraw,
}
