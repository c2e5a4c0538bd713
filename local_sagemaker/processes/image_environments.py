"""Environments that were made for images: `local-sagemaker image add`, in the folder `images` of the state.

A finished one has a record, image.json; one without it is the rest of an attempt.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.processes.image_families import family_of
from local_sagemaker.processes.image_versions import frameworks_of, python_of
from local_sagemaker.processes.images import repository_and_tag

FOLDER = "images"
RECORD = "image.json"
BESIDE = ("numpy<2",)  # what the default handlers need; older frameworks were built for the older one
ALSO = {"xgboost": ("pandas", "scipy")}  # of its algorithm without a script
TAIL = 600  # characters of pip's output that an error shows


@dataclass(frozen=True)
class Environment:
    """An environment: the image that it was made for, its Python's version, and its packages, pinned."""

    image: str
    python: str
    packages: list[str]


class ImageEnvironments:
    """Those of one state folder; an image is known by its repository's last part and its tag, in any registry."""

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER

    def python(self, image_uri: str) -> str | None:
        """The interpreter that was made for an image; None where there is none."""
        folder = self._of(image_uri)
        return str(folder / "bin/python") if (folder / RECORD).is_file() else None

    def all(self) -> list[Environment]:
        """Every environment, by its image."""
        records = sorted(self._folder.glob(f"*/{RECORD}"))
        return [Environment(**json.loads(record.read_text("utf-8"))) for record in records]

    def add(self, image_uri: str, packages: list[str]) -> Environment:
        """Make an environment with the frameworks that the image's tag tells, and with further packages.

        LocalSageMakerError where it is there already, the image belongs to no known family, or pip cannot install them.
        """
        if self.python(image_uri) is not None:
            raise LocalSageMakerError(f"{image_uri} has an environment: remove it first (`image remove`).")
        requirements = requirements_of(image_uri, packages)
        folder = self._of(image_uri)
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            _run([_python(image_uri), "-m", "venv", str(folder)], "The environment could not be made")
            python = str(folder / "bin/python")
            pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
            _run([*pip, "install", "--quiet", *requirements], f"pip could not install {' '.join(requirements)}")
            frozen = _run([*pip, "freeze"], "pip could not list the packages").splitlines()
            version = _run([python, "-c", "import platform; print(platform.python_version())"], "It has no Python")
            environment = Environment(image_uri, version.strip(), frozen)
            draft = folder / f"{RECORD}.part"
            draft.write_text(json.dumps(vars(environment), indent=1), "utf-8")
            draft.rename(folder / RECORD)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return environment

    def remove(self, image_uri: str) -> None:
        """Delete an image's environment; LocalSageMakerError where there is none."""
        folder = self._of(image_uri)
        if not (folder / RECORD).is_file():
            raise LocalSageMakerError(f"{image_uri} has no environment here: `image list` names those that there are.")
        (folder / RECORD).unlink()
        shutil.rmtree(folder)

    def _of(self, image_uri: str) -> Path:
        name = ":".join(repository_and_tag(image_uri))
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        return self._folder / f"{re.sub(r'[^A-Za-z0-9.-]', '-', name)}-{digest}"


def requirements_of(image_uri: str, packages: list[str]) -> list[str]:
    """What pip is to install for an image: its frameworks in the versions of its tag, unless `packages` name them."""
    repository = repository_and_tag(image_uri)[0]
    family = family_of(repository)
    if family is None or not family.frameworks:
        raise LocalSageMakerError(
            f"{image_uri} does not belong to a family of images whose packages are known: map it to an interpreter "
            "in a handlers file (docs/local_sagemaker.md)."
        )
    given = set(map(_name, packages))
    found: list[str] = []
    beside: list[str] = []
    versions = frameworks_of(image_uri)
    for name, distributions in family.needed(repository).items():
        package = distributions[0]
        if package in given:
            continue
        if name not in versions:
            raise LocalSageMakerError(
                f"The tag of {image_uri} does not say which version of {package} it has: name one, such as "
                f"{package}==VERSION, after the image."
            )
        version = versions[name]
        found.append(f"{package}=={version}" if version.count(".") > 1 else f"{package}=={version}.*")
        beside += [each for each in (*BESIDE, *ALSO.get(package, ())) if _name(each) not in given]
    return list(dict.fromkeys([*found, *beside, *packages]))


def _name(requirement: str) -> str:
    """The name of the package that a requirement is about."""
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower()


def _python(image_uri: str) -> str:
    """The Python of the image's line, where this machine has it, or else the one that runs this."""
    line = python_of(image_uri)
    return (shutil.which(f"python{line}") if line else None) or sys.executable


def _run(command: list[str], fault: str) -> str:
    """The output of a command; LocalSageMakerError, with the end of what it said, where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LocalSageMakerError(f"{fault}: {(done.stderr or done.stdout).strip()[-TAIL:]}")
    return done.stdout
