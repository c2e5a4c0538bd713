"""The lines of the table, and how durations are taken."""

import os
import socket
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable


@dataclass(frozen=True)
class Row:
    """One line of the table: two measurements in the same unit (seconds unless the name says another), their ratio,
    and the most that it may be."""

    name: str
    measured: float
    reference: float | None = None
    bar: float | None = None

    @property
    def ratio(self) -> float | None:
        """Measured over reference."""
        return None if self.reference is None else self.measured / self.reference

    @property
    def holds(self) -> bool:
        """Whether the bar is met."""
        return self.bar is None or (self.ratio is not None and self.ratio <= self.bar)


def wall(command: list[str], cwd: Path = ROOT, **environment: str) -> float:
    """Seconds that a command takes; its output is shown where it fails."""
    start = perf_counter()
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True)
    seconds = perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return seconds


def median(measure: Callable[[], float], times: int) -> float:
    """The median of several measurements."""
    return statistics.median(measure() for _ in range(times))


def free_port() -> str:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@contextmanager
def warm_server(folder: Path) -> Iterator[dict[str, str]]:
    """Local SageMaker with empty state, already running; yields the environment of its clients."""
    environment = {"SAGEMAKER_LOCAL_PORT": free_port(), "SAGEMAKER_LOCAL_STATE": str(folder / "state")}
    wall([PYTHON, "-m", "local_sagemaker", "up"], **environment)
    try:
        yield environment
    finally:
        wall([PYTHON, "-m", "local_sagemaker", "down"], **environment)


def peak_megabytes(pid: int) -> float:
    """The most memory that a process has had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("the peak memory of a process is read from /proc, which is not here")


def table(rows: list[Row]) -> str:
    """Rows as aligned text."""
    cells = [("WHAT", "MEASURED", "REFERENCE", "RATIO", "BAR", "")]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        reference = "" if row.reference is None else f"{row.reference:.3f}"
        bar = "" if row.bar is None else f"<= {row.bar:g}"
        cells.append((row.name, f"{row.measured:.3f}", reference, ratio, bar, "" if row.holds else "MISSED"))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in cells
    )
