"""What `python` is in tests that share a warm Python: a command of the project runs there, all else in a new process.

It is started for each command, so it imports little.
"""

import marshal
import os
import socket
import sys

WARM_SCRIPTS = ("run_pipeline.py", "deploy_model.py")
WARM_MODULES = ("lessons", "pipelines.sample_data")


def main(address: str, python: str) -> None:
    """Run this process's arguments and end with their exit code; `python` is the interpreter for everything else."""
    words = sys.argv[1:]
    if not is_warm(words):
        os.execv(python, [python, *words])
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        request = marshal.dumps((words, os.getcwd(), dict(os.environ)))
        socket.send_fds(connection, [len(request).to_bytes(8, "big")], [0, 1, 2])
        connection.sendall(request)
        code = connection.recv(8)
    os._exit(int(code or b"1"))


def is_warm(words: list[str]) -> bool:
    """Whether the arguments of an interpreter are a command of the project."""
    if words[:1] == ["-m"]:
        return words[1] in WARM_MODULES
    return bool(words) and os.path.basename(words[0]) in WARM_SCRIPTS
