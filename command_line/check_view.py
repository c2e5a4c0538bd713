"""The outcome of a check as people and scripts read it."""

import json
from collections.abc import Sequence
from pathlib import Path

from command_line.console import Console
from pipelines.checks.fault import Fault
from pipelines.document.walk import steps
from pipelines.errors import PipelineError


def show_faults(
    console: Console, faults: Sequence[Fault], text: str | None, seconds: float, warnings: Sequence[Fault] = ()
) -> None:
    """How many faults there are, then a line for each warning and fault: step, path, what is wrong, what to do.

    In this order the last line of a build that fails is a reason.
    """
    number = len(list(steps(_read(text)))) if text is not None else 0
    if console.json_output:
        document = {
            "faults": [fault.document() for fault in faults],
            "warnings": [warning.document() for warning in warnings],
            "steps": number,
            "seconds": seconds,
        }
        console.document(document)
        return
    found = {0: "no faults", 1: "1 fault"}.get(len(faults), f"{len(faults)} faults")
    console.line(f"{found} in {number} steps, checked in {seconds * 1000:.0f} ms")
    for warning in warnings:
        console.line(f"warning: {_line(warning)}", style="yellow")
    for fault in faults:
        console.line(_line(fault), style="red")


def read_definition(path: Path) -> str:
    """The text of a definition in a file."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise PipelineError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise PipelineError(f"{path} is not UTF-8 text: give a definition in JSON.") from None


def _read(text: str) -> dict[str, object]:
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _line(fault: Fault) -> str:
    text = f"{fault.step or 'pipeline'}: {fault.path}: {fault.message}: {fault.fix}"
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
