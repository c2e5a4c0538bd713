"""How a job says that it failed: one sentence where SageMaker and the log reader look for it."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from steps.machine import limit_memory, used_up

# SageMaker keeps 1,024 characters of both texts (ProcessingJob.ExitMessage, TrainingJob.FailureReason).
MAXIMUM_LENGTH = 1024


class JobError(Exception):
    """A fault that the person who started the job can fix; the message is one sentence."""


class JobArgumentParser(argparse.ArgumentParser):
    """Argument parser whose complaints are job failures, so that they too reach SageMaker."""

    def error(self, message: str) -> NoReturn:
        """Raise JobError with argparse's message."""
        raise JobError(f"{self.prog}: {message}.")


def run_job(main: Callable[[Sequence[str]], None]) -> NoReturn:
    """Run a job's main function with the process's arguments and end the process.

    The exit code is 0, or 1 after any exception; then the reason is on stderr and in the files
    `message` (shown as a processing job's exit message) and `failure` (a training job's failure
    reason) of /opt/ml/output, or of the folder that SM_OUTPUT_DIR names. A job that runs out of memory or disk says so,
    whatever it was doing.
    """
    from steps.workspace import take_workspace  # of a job alone: who imports this module needs no library

    take_workspace()
    limit_memory()
    try:
        main(sys.argv[1:])
    except JobError as error:
        cause = error.__cause__
        report((used_up(cause) if cause is not None else None) or str(error))
        sys.exit(1)
    except Exception as error:
        # The last stop of the process: an unforeseen fault is reported whole, never hidden.
        traceback.print_exc()
        report(used_up(error) or f"{type(error).__name__}: {error}")
        sys.exit(1)
    sys.exit(0)


def report(reason: str) -> None:
    """Write the reason of a failure to stderr and, inside a container, to SageMaker's files."""
    print(f"error: {reason}", file=sys.stderr, flush=True)
    output = Path(os.environ.get("SM_OUTPUT_DIR", "/opt/ml/output"))
    if not output.parent.is_dir():
        return  # not in a container: there is nobody to read the files
    try:
        output.mkdir(exist_ok=True)
        for name in ("message", "failure"):
            (output / name).write_text(reason[:MAXIMUM_LENGTH], encoding="utf-8")
    except OSError as error:
        print(f"warning: the failure could not be written to {output}: {error}", file=sys.stderr, flush=True)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean x?` for the closest known name, or an empty text."""
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def listed(names: Iterable[str]) -> str:
    """Return names as one text: `a, b and c`."""
    items = [str(name) for name in names]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else "none"
