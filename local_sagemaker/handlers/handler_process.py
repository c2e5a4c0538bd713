"""One call of a user's handler, in a process of its own: what it does to itself, it does not do to the server.

Started as `python handler_process.py list FILE`, which prints the keys of HANDLERS as JSON, or as `... call FILE KEY`,
or as `... entrypoint FILE KEY ARGUMENT...` inside a job. A call reads one line of JSON from standard input,
`{"event": ..., "context": ...}`, and writes one JSON object to standard output: `{"result": ...}` or
`{"error": TEXT}`. What the handler itself prints goes to standard error, which is its log. The end of standard input
ends the call: the server is gone, or no longer wants the result.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def main(action: str, file: str, key: str = "", *arguments: str) -> None:
    """Do one of the three actions."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # from here on, what is printed goes to the log
    if action == "list":
        answers.write(json.dumps(described(load(file))))
    elif action == "call":
        answers.write(json.dumps(answer(file, key)))
    else:
        sys.argv = [key, *arguments]
        load(file)[key]()
    answers.close()


def load(file: str) -> dict[str, Any]:
    """The dictionary HANDLERS of a Python file; TypeError or LookupError where it is not one."""
    sys.path.insert(0, str(Path(file).parent))
    names: dict[str, Any] = {"__name__": "handlers", "__file__": file}
    exec(compile(Path(file).read_bytes(), file, "exec"), names)  # noqa: S102 - the file that the user named
    handlers = names.get("HANDLERS")
    if not isinstance(handlers, dict):
        raise TypeError("it has no dictionary HANDLERS")
    for key, handler in handlers.items():
        if not isinstance(key, str) or not (callable(handler) or command_of(handler)):
            raise TypeError(f"the handler of {key!r} is neither a callable nor a command (a text or a list of texts)")
    return handlers


def command_of(handler: Any) -> list[str] | None:
    """The command that a handler is, or None where it is not one."""
    parts = [handler] if isinstance(handler, str) else handler
    if isinstance(parts, list | tuple) and parts and all(isinstance(part, str) for part in parts):
        return list(parts)
    return None


def described(handlers: dict[str, Any]) -> dict[str, list[str] | None]:
    """The keys with their commands; None stands for a callable."""
    return {key: None if callable(handler) else command_of(handler) for key, handler in handlers.items()}


def answer(file: str, key: str) -> dict[str, Any]:
    """The answer of one call, whatever becomes of it."""
    call = json.loads(sys.stdin.readline())
    threading.Thread(target=end_with_input, daemon=True).start()
    try:
        handler = load(file)[key]
        if callable(handler):
            result = handler(call["event"], SimpleNamespace(**call["context"]))
        else:
            result = run(command_of(handler) or [], call["event"])
        json.dumps(result)
        return {"result": result}
    except BaseException as error:
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"}


def run(command: list[str], event: Any) -> Any:
    """The JSON that a command prints for an event on its standard input; nothing printed is an empty object."""
    done = subprocess.run(command, input=json.dumps(event), stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise ChildProcessError(f"the command {command[0]} ended with exit code {done.returncode}")
    return json.loads(done.stdout) if done.stdout.strip() else {}


def end_with_input() -> None:
    """Wait for the end of standard input, and end this process and all that it started."""
    sys.stdin.read()
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
