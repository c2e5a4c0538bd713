"""`make bench`: speed as ratios measured in one run, printed as a table; exit code 1 where a bar is missed."""

import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
DATA = ROOT / "data" / "house_prices.parquet"
PYTHON = sys.executable


@dataclass(frozen=True)
class Row:
    """One line of the table: two durations in seconds, their ratio, and the most that it may be."""

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
    start = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return seconds


def median(measure: Callable[[], float], times: int) -> float:
    """The median of several measurements."""
    return statistics.median(measure() for _ in range(times))


def pipeline(*arguments: str) -> list[str]:
    """A command of run_pipeline.py."""
    return [PYTHON, "run_pipeline.py", *arguments]


@contextmanager
def warm_server(folder: Path) -> Iterator[dict[str, str]]:
    """Local SageMaker with empty state, already running; yields the environment of its clients."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = {"SAGEMAKER_LOCAL_PORT": port, "SAGEMAKER_LOCAL_STATE": str(folder / "state")}
    wall(pipeline("local", "up"), **environment)
    try:
        yield environment
    finally:
        wall(pipeline("local", "down"), **environment)


def by_hand(folder: Path) -> float:
    """Seconds of the pipeline's job scripts, called one after another on files, without SageMaker."""
    from pipelines.bundle import build_bundle
    from pipelines.settings import default_config, load_settings

    settings = load_settings(default_config())
    code, work = folder / "code", folder / "work"
    for path, content in build_bundle(ROOT, settings.for_jobs()).files.items():
        (code / path).parent.mkdir(parents=True, exist_ok=True)
        (code / path).write_bytes(content)
    (work / "raw").mkdir(parents=True)
    shutil.copy(DATA, work / "raw")
    hyperparameters = [
        word for name, value in settings.candidates.xgboost.model_dump().items() for word in (f"--{name}", str(value))
    ]
    channels = [word for name in ("train", "validation", "features") for word in (f"--{name}", str(work / name))]

    def job(module: str, *arguments: str) -> float:
        return wall([PYTHON, "-m", module, *arguments], cwd=code)

    seconds = job("steps.validate", "--input", str(work / "raw"), "--output", str(work))
    seconds += job("steps.preprocess", "--input", str(work / "validated"), "--output", str(work))
    seconds += job("steps.train", *channels, "--model_dir", str(work / "model"), *hyperparameters)
    wall(["tar", "-czf", str(work / "model.tar.gz"), "-C", str(work / "model"), "."])
    (work / "packed").mkdir()
    shutil.move(work / "model.tar.gz", work / "packed")
    evaluation = str(work / "evaluation")
    seconds += job(
        "evaluation.evaluate", "--model", str(work / "packed"), "--test", str(work / "test"), "--output", evaluation
    )
    return seconds


def execution_seconds(environment: dict[str, str]) -> float:
    """Seconds of the newest execution, from its start to its end: what is left of a run without the compile."""
    command = pipeline("--local", "describe", "latest", "--json")
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)
    return float(json.loads(done.stdout)["seconds"])


def run_rows(folder: Path) -> list[Row]:
    """Runs on local SageMaker that is up: with an empty step cache, and again with everything in it.

    A definition that was compiled before is not compiled again (pipelines/definition_cache.py), so the runs
    behind the bars come after one that has compiled it; that one is shown too.
    """
    run = pipeline("--local", "run", "--data", str(DATA))
    shutil.rmtree(ROOT / "build" / "definitions", ignore_errors=True)
    with warm_server(folder / "compiling") as environment:
        compiling = wall(run, **environment)
    with warm_server(folder / "compiled") as environment:
        first = wall(run, **environment)
        first_execution = execution_seconds(environment)
        second = wall(run, **environment)
    hand = by_hand(folder)
    return [
        Row("run on warm local SageMaker / the same job scripts by hand", first, hand, 1.25),
        Row("  the execution alone", first_execution, hand),
        Row("  with the compile of a definition that is new", compiling, hand),
        Row("second identical run / first, neither compiles", second, first, 0.15),
    ]


def start_rows() -> list[Row]:
    """What a person waits for before anything runs."""
    bare = [PYTHON, "-c", "import sagemaker.mlops.workflow"]
    definition = median(lambda: wall(pipeline("definition")), 5)
    imported = median(lambda: wall(bare, AWS_DEFAULT_REGION="us-east-1"), 5)
    help_seconds = median(lambda: wall(pipeline("--help")), 9)
    nothing = median(lambda: wall([PYTHON, "-c", "pass"]), 9)
    return [
        Row("definition / python -c 'import sagemaker.mlops.workflow'", definition, imported, 1.4),
        Row("run_pipeline.py --help / python -c pass", help_seconds, nothing, 20),
    ]


def clean_clone_row(folder: Path) -> Row:
    """From git clone to the end of make run, with whatever pip has in its cache."""
    clone = folder / "clone"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    seconds = wall(["git", "clone", "--quiet", str(ROOT), str(clone)])
    seconds += wall(["make", "run"], cwd=clone, SAGEMAKER_LOCAL_PORT=port)
    wall([".venv/bin/python", "run_pipeline.py", "local", "down"], cwd=clone, SAGEMAKER_LOCAL_PORT=port)
    return Row("git clone to the end of make run", seconds)


def table(rows: list[Row]) -> str:
    """Rows as aligned text."""
    cells = [("WHAT", "SECONDS", "REFERENCE", "RATIO", "BAR", "")]
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


def main() -> int:
    """Measure everything; `--no-clone` leaves out the clean clone, which takes minutes."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "SAGEMAKER_"))]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("measuring ...", file=sys.stderr, flush=True)
        from artifact import artifact_rows

        rows = start_rows() + [Row(*line) for line in artifact_rows(folder)] + run_rows(folder)
        if "--no-clone" not in sys.argv:
            rows.append(clean_clone_row(folder))
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print(table(rows))
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
