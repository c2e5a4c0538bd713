"""A process that has imported what the commands import, and forks for each of them.

Started as `python server.py ADDRESS ROOT`; it ends when its standard input does. A command has the arguments, the
folder, the environment and the three streams of the client, and ends when the client does.
"""

import atexit
import gc
import importlib
import marshal
import os
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
from functools import cache

import boto3

COMMANDS = ("command_line.pipeline_commands", "command_line.deployment_commands")
PIPELINES = ("pipelines.definition.training", "pipelines.definition.monitoring", "pipelines.definition.validation")
# What the commands make clients of.
SERVICES = ("sagemaker", "sagemaker-runtime", "s3", "sts", "iam", "logs", "events", "cloudwatch", "lambda")
REGION = "us-east-1"


def main(address: str, root: str) -> None:
    """Import, then run commands until the one that started this is gone."""
    sys.path[0] = root
    import_project()
    share_service_models()
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the keepers
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                keep(connection)
            connection.close()


def import_project() -> None:
    """The commands of the folder that comes first on the path, and the SDK as they import it."""
    for module in COMMANDS:
        importlib.import_module(module)
    from pipelines.definition.offline_session import offline_session
    from pipelines.settings.environment import Environment

    with offline_session(Environment(REGION, "arn:aws:iam::000000000000:role/any", "any")):
        for module in PIPELINES:
            importlib.import_module(module)
    # Clients that the imports made of this environment: a command makes them of its own.
    from sagemaker.core.utils.utils import SingletonMeta

    SingletonMeta._instances.clear()
    boto3.DEFAULT_SESSION = None


def share_service_models() -> None:
    """Read the services' models once, instead of once in each command."""
    import botocore.loaders
    import botocore.session

    botocore.session.create_loader = cache(botocore.loaders.create_loader)
    session = botocore.session.get_session()
    for service in SERVICES:
        session.create_client(service, region_name=REGION, aws_access_key_id="any", aws_secret_access_key="any")


def keep(connection: socket.socket) -> None:
    """Run one command; tell the client its exit code, or end it when the client has gone."""
    head, descriptors, _, _ = socket.recv_fds(connection, 8, 3)
    request = b""
    while len(request) < int.from_bytes(head, "big"):
        request += connection.recv(65536)
    pid = os.fork()
    if pid == 0:
        connection.close()
        become(descriptors, *marshal.loads(request))
        return
    ended = os.pidfd_open(pid)
    ready, _, _ = select.select([connection, ended], [], [])
    if ended not in ready:  # the client is gone
        os.kill(pid, signal.SIGKILL)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    connection.sendall(str(code if code >= 0 else 128 - code).encode())
    os._exit(0)


def become(descriptors: list[int], words: list[str], folder: str, environment: dict[str, str]) -> None:
    """Turn this process into the command, and end as it does."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    code = 0
    try:
        run(words, folder)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    # What an interpreter does at its end, except that it takes no module apart, which needs as long as a command.
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)


def run(words: list[str], folder: str) -> None:
    """Run a script or a module with its arguments."""
    if words[0] == "-m":
        sys.path[0] = folder
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = os.path.dirname(os.path.abspath(words[0]))
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
