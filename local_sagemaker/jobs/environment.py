"""The environment variables of a job process: its own, and nothing of the caller's."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from local_sagemaker.jobs.images import Runtime
from local_sagemaker.jobs.isolation import PrivateFolder

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PYTHON_NAMES = ("python", "python3")


def clean_environment(
    private: PrivateFolder, runtime: Runtime, threads: int, layers: Iterable[Mapping[str, str]]
) -> dict[str, str]:
    """The basic variables, over which later layers win.

    `threads` limits the numeric libraries, so that jobs that run at once do not fight for the cores.
    """
    environment = {
        "PATH": f"{python_folder(private, runtime)}:{SYSTEM_PATH}",
        "HOME": str(private.home),
        "TMPDIR": str(private.temporary),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",  # the log has the lines of stdout and stderr in the order of their writing
        **dict.fromkeys(THREADS, str(threads)),
    }
    for layer in layers:
        environment.update(layer)
    return environment


def python_folder(private: PrivateFolder, runtime: Runtime) -> Path:
    """A folder in which `python` and `python3` are the runtime's interpreter."""
    folder = Path(runtime.python[0]).parent
    if len(runtime.python) == 1 and all((folder / name).exists() for name in PYTHON_NAMES):
        return folder
    # A script rather than a link: through a link, an interpreter would not find its virtual environment.
    shims = private.root / "bin"
    shims.mkdir(exist_ok=True)
    command = " ".join(f"'{part}'" for part in runtime.python)
    for name in PYTHON_NAMES:
        (shims / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n', "utf-8")
        (shims / name).chmod(0o755)
    return shims


def with_interpreter(arguments: list[str], runtime: Runtime) -> list[str]:
    """A container's command with `python`, `/usr/bin/python3` and the like being the runtime's interpreter."""
    name = os.path.basename(arguments[0])
    if name in PYTHON_NAMES or name.startswith("python3."):
        return [*runtime.python, *arguments[1:]]
    return arguments
