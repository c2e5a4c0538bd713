"""A bundle's requirements.txt: only what is missing is installed, into the overlay of the job."""

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.processes.overlay import Overlay

REQUIREMENTS = "requirements.txt"
Run = Callable[[list[str]], int]  # runs a command to its end, with its output in the job's log; the exit code


def install_missing(requirements: Path, overlay: Overlay, run: Run) -> None:
    """Install what the runtime lacks of a requirements file into the job's overlay; ClientFault where pip fails."""
    if overlay.of_current and not missing(requirements):
        return  # without starting pip, which takes a second to find that out
    pip = [*overlay.python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
    if run([*pip, "-r", str(requirements)]) != 0:
        raise ClientFault(f"The requirements in {requirements.name} cannot be installed by pip: see the job's log.")


def missing(requirements: Path) -> bool:
    """Whether the current interpreter lacks something of the file, or that is for pip to judge (options, URLs)."""
    lines = [line.partition(" #")[0].strip() for line in requirements.read_text("utf-8").splitlines()]
    return not all(_installed(line) for line in lines if line and not line.startswith("#"))


def _installed(line: str) -> bool:
    try:
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate():
            return True
        version = importlib.metadata.version(requirement.name)
    except (InvalidRequirement, importlib.metadata.PackageNotFoundError):
        return False
    plain = requirement.url is None and not requirement.extras
    return plain and requirement.specifier.contains(version, prereleases=True)
