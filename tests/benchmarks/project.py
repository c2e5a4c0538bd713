"""Speed of the pipeline of this project: its commands, its runs, and the way from a clone to the end of one."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from rows import PYTHON, ROOT, Row, free_port, median, wall, warm_server

DATA = ROOT / "data" / "house_prices.parquet"


def pipeline(*arguments: str) -> list[str]:
    """A command of run_pipeline.py."""
    return [PYTHON, "run_pipeline.py", *arguments]


def unpack_code(folder: Path, settings: Any, name: Any) -> None:
    """The code of a pipeline's jobs, as a job has it."""
    from pipelines.definition.job_code import job_code

    for path, content in job_code(ROOT, settings, name).files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def by_hand(folder: Path) -> float:
    """Seconds of the pipeline's job scripts, called one after another on files, without SageMaker."""
    from pipelines.settings.settings import default_config, load_settings

    settings = load_settings(default_config())
    code, work = folder / "code", folder / "work"
    unpack_code(code, settings, "training")
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
    (work / "champion").mkdir()
    (work / "champion" / "none.json").write_text("{}")
    inputs = {name: work / name for name in ("test", "rows", "train", "champion")}
    options = {"model": work / "packed", **inputs, "output": work / "evaluation", **settings.gates.model_dump()}
    return seconds + job("evaluation.evaluate", *(f"--{name}={value}" for name, value in options.items()))


def execution_seconds(environment: dict[str, str]) -> float:
    """Seconds of the newest execution, from its start to its end: what is left of a run without the compile."""
    command = pipeline("--local", "describe", "latest", "--json")
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)
    return float(json.loads(done.stdout)["seconds"])


def run_rows(folder: Path) -> list[Row]:
    """Runs on local SageMaker that is up: with an empty step cache, and again with everything in it.

    A definition that was compiled before is not compiled again (pipelines/definition/definition_cache.py), so the runs
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


def clean_clone_rows(folder: Path) -> list[Row]:
    """From git clone to the end of make run, against what of it cannot be left out: installing, and the run itself.

    uv finds nothing in its cache either time. The reference has no clone, no uv to fetch and no data to fetch, and its
    run finds the libraries already compiled to bytecode.
    """
    clone = folder / "clone"
    port = free_port()
    cloning = wall(["git", "clone", "--quiet", str(ROOT), str(clone)])
    making = wall(["make", "run"], cwd=clone, SAGEMAKER_LOCAL_PORT=port, UV_CACHE_DIR=str(folder / "first"))
    python = str(clone / ".venv" / "bin" / "python")
    down = [python, "run_pipeline.py", "local", "down"]
    wall(down, cwd=clone, SAGEMAKER_LOCAL_PORT=port)
    for made in (".sagemaker", "build"):
        shutil.rmtree(clone / made, ignore_errors=True)
    run = [python, "run_pipeline.py", "--local", "run", "--data", "data/house_prices.parquet"]
    running = wall(run, cwd=clone, SAGEMAKER_LOCAL_PORT=port)
    wall(down, cwd=clone, SAGEMAKER_LOCAL_PORT=port)
    installing = _installation_by_uv(clone, folder)
    return [
        Row(
            "git clone to the end of make run / uv's installation and the run alone",
            cloning + making,
            installing + running,
            1.5,
        ),
        Row("  the installation by uv", installing),
        Row("  the run", running),
    ]


def _installation_by_uv(clone: Path, folder: Path) -> float:
    """Seconds of an environment with what the lock of a clone names."""
    uv, environment = str(clone / ".venv" / "bin" / "uv"), str(folder / "environment")
    seconds = wall([uv, "venv", "--quiet", "--python", str(clone / ".venv" / "bin" / "python"), environment])
    install = [uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", "requirements.lock"]
    return seconds + wall([*install, "--python", environment], cwd=clone, UV_CACHE_DIR=str(folder / "second"))
