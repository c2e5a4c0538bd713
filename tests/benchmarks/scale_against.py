"""`make bench-scale-against`: the steps on many rows beside an older commit, a plain script, Dask and Spark.

All work on the same files of sales.py, with both cores, in one run; the older commit, which knows no data set of many
files, on one file with the same rows. plain_steps.py, dask_steps.py and spark_steps.py say what they do and leave out.
Train runs once more for the time that it spends inside XGBoost, see boosters_time.py, and Evaluate without what the
older commit did not do, see without_boostings.py.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))

import pandas as pd
import scale
from rows import PYTHON, ROOT

HERE = Path(__file__).resolve().parent
ENGINES = ROOT / ".venv-engines" / "bin" / "python"
OLD_CODE = """
import json, sys
from pathlib import Path
from pipelines.bundle import build_bundle
from pipelines.settings import default_config, load_settings
settings = load_settings(default_config())
for path, content in build_bundle(Path("."), settings.for_jobs()).files.items():
    (Path(sys.argv[1]) / path).parent.mkdir(parents=True, exist_ok=True)
    (Path(sys.argv[1]) / path).write_bytes(content)
chosen = {**settings.candidates.xgboost.model_dump(), "rounds": int(sys.argv[2])}
print(json.dumps([chosen, settings.gates.model_dump()]))
"""


def without_boostings(folder: Path, limit: int) -> Iterator[scale.Measured]:
    """Evaluate of the rows and the model of `scale.steps`, as far as an older commit did it."""
    work = folder / "work"
    command = [PYTHON, str(HERE / "without_boostings.py"), *scale.evaluation(work, scale.gates())]
    yield scale.measured("Evaluate", command, folder / "code", work, limit)


def of_commit(commit: str, raw: Path, folder: Path, limit: int) -> Iterator[scale.Measured]:
    """The steps of a commit from before there were data sets of many files."""
    clone, code, work = folder / "clone", folder / "old", folder / "old-work"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    subprocess.run(["git", "checkout", "--quiet", commit], cwd=clone, check=True)
    command = [PYTHON, "-c", OLD_CODE, str(code), str(scale.ROUNDS)]
    chosen, gates = json.loads(subprocess.run(command, cwd=clone, check=True, capture_output=True).stdout)
    (work / "raw").mkdir(parents=True)
    table = pd.concat(map(pd.read_parquet, sorted(raw.glob("*.parquet"))), ignore_index=True)
    table.to_parquet(work / "raw" / "sales.parquet", index=False)
    yield from scale.commands(code, work, work / "raw", chosen, {**gates, "min_improvement": -1.0}, limit)


def of_script(
    python: Path | str, script: str, steps: list[str], raw: Path, work: Path, limit: int
) -> Iterator[scale.Measured]:
    """Steps of a script beside this one."""
    work.mkdir()
    for step in steps:
        yield scale.measured(step, [str(python), str(HERE / script), step, str(raw), str(work)], HERE, work, limit)


def main() -> int:
    """Print a table of each contender's steps; 1 where a step failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--commit", default="d83b7ea")
    parser.add_argument("--memory", type=float, default=12.0, metavar="GB", help="limit of each step (12)")
    options = parser.parse_args()
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        parser.error(
            "Spark needs Java 17, and there is no `java`: `apt install openjdk-17-jre-headless` installs it on Debian"
        )
    limit, every = int(options.memory * 1e9), ["ValidateData", "Preprocess", "Train", "Evaluate"]
    print(f"{options.rows:,} rows, {scale.machine()}\n")
    print(
        "| step | of | time | of this checkout's | of the processor | peak memory | failed with |\n"
        + "| --- " * 7
        + "|"
    )
    ours = dict[str, float]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw = folder / "raw"
        contenders = {
            "this checkout": scale.steps(options.rows, folder, limit),
            "this checkout, without boostings": without_boostings(folder, limit),
            options.commit: of_commit(options.commit, raw, folder, limit),
            "plain script": of_script(PYTHON, "plain_steps.py", every, raw, folder / "plain", limit),
            "Dask": of_script(ENGINES, "dask_steps.py", every[:2], raw, folder / "dask", limit),
            "Spark": of_script(ENGINES, "spark_steps.py", every[:2], raw, folder / "spark", limit),
        }
        failed = [scale.shown(steps, partial(line, of, ours)) for of, steps in contenders.items()]
        print(f"\n{of_boosters(folder)}")
    return int(any(failed))


def of_boosters(folder: Path) -> str:
    """How much of Train's time is XGBoost's own: a sentence."""
    command = [PYTHON, str(HERE / "boosters_time.py"), *scale.training(folder / "work", scale.hyperparameters())]
    said = subprocess.run(command, cwd=folder / "code", check=True, capture_output=True, text=True).stdout
    found = json.loads(said.splitlines()[-1])
    ratio = found["seconds"] / found["boosters"]
    return f"Train: {found['seconds']:.1f} s, {ratio:.2f} times the {found['boosters']:.1f} s inside XGBoost."


def line(of: str, ours: dict[str, float], found: scale.Measured) -> str:
    """One row of the table; `ours` are the seconds of this checkout's steps, which come first."""
    first = ours.setdefault(found.step, found.seconds)
    return (
        f"| {found.step} | {of} | {found.seconds:.1f} s | {found.seconds / first:.2f} | {found.processor:.1f} s "
        f"| {found.memory / 1e9:.2f} GB | {found.error or '-'} |"
    )


if __name__ == "__main__":
    sys.exit(main())
