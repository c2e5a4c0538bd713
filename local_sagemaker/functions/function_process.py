"""One call of a function of Lambda, in a process that has what Lambda's Python has: the standard library and boto3.

Started as `python -I -S function_process.py FOLDER HANDLER SECONDS PACKAGES`. It speaks as handler_process.py does: a
line of JSON in, one object out, what the function prints to standard error.
"""

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

IN_THE_RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
HANDLER_PROCESS = Path(__file__).parents[1] / "handlers" / "handler_process.py"


class CannotStart(Exception):
    """The function cannot be called; the text is its error, as Lambda words it."""


class Runtime(importlib.abc.MetaPathFinder):
    """Finds what Lambda's Python has beside the standard library, in the folder that this machine has it in."""

    def __init__(self, packages: str) -> None:
        self._packages = packages

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """A module at the top of such a package."""
        if path is None and fullname in IN_THE_RUNTIME:
            return importlib.machinery.PathFinder.find_spec(fullname, [self._packages])
        return None


def main(folder: str, handler: str, seconds: str, packages: str) -> None:
    """Answer one call."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # from here on, what is printed goes to the log
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # in the order in which it is printed
    call = json.loads(sys.stdin.readline())
    _end_with_input()
    sys.path.insert(0, folder)
    sys.meta_path.append(Runtime(packages))
    limit, lock = float(seconds), threading.Lock()

    def answer(document: dict[str, Any]) -> None:
        with lock:
            answers.write(json.dumps(document))
            answers.close()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)

    def time_out() -> None:
        answer({"error": f"Sandbox.Timedout: Task timed out after {limit:.2f} seconds"})

    try:
        function = _function(handler)
    except CannotStart as error:
        answer({"error": str(error)})
    except BaseException as error:
        traceback.print_exc()
        module = handler.rpartition(".")[0]
        answer({"error": f"Runtime.ImportModuleError: Unable to import module '{module}': {error}"})
    try:
        timer = threading.Timer(limit, time_out)
        timer.daemon = True
        timer.start()
        result = function(call["event"], _context(call["context"], time.monotonic() + limit))
        json.dumps(result)
    except BaseException as error:
        traceback.print_exc()
        answer({"error": f"{type(error).__name__}: {error}"})
    answer({"result": result})


def _function(handler: str) -> Any:
    """`module.function`, as Lambda finds it: folders in the module's name are separated by slashes or dots."""
    module, _, name = handler.rpartition(".")
    if not module or not name:
        raise CannotStart(f"Runtime.MalformedHandlerName: Bad handler '{handler}': it is module.function")
    loaded = importlib.import_module(module.replace("/", "."))
    if not hasattr(loaded, name):
        raise CannotStart(f"Runtime.HandlerNotFound: Handler '{name}' missing on module '{module}'")
    return getattr(loaded, name)


def _context(fields: dict[str, Any], end: float) -> SimpleNamespace:
    return SimpleNamespace(
        **fields, get_remaining_time_in_millis=lambda: max(0, round((end - time.monotonic()) * 1000))
    )


def _end_with_input() -> None:
    spec = importlib.util.spec_from_file_location("handler_process", HANDLER_PROCESS)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        threading.Thread(target=module.end_with_input, daemon=True).start()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
