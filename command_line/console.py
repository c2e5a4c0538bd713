"""How things look: tables and colours on a terminal, plain lines when piped, JSON for a script."""

import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from command_line.patience import patience
from pipelines.aws_errors import explain, is_aws_error
from pipelines.exit_codes import EXIT_ERROR, EXIT_INTERRUPTED

if TYPE_CHECKING:
    import rich.console

STYLES = {
    **dict.fromkeys(("Succeeded", "Approved", "InService", "Completed"), "green"),
    **dict.fromkeys(("Failed", "Rejected", "UpdateRollbackFailed", "OutOfService"), "red"),
    **dict.fromkeys(("Executing", "Starting", "Creating", "Updating", "RollingBack", "SystemUpdating"), "cyan"),
    **dict.fromkeys(("PendingManualApproval", "Stopping", "Stopped", "Deleting"), "yellow"),
    **dict.fromkeys(("not deployed", "waiting"), "dim"),
}


@dataclass(frozen=True)
class Table:
    """Rows of text for a person, and the same as data for a script.

    `document` is what --json prints; `empty` is the sentence said where there are no rows.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    document: Any
    empty: str = "Nothing to show."


class Console:
    """Where commands print. With JSON asked for, the output is one document and the lines go to stderr."""

    def __init__(self, *, json_output: bool = False, stream: TextIO | None = None) -> None:
        self.json_output = json_output
        self._stream = stream or sys.stdout
        terminal = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self.interactive = terminal and not json_output

    @cached_property
    def rich(self) -> "rich.console.Console":
        """rich's console of the same stream; imported only where something is drawn on a terminal."""
        from rich.console import Console as RichConsole

        return RichConsole(file=self._stream, highlight=False, markup=False)

    def line(self, text: str = "", style: str | None = None) -> None:
        """One line for a person; `style` (a rich style such as "bold") shows on a terminal only."""
        if self.interactive:
            self.rich.print(text, style=style, soft_wrap=True)
        else:
            print(text, file=sys.stderr if self.json_output else self._stream, flush=True)

    def document(self, document: Any) -> None:
        """One JSON document on the output."""
        print(json.dumps(document, indent=2), file=self._stream, flush=True)

    def show(self, table: Table) -> None:
        """A table for a person, or its document with --json."""
        if self.json_output:
            self.document(table.document)
        elif not table.rows:
            self.line(table.empty)
        elif self.interactive:
            self.rich.print(drawn(table.columns, table.rows))
        else:
            for row in aligned([table.columns, *table.rows]):
                self.line(row)


def drawn(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:
    """A rich table; a cell that is a status has its colour, a long cell is folded."""
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
    return table


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines whose columns begin at the same place, two spaces apart."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def duration(seconds: float | None) -> str:
    """3.1 s, 2 min 05 s, 1 h 02 min; a dash where it is not known."""
    if seconds is None:
        return "-"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def moment(when: datetime | None) -> str:
    """A point in time in the local time zone, to the second; a dash where it is not known."""
    return "-" if when is None else when.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def command_line(script: str, *, local: bool, config: Path | str | None = None) -> str:
    """The beginning of a command that a person can paste: interpreter, script and the options in force.

    The interpreter is named relative to the working directory where it lies below it, as in
    `.venv/bin/python run_pipeline.py --local`.
    """
    words = [_below_here(sys.executable), script]
    if local:
        words.append("--local")
    if config is not None:
        words += ["--config", str(config)]
    return shlex.join(words)


def run_command(name: str, command: Callable[[], int], expected: tuple[type[Exception], ...]) -> int:
    """Run a command and return its exit code: 1 for an error that has been explained, 130 for Ctrl-C.

    `name` is what it is called where it says nothing for a while. `expected` are the errors whose text is already one
    clear sentence; AWS's are put into words here. Anything else is a fault of this program and keeps its traceback.
    """
    try:
        with patience(name):
            return command()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe has gone (`... | head`): nobody is left to tell, and the flush at exit
        # must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    except Exception as error:
        if isinstance(error, expected):
            print(f"error: {error}", file=sys.stderr)
        elif is_aws_error(error):
            print(f"error: {explain(error)}", file=sys.stderr)
        else:
            raise
        return EXIT_ERROR


def _below_here(executable: str) -> str:
    # Not resolved: in a virtual environment the interpreter is a link to one outside it.
    path = Path(executable)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else executable
