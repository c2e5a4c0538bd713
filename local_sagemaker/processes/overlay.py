"""A job's own virtual environment above its runtime's: what the job installs or removes, it does there."""

import functools
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_sagemaker.processes import describe_python
from local_sagemaker.processes.image_families import ImageFamily, distributions
from local_sagemaker.processes.images import Runtime

PYTHON_NAMES = ("python", "python3")
PROBE_SECONDS = 60.0
PACKAGES, SHARED = Path(__file__).parents[1] / "toolkits" / "packages", "shared"


@dataclass(frozen=True)
class Interpreter:
    """A Python: `packages` are the folders (or archives) that it imports from beside its standard library.

    `versions` are those of the frameworks that it has.
    """

    executable: str
    version: str
    packages: tuple[str, ...]
    scripts: str
    versions: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def line(self) -> str:
        """Its version line, such as 3.11."""
        return ".".join(self.version.split(".")[:2])


@dataclass(frozen=True)
class Overlay:
    """`python` is the command of the job's interpreter, `path` the folders that go first in its PATH.

    `of_current` says whether it lies above the interpreter that runs the server.
    """

    python: tuple[str, ...]
    of_current: bool
    path: tuple[str, ...]
    variables: dict[str, str]


def make_overlay(folder: Path, runtime: Runtime) -> Overlay:
    """Make a job's environment in a new folder; it sees all that the runtime has, which it cannot change.

    It is a virtual environment as PEP 405 describes it, with the runtime's packages behind its own: pip
    installs there, newer versions hide the runtime's, and what is outside pip refuses to uninstall. A runtime
    that is a command of several words, or a script that starts a Python, has no overlay: what its pip changes
    is its own affair.
    """
    if folder.exists():  # of a preparation that failed
        shutil.rmtree(folder)
    interpreter = inspect(runtime.python)
    if interpreter is None:
        return Overlay(runtime.python, runtime.is_current, (str(_shims(folder, runtime)),), {})
    scripts = folder / "bin"
    packages = folder / "lib" / f"python{interpreter.line}" / "site-packages"
    scripts.mkdir(parents=True)
    packages.mkdir(parents=True)
    home = Path(interpreter.executable).parent
    (folder / "pyvenv.cfg").write_text(
        f"home = {home}\ninclude-system-site-packages = false\nversion = {interpreter.version}\n", "utf-8"
    )
    (packages / "_runtime.pth").write_text(_path_file(interpreter, runtime.family), "utf-8")
    python = scripts / PYTHON_NAMES[0]
    python.symlink_to(interpreter.executable)
    for name in (*PYTHON_NAMES[1:], f"python{interpreter.line}"):
        (scripts / name).symlink_to(python.name)
    for name in ("pip", "pip3", f"pip{interpreter.line}"):
        _script(scripts / name, (str(python), "-m", "pip"))
    path = (str(scripts), interpreter.scripts)
    return Overlay((str(python),), runtime.is_current, path, {"VIRTUAL_ENV": str(folder)})


@functools.cache
def inspect(python: tuple[str, ...]) -> Interpreter | None:
    """What a runtime's interpreter is, asked of itself; None where it is a script that starts one."""
    if python == (sys.executable,):
        found: dict[str, Any] = describe_python.describe(distributions())
    elif len(python) > 1:
        return None
    else:
        probe = [*python, "-E", describe_python.__file__, *distributions()]
        done = subprocess.run(probe, capture_output=True, text=True, check=False, timeout=PROBE_SECONDS)
        try:
            found = json.loads(done.stdout)
        except ValueError:
            return None
    if not os.path.samefile(found["program"], python[0]):
        return None
    packages = tuple(found["packages"])
    return Interpreter(found["executable"], found["version"], packages, found["scripts"], found["versions"])


def _path_file(interpreter: Interpreter, family: ImageFamily) -> str:
    """A .pth file that adds the runtime's folders, with what their own .pth files add.

    What stands for the packages of the image comes last: where the runtime or the job has the real ones, these win.
    """
    lines = [
        f"import site; site.addsitedir({folder!r})" if Path(folder).is_dir() else folder
        for folder in interpreter.packages
    ]
    stand_ins = [str(PACKAGES / name) for name in (*family.packages, SHARED)] if family.packages else []
    return "\n".join([*lines, *stand_ins, ""])


def _shims(folder: Path, runtime: Runtime) -> Path:
    """`python` and `pip` for a runtime without overlay.

    Scripts rather than links: through a link, an interpreter would not find its virtual environment.
    """
    folder.mkdir(parents=True)
    for name in PYTHON_NAMES:
        _script(folder / name, runtime.python)
    for name in ("pip", "pip3"):
        _script(folder / name, (*runtime.python, "-m", "pip"))
    return folder


def _script(path: Path, command: tuple[str, ...]) -> None:
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', "utf-8")
    path.chmod(0o755)
