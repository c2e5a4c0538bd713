"""An environment with the packages of a SageMaker XGBoost image, on the image's own Python, built once and kept.

It lies in the user's cache folder, outside of the checkout. Versions are those of
pipelines/images/VERSION/packages.txt; what NOT_NEEDED names is left out, and what a list leaves open is resolved.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import PipelineError
from pipelines.images.image import Image, image, known_images
from pipelines.images.wheels import fetch_wheels

# The GPU's packages, Dask and Numba are imported by the image's built-in algorithm alone, and the Java model server
# serves several models on one endpoint: nothing that is compared here loads them.
GPU = ("cuda-bindings", "cuda-core", "cuda-pathfinder", "cuda-python", "nvidia-ml-py", "nvidia-nccl-cu12", "pynvml")
DASK = ("dask", "dask-cuda", "distributed", "rapids-dask-dependency", "numba", "llvmlite")
NOT_NEEDED = (*GPU, *DASK, "model-archiver", "multi-model-server")
# The same library without 300 MB for GPUs.
INSTEAD = {"xgboost": "xgboost-cpu"}
# What the Dockerfile of 3.0-5 installs beside its list: the toolkit imports pkg_resources, and its messages are of that
# protobuf.
BESIDE = {"setuptools": "80.10.2", "pip": "25.2", "protobuf": "3.20.3"}
# sagemaker-containers pins flask==1.1.1, and the images install others over it.
OVERRIDDEN = ("certifi", "flask", "itsdangerous", "jinja2", "markupsafe", "pillow", "urllib3", "werkzeug")
RECIPE = 1  # another number for another way to build the same packages
BUILT = "built"  # the file that says that an environment is whole
WHEELS = "wheels"


class NoEnvironment(Exception):
    """The environment cannot be had; the message says what to do."""


def cache() -> Path:
    """Where environments are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "house-prices-sagemaker"


def folder_of(target: Image) -> Path:
    """Where an image's environment is, or will be: another list, or another way to build it, is another folder."""
    content = repr((RECIPE, _requirements(target), OVERRIDDEN, target.wheels_digest))
    return cache() / f"image-{target.version}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def environment(version: str, python: str | None = None, limit: float | None = None) -> Path:
    """The folder of the image's environment, built if it is not there; NoEnvironment where that fails.

    `python` is an interpreter of the image's version; by default one that is found. Past `limit` seconds it fails.
    """
    target = _image(version)
    folder = folder_of(target)
    if (folder / BUILT).exists() and not python:
        return folder
    interpreter = find_python(target.python, python)
    if (folder / BUILT).exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _uv("venv", "--quiet", "--python", interpreter, str(folder), limit=limit)
    requirements, overrides = folder / "requirements.txt", folder / "overrides.txt"
    requirements.write_text("\n".join(_requirements(target)), encoding="utf-8")
    pins = target.packages
    overrides.write_text("\n".join(f"{name}=={pins[name]}" for name in OVERRIDDEN if name in pins), encoding="utf-8")
    install = ["pip", "install", "--quiet", "--compile-bytecode", "--python", str(folder / "bin" / "python")]
    _uv(*install, "--override", str(overrides), "-r", str(requirements), limit=limit)
    _mend(folder)
    try:
        fetch_wheels(target, folder / WHEELS, target.wheel_list)
    except PipelineError as error:
        raise NoEnvironment(str(error)) from None
    (folder / BUILT).touch()
    return folder


def find_python(wanted: str, given: str | None = None) -> str:
    """An interpreter of a version such as 3.12; NoEnvironment where there is none, or the given one is another."""
    if given:
        has = _version(given)
        if has != wanted:
            raise NoEnvironment(
                f"{given} is {f'Python {has}' if has else 'not a Python that runs'}, and the image has Python "
                f"{wanted}: give IMAGE_PYTHON another interpreter, or none to have one found."
            )
        return given
    for candidate in _interpreters(wanted):
        if _version(candidate) == wanted:
            return candidate
    raise NoEnvironment(
        f"There is no Python {wanted}, which the image has: install it as python{wanted}, or give "
        f"IMAGE_PYTHON=/path/to/python{wanted}."
    )


def _image(version: str) -> Image:
    if version not in known_images():
        raise NoEnvironment(f"The image {version} is not known: choose IMAGE={' or IMAGE='.join(known_images())}.")
    return image(version)


def _interpreters(wanted: str) -> Iterator[str]:
    found = shutil.which(f"python{wanted}")
    if found:
        yield found
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(root.glob(f"versions/{wanted}.*/bin/python{wanted}"), reverse=True))


def _version(interpreter: str) -> str | None:
    """Such as 3.12; None for what is not a Python that runs (a shim of pyenv may stand for none)."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([interpreter, "-I", "-c", program], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _requirements(target: Image) -> list[str]:
    pins = {name: pin for name, pin in target.packages.items() if name not in NOT_NEEDED}
    return [f"{INSTEAD.get(name, name)}=={pin}" for name, pin in sorted({**BESIDE, **pins}.items())]


def _mend(folder: Path) -> None:
    """As both Dockerfiles do: collections.Mapping is gone since Python 3.10."""
    for path in folder.glob("lib/python*/site-packages/sagemaker_containers/_mapping.py"):
        text = path.read_text(encoding="utf-8")
        path.unlink()  # the file may be a link into the cache of uv
        path.write_text(text.replace("collections.Mapping", "collections.abc.Mapping"), encoding="utf-8")


def _uv(*arguments: str, limit: float | None) -> None:
    command = [sys.executable, "-m", "uv", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        raise NoEnvironment(f"The image's environment was not built within {limit:.0f} s.") from None
    if done.returncode != 0:
        raise NoEnvironment(f"The image's environment cannot be built: {done.stderr.strip()[-2000:]}")
