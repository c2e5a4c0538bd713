"""Local SageMaker is a distribution of its own: its wheel runs where nothing of this project is."""

import os
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.end_to_end import alone

pytestmark = [pytest.mark.e2e, pytest.mark.journey]


@dataclass(frozen=True)
class Alone:
    """An environment that has the wheel, and a folder that has its tests."""

    wheel: Path
    python: Path
    elsewhere: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command of the environment, in the folder."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        program = self.python.with_name(command[0])
        return subprocess.run(
            [program, *command[1:]], cwd=self.elsewhere, env=environment, capture_output=True, text=True
        )


@pytest.fixture(name="installed", scope="module")
def installed_fixture(tmp_path_factory: pytest.TempPathFactory) -> Alone:
    folder = tmp_path_factory.mktemp("alone")
    wheel = alone.build(folder / "wheel")
    installed = Alone(wheel, alone.install(wheel, folder / "environment"), folder / "elsewhere")
    alone.copy_tests(installed.elsewhere)
    return installed


def test_the_wheel_holds_the_package_and_nothing_else(installed: Alone) -> None:
    names = set(zipfile.ZipFile(installed.wheel).namelist())
    package = {str(path.relative_to(alone.ROOT)) for path in (alone.ROOT / "local_sagemaker").rglob("*.py")}
    assert {name for name in names if ".dist-info/" not in name} == package | {"local_sagemaker/py.typed"}
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_it_runs_an_example_without_a_checkout(installed: Alone, monkeypatch: pytest.MonkeyPatch) -> None:
    where = installed.run("python", "-c", "import local_sagemaker; print(local_sagemaker.__file__)")
    assert where.stdout.startswith(str(installed.python.parents[1]))
    monkeypatch.setenv("SAGEMAKER_LOCAL_PORT", str(free_port()))
    try:
        done = installed.run("local-sagemaker", "run", "docs/examples/count.json")
        assert done.returncode == 0, done.stdout + done.stderr
        too_few = installed.run("local-sagemaker", "run", "docs/examples/count.json", "-p", "Rows=2")
        assert too_few.returncode == 1
        assert "2 rows are too few" in too_few.stdout + too_few.stderr
    finally:
        installed.run("local-sagemaker", "down")


def test_its_tests_need_nothing_of_the_project(installed: Alone) -> None:
    everything = installed.run("python", "-m", "pytest", "--collect-only", "-q", alone.TESTS)
    assert everything.returncode == 0, everything.stdout
    some = installed.run("python", "-m", "pytest", "-q", f"{alone.TESTS}/wire")  # `make alone` runs all of them
    assert some.returncode == 0, some.stdout
