"""The command lines as a person runs them: real processes, a real server, the real data."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from command_line.local_server import HANDLERS
from tests.conftest import LocalServer, running

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data" / "house_prices.parquet"
SAMPLE = ROOT / "house.json"


# What `run` compares with when no version is approved; other tests approve some on the shared server.
NO_CHAMPION = ("-p", "ChampionModelUri=s3://sagemaker-us-east-1-000000000000/house-prices/champion/none.json")


@dataclass(frozen=True)
class Cli:
    """Runs the command lines against one server, in a folder of its own."""

    server: Any
    folder: Path
    python: str

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of AWS, only where the server is."""
        chosen = {name: self.server.environment[name] for name in ("SAGEMAKER_LOCAL_PORT", "SAGEMAKER_LOCAL_STATE")}
        return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **chosen}

    def command(self, script: str, *arguments: str, python: str = sys.executable) -> list[str]:
        """The words of a command."""
        return [python, str(ROOT / script), "--local", *arguments]

    def run(self, script: str, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; its exit code must be the expected one."""
        command = self.command(script, *arguments, python=self.python)
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def pipeline(self, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """run_pipeline.py --local ..."""
        return self.run("run_pipeline.py", *arguments, expect=expect)

    def deploy(self, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """deploy_model.py --local ..."""
        return self.run("deploy_model.py", *arguments, expect=expect)

    def json(self, *arguments: str) -> Any:
        """What a command of run_pipeline.py prints with --json."""
        return json.loads(self.pipeline(*arguments, "--json").stdout)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """One server for all of these tests, with the functions that the project's pipelines call."""
    with running(tmp_path_factory.mktemp("local-sagemaker"), SAGEMAKER_LOCAL_HANDLERS=str(HANDLERS)) as shared:
        yield shared


@pytest.fixture(scope="session")
def sagemaker(server: LocalServer) -> Any:
    """A SageMaker client of it."""
    return server.client("sagemaker")


@pytest.fixture(scope="session")
def s3(server: LocalServer) -> Any:
    """An S3 client of it."""
    return server.client("s3")


@pytest.fixture(scope="session")
def make_cli(warm: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Any], Cli]:
    """Command lines for a server."""
    return lambda server: Cli(server, tmp_path_factory.mktemp("work"), warm)


@pytest.fixture(scope="session")
def cli(server: Any, make_cli: Callable[[Any], Cli]) -> Cli:
    """Command lines for the shared server."""
    return make_cli(server)


@pytest.fixture(scope="session")
def first_run(cli: Cli) -> subprocess.CompletedProcess[str]:
    """The first `run` on the default data."""
    return cli.pipeline("run", "--data", str(DATA))
