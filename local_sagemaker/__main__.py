"""The command line of local SageMaker: `python -m local_sagemaker --help`."""

import argparse
import gc
import logging
import os
import shlex
import sqlite3
import sys
from datetime import datetime
from pathlib import Path

from local_sagemaker import configuration
from local_sagemaker.client import lifecycle, sdk_defaults
from local_sagemaker.client.sdk_redirection import SITE
from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.http.visitors import WARNING, is_loopback

CONSOLE_SCRIPT = "local-sagemaker"


def main(arguments: list[str] | None = None, handlers: Path | None = None) -> int:
    """Run one command; the exit code is 0, or 1 for an error or faults, or 3 where `status` finds no server.

    `run` has exit codes of its own, see run_definition. A server that `up` starts has these `handlers`, unless the
    environment sets others.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.command == "check":
            return _check(options.file)
        if options.command == "operations":
            return _operations()
        _put_into_environment(options)
        if options.command == "image":
            return _image(options, configuration.configured_state(options.state))
        if options.command == "run":
            return _run(options.file, options.parameters, options.state)
        if options.command in ("doctor", "backup", "restore"):
            return _care(options, configuration.configured_state(options.state))
        return run(options.command, options.state, getattr(options, "force", False), handlers)
    except LocalSageMakerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if options.command == "run" else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=CONSOLE_SCRIPT if Path(sys.argv[0]).name == CONSOLE_SCRIPT else "python -m local_sagemaker",
        description="SageMaker on this machine: pipelines, jobs, registry and endpoints without an AWS account.",
        epilog="Any AWS client reaches it with AWS_ENDPOINT_URL=http://127.0.0.1:5599 and any credentials. "
        "SAGEMAKER_LOCAL_PORT changes the port, SAGEMAKER_LOCAL_STATE the folder of the state, "
        "SAGEMAKER_LOCAL_HANDLERS the handlers file, "
        "SAGEMAKER_LOCAL_TIME_SCALE how much faster waits and alarm periods pass, "
        "SAGEMAKER_LOCAL_ADDRESS the address.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("up", "start the server in the background if it is not running"),
        ("down", "stop the server; its state is kept"),
        ("status", "show whether the server runs, and where its state is"),
        ("env", 'print the exports that clients of the server need: eval "$(python -m local_sagemaker env)"'),
        ("serve", "run the server in the foreground"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        _add_server_options(command, starts=name in ("up", "serve"))
        if name == "down":
            command.add_argument("--force", action="store_true", help="stop it even if its state is in another folder")
    _add_state_commands(commands)
    _add_definition_commands(commands)
    _add_image_commands(commands)
    return parser


def _add_state_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "report damage in the state; exit code 0 if there is none, 1 if there is some"
    doctor = commands.add_parser("doctor", help=text, description=text)
    doctor.add_argument(
        "--repair", action="store_true", help="put damaged pieces aside, and restore those that fit again"
    )
    doctor.add_argument("--export", type=Path, metavar="FOLDER", help="write the pieces that were put aside as files")
    doctor.add_argument("--forget", action="store_true", help="delete the pieces that were put aside")
    text = "write the state to one file; the server may be running"
    backup = commands.add_parser("backup", help=text, description=text)
    backup.add_argument("file", type=Path, help="the tar archive to create")
    text = "create a state folder from a backup"
    restore = commands.add_parser("restore", help=text, description=text)
    restore.add_argument("file", type=Path, help="a file that `backup` wrote")
    for command in (doctor, backup, restore):
        _add_server_options(command, starts=False)


def _add_image_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "environments for images whose framework this one lacks; they are kept in the state folder"
    images = commands.add_parser("image", help=text, description=text).add_subparsers(dest="action", required=True)
    text = "make an environment with the packages that the image's tag tells, by pip"
    adder = images.add_parser("add", help=text, description=text)
    adder.add_argument("image", metavar="URI", help="the image")
    adder.add_argument("packages", metavar="PACKAGE", nargs="*", help="further packages, or their versions, as for pip")
    text = "name the images that have an environment, and its packages"
    lister = images.add_parser("list", help=text, description=text)
    text = "delete the environment of an image"
    remover = images.add_parser("remove", help=text, description=text)
    remover.add_argument("image", metavar="URI", help="the image")
    for command in (adder, lister, remover):
        _add_server_options(command, starts=False)


def _image(options: argparse.Namespace, state: Path) -> int:
    from local_sagemaker.processes.image_environments import ImageEnvironments

    environments = ImageEnvironments(state)
    if options.action == "remove":
        environments.remove(options.image)
        print(f"{options.image} has no environment any more.")
        return 0
    found = [environments.add(options.image, options.packages)] if options.action == "add" else environments.all()
    for each in found:
        print(f"{each.image}: Python {each.python}, {', '.join(each.packages)}")
    return 0


def _operations() -> int:
    from local_sagemaker.api.operations import page

    print(page(), end="")
    return 0


def _add_definition_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "list the operations of SageMaker that are supported, and those that are not"
    commands.add_parser("operations", help=text, description=text)
    text = (
        "report every fault of a pipeline definition, offline, and limits of AWS that it exceeds as warnings; "
        "exit code 0 if there is no fault, 1 if there are faults"
    )
    checker = commands.add_parser("check", help=text, description=text)
    checker.add_argument("file", type=Path, help="the definition, a JSON file")
    text = (
        "run a pipeline definition to its end, on the running server or a new one; exit code 0 if it succeeded, "
        "1 if it failed, 2 if it was not started (faults, a wrong parameter, no server), 3 if it was stopped (Ctrl-C)"
    )
    runner = commands.add_parser("run", help=text, description=text)
    runner.add_argument("file", type=Path, help="the definition, a JSON file; the pipeline gets its name")
    runner.add_argument("-p", dest="parameters", metavar="NAME=VALUE", action="append", default=[], help="a parameter")
    _add_server_options(runner, starts=True)


def _put_into_environment(options: argparse.Namespace) -> None:
    """What the options say goes where the variables of the same meaning are read from, in child processes too."""
    if options.port:
        os.environ["SAGEMAKER_LOCAL_PORT"] = str(options.port)
    if getattr(options, "address", None):
        os.environ["SAGEMAKER_LOCAL_ADDRESS"] = options.address
    if getattr(options, "time_scale", None):
        os.environ["SAGEMAKER_LOCAL_TIME_SCALE"] = options.time_scale
    if getattr(options, "handlers", None):
        os.environ["SAGEMAKER_LOCAL_HANDLERS"] = str(options.handlers.absolute())
    if getattr(options, "enforce_iam", False):
        os.environ["SAGEMAKER_LOCAL_ENFORCE_IAM"] = "1"
    if getattr(options, "record_calls", None):
        os.environ["SAGEMAKER_LOCAL_CALLS"] = str(options.record_calls.absolute())


def _add_server_options(command: argparse.ArgumentParser, starts: bool) -> None:
    command.add_argument("--state", type=Path, default=Path(".sagemaker"), help="folder of the state")
    command.add_argument(
        "--port",
        type=_port,
        metavar="PORT",
        help="port on 127.0.0.1 (default 5599, or a free port if another project uses 5599)",
    )
    if starts:
        command.add_argument("--handlers", type=Path, help="Python file with the dictionary HANDLERS")
        command.add_argument(
            "--time-scale",
            metavar="N",
            help="waits of deployments and periods of alarms pass N times faster (default 1); requests stay the same",
        )
        command.add_argument(
            "--address", help="address to listen on (default 127.0.0.1: only this machine can reach it)"
        )
        text = "refuse calls that IAM policies do not allow; SAGEMAKER_LOCAL_ROLE is the clients' role"
        command.add_argument("--enforce-iam", action="store_true", help=text)
        text = "write every call to a file, with its caller and the IAM permissions that it needs"
        command.add_argument("--record-calls", type=Path, metavar="FILE", help=text)


def _port(text: str) -> int:
    try:
        return configuration.port_number(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number, 1 to 65535") from None


def run(command: str, state: Path, force: bool = False, handlers: Path | None = None) -> int:
    """One of the commands that are about the server."""
    port, address = configuration.configured_port(state), configuration.configured_address()
    if command == "up" and not is_loopback(address):  # `serve` says it in its log
        print(f"warning: {WARNING.format(address=address)}", file=sys.stderr)
    if command == "serve":
        return _serve(configuration.configured_state(state), port)
    if command == "up":
        server = lifecycle.up(state, handlers=handlers)
        if server.port != port:
            print(f"Another project uses port {port}: this one uses {server.port} from now on.", file=sys.stderr)
        print(f"Local SageMaker runs on {server.url} (process {server.pid}), state in {server.state}.")
        _warn(server)
    elif command == "env":
        _print_environment(port)
    elif command == "down":
        stopped = lifecycle.down(port, configuration.configured_state(state), force)
        print(f"Local SageMaker on port {port} stopped." if stopped else f"No local SageMaker on port {port}.")
    else:
        found = lifecycle.find(port, configuration.configured_state(state))
        if found is None:
            print(f"No local SageMaker on port {port}.")
            return 3
        since = datetime.fromtimestamp(found.started).strftime("%Y-%m-%d %H:%M:%S")
        print(f"Local SageMaker runs on {found.url} (process {found.pid}) since {since}, state in {found.state}.")
        _refuse_lost(found)
        _warn(found)
    return 0


def _warn(server: lifecycle.Server) -> None:
    if server.warning:
        print(f"warning: {server.warning}", file=sys.stderr)


def _care(options: argparse.Namespace, state: Path) -> int:
    """One of the commands that are about the state."""
    if options.command == "doctor":
        from local_sagemaker.state.doctor import Orders, doctor

        return doctor(state, Orders(options.repair, options.export, options.forget))
    from local_sagemaker.state.backup import backup, restore

    if options.command == "backup":
        print(f"{options.file}: {backup(state, options.file)} bytes, the state of {state}.")
    else:
        restore(options.file, state)
        print(f"{state} has the state of {options.file}: start it with `up`.")
    return 0


def _run(file: Path, parameters: list[str], state: Path) -> int:
    # What is loaded first, botocore and its model of the API, stays to the end. Python need not look for garbage in it,
    # neither now nor at the exit: that is a seventh of a short run. run_definition puts it aside and looks again.
    gc.disable()
    try:
        from local_sagemaker.client.run_definition import run_definition

        return run_definition(file, _text(file), parameters, state)
    finally:
        gc.enable()


def _print_environment(port: int) -> None:
    server = lifecycle.find(port)
    if server is None:
        raise LocalSageMakerError(f"No local SageMaker on port {port}: start it with `up`.")
    _refuse_lost(server)
    variables = lifecycle.client_environment(port)
    variables[sdk_defaults.VARIABLE] = str(sdk_defaults.write(server.state, variables["AWS_REGION"]))
    path = [str(SITE), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    variables["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(path))
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")


def _refuse_lost(server: lifecycle.Server) -> None:
    if server.lost:
        raise LocalSageMakerError(f"The state folder {server.state} was removed while it ran: `up` starts it again.")


def _check(file: Path) -> int:
    from local_sagemaker.definition.check import check

    text = _text(file)
    faults = check(text)
    for fault in faults:
        print(f"warning: {fault}" if fault.only_on_aws else str(fault))
    refused = any(not fault.only_on_aws for fault in faults)
    if not refused:
        for lack in _unanswered(text):
            print(f"warning: local SageMaker does not support {lack}")
        print("no faults")
    return 1 if refused else 0


def _unanswered(text: str) -> list[str]:
    """The queries of a definition without faults that no handler of the environment answers."""
    if "DatasetDefinition" not in text:
        return []
    from local_sagemaker.definition.definition import parse
    from local_sagemaker.handlers.handlers import Handlers
    from local_sagemaker.jobs.queries import queries

    file = configuration.configured_handlers()
    keys = (Handlers.load(file) if file else Handlers()).commands
    steps = [step for step in parse(text).steps.values() if step.type == "Processing"]
    lacks = [query.lack(keys, step.name) for step in steps for query in queries(step.arguments)]
    return [lack for lack in lacks if lack]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise LocalSageMakerError(f"{file} cannot be read: {error.strerror}. Name a JSON file.") from None
    except UnicodeDecodeError:
        raise LocalSageMakerError(f"{file} is not UTF-8 text. Name a JSON file.") from None


def _serve(state: Path, port: int) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("local_sagemaker").setLevel(logging.INFO)
    region = configuration.configured_region()
    os.environ.setdefault("AWS_DEFAULT_REGION", region)
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalSageMakerError(
            f"The state folder {state} cannot be created ({error.strerror}): name another."
        ) from None
    from local_sagemaker.http.server import serve

    try:
        serve(state, port, region, configuration.configured_address())
    except sqlite3.OperationalError as error:
        text = f"The state folder {state} cannot be used ({error}): make room, or fix it."
        raise LocalSageMakerError(text) from None
    except sqlite3.DatabaseError as error:
        text = f"{state / 'state.db'} is damaged ({error}): `local doctor --repair` keeps what can be read."
        raise LocalSageMakerError(text) from None
    return 0


if __name__ == "__main__":
    sys.exit(main())
