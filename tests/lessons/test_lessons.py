"""The lessons done as they are written, and graded: what is not done is not yet there.

The learner's clone trains fewer trees on fewer rows and its server's waits pass faster; SOAK=1 leaves all as it is.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lessons.course import read_lessons
from pipelines.settings.settings import load_settings
from tests.conftest import LocalServer
from tests.sales import DATA, ROWS, some_sales
from tests.warm.python import warm_python

pytestmark = [pytest.mark.e2e, pytest.mark.journey]

ROOT = Path(__file__).parents[2]
FOLDERS = ("command_line", "deployment", "evaluation", "infrastructure", "lessons", "local_sagemaker", "monitoring",
           "notebooks", "pipelines", "steps", "studio")  # fmt: skip
FILES = ("run_pipeline.py", "deploy_model.py", "house.json")
QUICKER = {"rounds: 4000": "rounds: 150", "explained_rows: 150": "explained_rows: 20"}  # in the settings
# Commands whose failure is the lesson.
FAILS = ("corrupt.parquet", "leaky.yaml run", "leaky.yaml check", "-p Rounds=5", "canary.yaml")
KEYS = list(read_lessons())


@dataclass
class Learner:
    """Somebody in a clone of the project, with a server that nobody has used."""

    folder: Path
    server: LocalServer
    python: str

    def types(self, line: str) -> subprocess.CompletedProcess[str]:
        """What a shell says to a command."""
        command = line.replace(".venv/bin/python", self.python)
        if command.startswith("make lesson-"):
            command = f"{self.python} -m lessons check {command.removeprefix('make lesson-')}"
        if " & " in command:  # what runs beside the last command is not needed any longer than that
            command = f"{command}; ended=$?; kill $!; exit $ended"
        variables = {**self.server.environment, "PATH": os.environ["PATH"]}
        return subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=variables, capture_output=True, text=True, timeout=540
        )


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Learner]:
    """An empty console."""
    folder = tmp_path_factory.mktemp("course")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copyfile(ROOT / name, folder / name)
    if os.environ.get("SOAK"):
        (folder / "data").symlink_to(ROOT / "data")
    else:
        (folder / "data").mkdir()
        for path in (ROOT / "data").iterdir():  # what was downloaded before
            (folder / "data" / path.name).symlink_to(path)
        (folder / "data" / DATA.name).unlink()
        make_quicker(folder / "pipelines" / "house_prices.yaml", some_sales(folder / "data"))
    server = LocalServer(folder / "state")
    server.environment["SAGEMAKER_LOCAL_HANDLERS"] = str(ROOT / "infrastructure/functions/handlers.py")
    server.environment["SAGEMAKER_LOCAL_TIME_SCALE"] = "20"  # for the waits of the canary
    server.up()
    with warm_python(folder) as python:
        yield Learner(folder, server, python)
    server.down()


def make_quicker(settings: Path, data: Path) -> None:
    text = settings.read_text()
    own = load_settings(settings).data
    here = {str(own.sha256): hashlib.sha256(data.read_bytes()).hexdigest(), f"rows: {own.rows}": f"rows: {ROWS}"}
    for written, quicker in {**QUICKER, **here}.items():
        assert text.count(written) == 1, written
        text = text.replace(written, quicker)
    settings.write_text(text)


@pytest.mark.parametrize("key", KEYS)
def test_a_lesson_done_as_it_is_written_is_graded_as_done(learner: Learner, key: str) -> None:
    lesson = read_lessons()[key]
    assert learner.types(f"make lesson-{key}").stderr.startswith("not yet: ")
    for section in ("Run", "Change"):
        for line in lesson.commands(section):
            done = learner.types(line)
            meant = section == "Run" and any(part in line for part in FAILS)
            assert (done.returncode != 0) is meant, f"{line}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        if section == "Run":
            assert learner.types(f"make lesson-{key}").returncode == 1
    graded = learner.types(f"make lesson-{key}")
    assert graded.stdout.startswith("done: "), graded.stderr
