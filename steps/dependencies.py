"""Install what a job needs and its image lacks; do nothing where it is there already."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.requirements import Requirement

from steps.failure import JobError, listed

# What the models are trained with must stay as the image has it, whatever a new package would like.
KEPT = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "xgboost", "xgboost-cpu")


def unsatisfied(requirements: Path) -> list[str]:
    """Return the lines of a requirements file that the current environment does not satisfy."""
    lines = (line.split("#")[0].strip() for line in requirements.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not _is_satisfied(Requirement(line))]


def _is_satisfied(requirement: Requirement) -> bool:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    version = _installed_version(requirement.name)
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def _installed_version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def ensure(requirements: Path) -> None:
    """Install with pip what is not satisfied, without changing the packages in KEPT.

    Raises JobError naming the packages when pip fails, as it does without a network.
    """
    wanted = unsatisfied(requirements)
    if not wanted:
        return
    print(f"installing {listed(wanted)}", flush=True)
    kept = {name: _installed_version(name) for name in KEPT}
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in kept.items() if version))
        options = ["--quiet", "--disable-pip-version-check", "--constraint", str(constraints)]
        command = [sys.executable, "-m", "pip", "install", *options, *wanted]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        print(result.stdout, result.stderr, file=sys.stderr, flush=True)
        raise JobError(
            f"pip could not install {listed(wanted)} from {requirements.name}: "
            "the job needs a way to a package index, or an image that has it."
        )
