"""The definition has the same bytes on every SDK that setup.cfg allows: on the oldest and on the newest of the index.

Where the index has no other than what is installed, there is nothing to compare: the test says so.
"""

import configparser
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pytest
import tomllib

from pipelines.images.image import pins
from tests.end_to_end.image.environment import cache

pytestmark = [pytest.mark.e2e, pytest.mark.journey]

ROOT = Path(__file__).parents[2]
SDK = "sagemaker"
ASK_SECONDS, BUILD_SECONDS = 60, 400


def requirements() -> list[str]:
    """What the project and local SageMaker ask for, which the definition is compiled with."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options"]["install_requires"].splitlines()
    local = tomllib.loads((ROOT / "local_sagemaker" / "pyproject.toml").read_text())["project"]["dependencies"]
    return [line for line in (*lines, *local) if line and not line.startswith("#")]


def sdk_requirement() -> str:
    """Such as `sagemaker >=3.27, <4`."""
    return next(line for line in requirements() if re.match(rf"{SDK}\W", line))


def uv(*arguments: str, limit: float, given: str | None = None) -> str:
    """What uv prints; CalledProcessError where it fails, a skip where it takes too long."""
    command = [sys.executable, "-m", "uv", *arguments]
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=limit, check=True)
    except subprocess.TimeoutExpired:
        pytest.skip(f"uv {arguments[0]} took more than {limit:.0f} s")
    return done.stdout


def offered(resolution: str) -> str:
    """The lowest or the highest version that the index has of the SDK."""
    options = ["--quiet", "--no-deps", "--no-header", "--no-annotate", "--resolution", resolution]
    try:
        answer = uv("pip", "compile", *options, "-", given=sdk_requirement(), limit=ASK_SECONDS)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the package index cannot be asked: {error.stderr.strip()[-300:]}")
    return pins(answer)[SDK]


def interpreter(sdk: str) -> Path:
    """A Python with this SDK, and the lock's versions of all that is not the SDK's own."""
    folder = cache() / f"sdk-{sdk}"
    python, done = folder / "bin" / "python", folder / "built"
    if not done.exists():
        uv("venv", "--quiet", "--clear", "--python", sys.executable, str(folder), limit=ASK_SECONDS)
        lines = (ROOT / "requirements.lock").read_text().splitlines()
        locked = [line.rstrip("\\ ") for line in lines if re.match(r"[\w.-]+==", line) and not line.startswith(SDK)]
        constraints, wanted = folder / "constraints.txt", folder / "requirements.txt"
        constraints.write_text("\n".join(locked))
        wanted.write_text("\n".join([*requirements(), f"{SDK}=={sdk}"]))
        install = ["--quiet", "--python", str(python), "-c", str(constraints), "-r", str(wanted)]
        uv("pip", "install", *install, limit=BUILD_SECONDS)
        done.touch()
    return python


def definition(python: Path | str, options: Sequence[str] = ()) -> bytes:
    """What `definition` prints with that Python, with no AWS settings of this machine."""
    command = [str(python), str(ROOT / "run_pipeline.py"), "definition", *options]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True).stdout


def test_the_definition_is_the_same_on_every_sdk_that_may_be_installed() -> None:
    installed, lowest, newest = version(SDK), offered("lowest"), offered("highest")
    others = {lowest, newest} - {installed}
    if not others:
        assert installed == lowest == newest
        print(f"SDK {installed} is the oldest that setup.cfg allows and the newest of the index: nothing to compare")
        return
    here = definition(sys.executable)
    assert {sdk: definition(interpreter(sdk)) == here for sdk in others} == dict.fromkeys(others, True)
