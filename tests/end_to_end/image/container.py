"""A container of the image on this machine: its packages, a private /opt/ml, its variables, and no network."""

import base64
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.end_to_end.image.environment import NoEnvironment

HERE = Path(__file__).parent
PROGRAMS = ("xgboost_entry.py", "hosted.py")
TIME_LIMIT = 300  # seconds
# The Dockerfiles' ENV lines, but for their entry module. `serve` of the image sets OMP_NUM_THREADS where it is not set.
VARIABLES = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONIOENCODING": "utf-8",
    "SM_INPUT": "/opt/ml/input",
    "SM_INPUT_TRAINING_CONFIG_FILE": "/opt/ml/input/config/hyperparameters.json",
    "SM_INPUT_DATA_CONFIG_FILE": "/opt/ml/input/config/inputdataconfig.json",
    "SM_CHECKPOINT_CONFIG_FILE": "/opt/ml/input/config/checkpointconfig.json",
    "SM_MODEL_DIR": "/opt/ml/model",
    "SAGEMAKER_TRAINING_MODULE": "xgboost_entry:train",
    "SAGEMAKER_SERVING_MODULE": "xgboost_entry:main",
    "PYTHONPATH": "/opt/test",
    "HOME": "/root",
    "PIP_CONFIG_FILE": os.devnull,  # no index of this machine
    "GOMP_SPINCOUNT": "3000",  # as local SageMaker has it, for machines that do something else beside
}


@dataclass(frozen=True)
class Answer:
    """What the model server answered."""

    status: int
    content_type: str
    body: bytes


@cache
def namespaces() -> list[str]:
    """The options of unshare(1) with which this user gets a private /opt and network; NoEnvironment where none do."""
    for options in (["--mount", "--net"], ["--user", "--map-root-user", "--mount", "--net"]):
        command = ["unshare", *options, "mount", "-t", "tmpfs", "none", "/opt"]
        try:
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                return ["unshare", *options]
        except FileNotFoundError:
            break
    raise NoEnvironment(
        "A private /opt/ml cannot be mounted here: run it as root, or where users may make namespaces "
        "(unshare --user --mount of util-linux)."
    )


@cache
def has_nginx() -> bool:
    """Whether requests go through nginx as in the image; without it, or without root, gunicorn listens itself."""
    return "--user" not in namespaces() and shutil.which("nginx") is not None


class Container:
    """One container, whose files lie in a folder of its own."""

    def __init__(self, environment: Path, folder: Path) -> None:
        self._environment, self._folder = environment, folder
        self._packages = environment
        for name in ("opt/ml", "opt/test", "tmp"):
            (folder / name).mkdir(parents=True)
        for program in PROGRAMS:
            shutil.copy(HERE / program, folder / "opt" / "test")

    def path(self, inside: str) -> Path:
        """Where a path of the container's /opt lies."""
        return self._folder / inside.lstrip("/")

    def run(self, command: Sequence[str], variables: Mapping[str, str], installs: bool = False) -> tuple[int, str]:
        """Run the container's one command to its end; its exit code and its log.

        `installs` says that it installs packages, which are gone with the container.
        """
        if installs:  # in links beside the environment, as links stay on one disk
            self._packages = self._environment.with_name(f"{self._environment.name}.{uuid4().hex[:8]}")
            shutil.copytree(self._environment, self._packages, symlinks=True, copy_function=os.link)
        binaries = self._environment / "bin"
        environment = {**VARIABLES, "PATH": f"{binaries}:/usr/sbin:/usr/bin:/sbin:/bin", **variables}
        inside = [str(binaries / "python"), str(HERE / "inside.py"), *self._mounts(), "--", *command]
        process = subprocess.Popen(
            [*namespaces(), *inside],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            log, _ = process.communicate(timeout=TIME_LIMIT)
        finally:
            _end(process)
            if installs:
                shutil.rmtree(self._packages)
        return process.returncode, log

    def serve(self, requests: Sequence[tuple[bytes, Mapping[str, str]]], variables: Mapping[str, str]) -> list[Answer]:
        """The model server's answers to requests, each a body and headers; AssertionError where it does not start."""
        asked = [{"body": base64.b64encode(body).decode(), "headers": dict(headers)} for body, headers in requests]
        self.path("/opt/test/requests.json").write_text(json.dumps(asked))
        if has_nginx():
            shutil.copytree("/etc", self._folder / "etc", symlinks=True, ignore_dangling_symlinks=True)
        mode = {"SAGEMAKER_USE_NGINX": str(has_nginx()).lower(), "SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
        command = ["python", "/opt/test/hosted.py", "/opt/test/requests.json", "/opt/test/answers.json", "serve"]
        code, log = self.run(command, {"OMP_NUM_THREADS": "1", **mode, **variables}, installs=True)
        assert code == 0, log[-5000:]
        answers: list[dict[str, Any]] = json.loads(self.path("/opt/test/answers.json").read_text())
        return [Answer(each["status"], each["type"], base64.b64decode(each["body"])) for each in answers]

    def _mounts(self) -> list[str]:
        """The packages first; again where they lie in what is hidden then."""
        mounts = [f"{self._packages}={self._environment}"]
        for place in ("/opt", "/tmp"):
            if self._environment.is_relative_to(place):
                inside = self.path(str(self._environment))
                inside.mkdir(parents=True, exist_ok=True)
                mounts.append(f"{self._packages}={inside}")
        places = [place for place in ("/opt", "/etc", "/tmp") if self.path(place).is_dir()]
        return [*mounts, *(f"{self.path(place)}={place}" for place in places)]


def _end(process: "subprocess.Popen[str]") -> None:
    """End what the container has left running."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()
