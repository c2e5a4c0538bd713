"""The command line of local SageMaker: `python -m local_sagemaker up | down | status | serve | check`."""

import argparse
import logging
import os
import sys
from datetime import datetime
from pathlib import Path

from local_sagemaker import lifecycle
from local_sagemaker.errors import LocalSageMakerError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is 0, or 1 for an error or faults, or 3 where `status` finds no server."""
    parser = argparse.ArgumentParser(
        prog="python -m local_sagemaker",
        description="SageMaker on this machine: pipelines, jobs, registry and endpoints without an AWS account.",
        epilog="Any AWS client reaches it with AWS_ENDPOINT_URL=http://127.0.0.1:5599 and any credentials. "
        "SAGEMAKER_LOCAL_PORT changes the port, SAGEMAKER_LOCAL_STATE the folder of the state.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("up", "start the server in the background, unless it runs"),
        ("down", "stop the server; its state stays"),
        ("status", "say whether it runs, and where its state is"),
        ("serve", "run the server in the foreground"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--state", type=Path, default=Path(".sagemaker"), help="folder of the state")
        command.add_argument("--port", type=int, help="port on 127.0.0.1 (default 5599)")
    text = (
        "name every fault of a pipeline definition, offline, and as warnings the limits of AWS that it breaks; "
        "exit code 0 if there is no fault, 1 if there are faults"
    )
    checker = commands.add_parser("check", help=text, description=text)
    checker.add_argument("file", type=Path, help="the definition, a JSON file")
    options = parser.parse_args(arguments)
    try:
        if options.command == "check":
            return _check(options.file)
        if options.port:
            os.environ["SAGEMAKER_LOCAL_PORT"] = str(options.port)
        return run(options.command, options.state)
    except LocalSageMakerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def run(command: str, state: Path) -> int:
    """One of the four commands that are about the server."""
    port = lifecycle.configured_port()
    if command == "serve":
        return _serve(lifecycle.configured_state(state), port)
    if command == "up":
        server = lifecycle.up(state)
        print(f"Local SageMaker runs on {server.url} (process {server.pid}), state in {server.state}.")
    elif command == "down":
        stopped = lifecycle.down(port)
        print(f"Local SageMaker on port {port} stopped." if stopped else f"No local SageMaker on port {port}.")
    else:
        found = lifecycle.find(port)
        if found is None:
            print(f"No local SageMaker on port {port}.")
            return 3
        since = datetime.fromtimestamp(found.started).strftime("%Y-%m-%d %H:%M:%S")
        print(f"Local SageMaker runs on {found.url} (process {found.pid}) since {since}, state in {found.state}.")
    return 0


def _check(file: Path) -> int:
    from local_sagemaker.engine.check import check

    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise LocalSageMakerError(f"{file} cannot be read: {error.strerror}. Name a JSON file.") from None
    except UnicodeDecodeError:
        raise LocalSageMakerError(f"{file} is not a text in UTF-8. Name a JSON file.") from None
    faults = check(text)
    for fault in faults:
        print(f"warning: {fault}" if fault.only_on_aws else str(fault))
    refused = any(not fault.only_on_aws for fault in faults)
    if not refused:
        print("no faults")
    return 1 if refused else 0


def _serve(state: Path, port: int) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("local_sagemaker").setLevel(logging.INFO)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or lifecycle.DEFAULT_REGION
    os.environ.setdefault("AWS_DEFAULT_REGION", region)
    state.mkdir(parents=True, exist_ok=True)
    from local_sagemaker.server import serve

    serve(state, port, region)
    return 0


if __name__ == "__main__":
    sys.exit(main())
