"""`make bench-scale`: time, peak memory and output of each step by the number of rows, as a table (docs/scale.md).

The rows are made by sales.py. Each step runs as a job does, one after another; the rounds are fixed. Processor time is
that of all threads: on a machine that does other things as well it tells more than the clock. A step that needs more
memory than the limit ends there, and the size with it.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))

import sales
from project import unpack_code
from rows import PYTHON

ROUNDS = 100


@dataclass(frozen=True)
class Measured:
    """What one step took; `error` is the last line of what it said where it failed."""

    step: str
    seconds: float
    processor: float
    memory: int
    output: int
    error: str = ""


def measured(step: str, command: list[str], code: Path, output: Path, limit: int) -> Measured:
    """Run a job's command with at most `limit` bytes of memory of its own."""
    before = size_of(output)
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=code,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
    )
    assert process.stderr is not None
    peak = Peak(process.pid)
    peak.start()
    said = process.stderr.read().strip().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    peak.join()
    seconds = time.perf_counter() - began
    error = said[-1] if status != 0 and said else "killed" if status != 0 else ""
    processor = usage.ru_utime + usage.ru_stime
    memory = max(usage.ru_maxrss * 1024, peak.bytes)
    return Measured(step, seconds, processor, memory, size_of(output) - before, error)


class Peak(threading.Thread):
    """The memory of a process and of all that it has begun, where it was highest; what they share counts once."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._process = process
        self.bytes = 0

    def run(self) -> None:
        """Look ten times a second, until the process has ended."""
        while found := proportional(self._process):
            self.bytes = max(self.bytes, found)
            time.sleep(0.1)


def proportional(process: int) -> int:
    """Bytes of a process and of those below it; 0 once it has ended."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    [own] = [int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")] or [0]
    return own and own + sum(proportional(int(child)) for child in children)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def steps(rows: int, folder: Path, limit: int) -> Iterator[Measured]:
    """The steps of the training pipeline on that many sales."""
    from pipelines.settings.settings import default_config, load_settings

    settings = load_settings(default_config())
    unpack_code(folder / "code", settings, "training")
    sales.write(folder / "raw", rows)
    yield from commands(folder / "code", folder / "work", folder / "raw", hyperparameters(), gates(), limit)


def hyperparameters() -> dict[str, Any]:
    """The pipeline's own, with ROUNDS."""
    from pipelines.settings.settings import default_config, load_settings

    return {**load_settings(default_config()).candidates.xgboost.model_dump(), "rounds": ROUNDS}


def gates() -> dict[str, float]:
    """The pipeline's own; chance is to reject no model here: that is measured elsewhere."""
    from pipelines.settings.settings import default_config, load_settings

    return {**load_settings(default_config()).gates.model_dump(), "min_improvement": -1.0}


def commands(
    code: Path, work: Path, raw: Path, chosen: Mapping[str, Any], gates: Mapping[str, float], limit: int
) -> Iterator[Measured]:
    """Each step of the jobs' code, with `chosen` hyperparameters; the first that fails is the last."""
    (work / "packed").mkdir(parents=True)
    (work / "champion").mkdir()
    (work / "champion" / "none.json").write_text("{}")
    found = {
        "ValidateData": ["steps.validate", "--input", str(raw), "--output", str(work)],
        "Preprocess": ["steps.preprocess", "--input", str(work / "validated"), "--output", str(work)],
        "Train": training(work, chosen),
        "Evaluate": ["evaluation.evaluate", *evaluation(work, gates)],
    }
    for step, command in found.items():
        result = measured(step, [PYTHON, "-m", *command], code, work, limit)
        yield result
        if result.error:
            return
        if step == "Train":
            archive = ["tar", "-czf", str(work / "packed" / "model.tar.gz"), "-C", str(work / "model"), "."]
            subprocess.run(archive, check=True)


def training(work: Path, chosen: Mapping[str, Any]) -> list[str]:
    """The module of Train, and its arguments."""
    channels = [word for name in ("train", "validation", "features") for word in (f"--{name}", str(work / name))]
    told = [word for name, value in chosen.items() for word in (f"--{name}", str(value))]
    return ["steps.train", *channels, "--model_dir", str(work / "model"), *told]


def evaluation(work: Path, gates: Mapping[str, float]) -> list[str]:
    """The arguments of Evaluate."""
    inputs = {name: work / name for name in ("test", "rows", "train", "champion")}
    options = {"model": work / "packed", **inputs, "output": work / "evaluation", **gates}
    return [f"--{name}={value}" for name, value in options.items()]


def shown(found: Iterable[Measured], as_line: Callable[[Measured], str]) -> bool:
    """Print a line of each step as it ends; whether one failed."""
    failed = False
    for step in found:
        print(as_line(step), flush=True)
        failed |= bool(step.error)
    return failed


def machine() -> str:
    """What measures, and how many rounds."""
    return f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, {ROUNDS} rounds"


def line(rows: int, found: Measured) -> str:
    """One row of the table."""
    told = found.error or "-"
    return (
        f"| {rows:,} | {found.step} | {found.seconds:.1f} s | {found.processor:.1f} s | {found.memory / 1e9:.2f} GB "
        f"| {found.output / 1e6:.0f} MB | {told} |"
    )


def main() -> int:
    """Measure the sizes that are asked for; 1 where a step failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--memory", type=float, default=6.0, metavar="GB", help="limit of each step (6)")
    options = parser.parse_args()
    print(f"{machine()}\n")
    print("| rows | step | time | of the processor | peak memory | output | failed with |\n" + "| --- " * 7 + "|")
    failed = False
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            failed |= shown(steps(rows, Path(folder), int(options.memory * 1e9)), partial(line, rows))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
