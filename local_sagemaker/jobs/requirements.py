"""A bundle's requirements.txt: only what is missing is installed, into a folder of the job's own."""

import importlib.metadata
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from local_sagemaker.jobs.images import Runtime
from local_sagemaker.jobs.outcome import ClientFault

REQUIREMENTS = "requirements.txt"
OVERLAY = "overlay"  # beside home and tmp in a host's private folder
PIP_VARIABLES = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
Run = Callable[[list[str]], int]  # runs a command to its end, with its output in the job's log; the exit code


def install_missing(requirements: Path, overlay: Path, runtime: Runtime, run: Run) -> bool:
    """Install what the runtime lacks of a requirements file into the folder `overlay`.

    Returns whether anything was installed; ClientFault where pip fails. pip first says what it would
    install beside what is there, and then installs just that: `--target` alone would install everything.
    """
    if runtime.is_current and not missing(requirements):
        return False
    overlay.mkdir(parents=True, exist_ok=True)
    report = overlay / ".report.json"
    pip = [*runtime.python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
    fault = f"The requirements in {requirements.name} cannot be installed by pip: see the job's log."
    if run([*pip, "--dry-run", "--report", str(report), "-r", str(requirements)]) != 0:
        raise ClientFault(fault)
    lacking = [_pinned(package) for package in json.loads(report.read_text("utf-8"))["install"]]
    report.unlink()
    if lacking and run([*pip, "--no-deps", "--target", str(overlay), *lacking]) != 0:
        raise ClientFault(fault)
    return bool(lacking)


def missing(requirements: Path) -> bool:
    """Whether the current interpreter lacks something of the file, or that is for pip to judge (options, URLs)."""
    lines = [line.partition(" #")[0].strip() for line in requirements.read_text("utf-8").splitlines()]
    return not all(_installed(line) for line in lines if line and not line.startswith("#"))


def pip_environment(caller: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What pip must know of the caller's network and package index."""
    return {name: value for name, value in caller.items() if name.startswith(PIP_VARIABLES)}


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


def _pinned(package: dict[str, dict[str, str]]) -> str:
    # https://pip.pypa.io/en/stable/reference/installation-report/
    if package.get("is_direct"):
        return f"{package['metadata']['name']} @ {package['download_info']['url']}"
    return f"{package['metadata']['name']}=={package['metadata']['version']}"
