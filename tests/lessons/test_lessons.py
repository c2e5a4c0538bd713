"""The lessons done as they are written, and graded: what is not done is not yet there.

The learner's clone trains fewer trees and its server's waits pass faster; SOAK=1 leaves the settings as they are.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lessons.course import read_lessons
from tests.conftest import LocalServer
from tests.warm.python import warm_python

pytestmark = [pytest.mark.e2e, pytest.mark.journey]

ROOT = Path(__file__).parents[2]
FOLDERS = ("command_line", "deployment", "evaluation", "infrastructure", "lessons", "local_sagemaker", "monitoring",
           "notebooks", "pipelines", "steps", "studio")  # fmt: skip
FILES = ("run_pipeline.py", "deploy_model.py", "house.json")
QUICKER = {"rounds: 4000": "rounds: 150", "explained_rows: 150": "explained_rows: 20"}  # in the settings
SOON = {"--step-seconds 120": "--step-seconds 20"}  # in a command, where the waits are shorter too
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
        for written, soon in SOON.items():
            command = command.replace(written, soon)
        if command.startswith("make lesson-"):
            command = f"{self.python} -m lessons check {command.removeprefix('make lesson-')}"
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
    (folder / "data").symlink_to(ROOT / "data")
    if not os.environ.get("SOAK"):
        make_quicker(folder / "pipelines" / "house_prices.yaml")
    server = LocalServer(folder / "state")
    server.environment["SAGEMAKER_LOCAL_HANDLERS"] = str(ROOT / "infrastructure/functions/handlers.py")
    server.environment["SAGEMAKER_LOCAL_TIME_SCALE"] = "20"  # for the waits of the canary
    server.up()
    with warm_python(folder) as python:
        yield Learner(folder, server, python)
    server.down()


def make_quicker(settings: Path) -> None:
    text = settings.read_text()
    for written, quicker in QUICKER.items():
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
