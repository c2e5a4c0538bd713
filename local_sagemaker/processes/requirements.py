"""A bundle's requirements.txt: only what is missing is installed, into the overlay of the job."""

import codecs
import importlib.metadata
import re
from collections.abc import Callable
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.processes.overlay import Overlay

REQUIREMENTS = "requirements.txt"
CODING = re.compile(rb"coding[:=]\s*([-\w.]+)")
MARKS = (  # the longer ones first
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
Run = Callable[[list[str]], int]  # runs a command to its end, with its output in the job's log; the exit code


def install_missing(requirements: Path, overlay: Overlay, run: Run) -> None:
    """Install what the runtime lacks of a requirements file into the job's overlay; ClientFault where pip fails."""
    if overlay.of_current and not missing(requirements):
        return  # without starting pip, which takes a second to find that out
    pip = [*overlay.python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
    if run([*pip, "-r", str(requirements)]) != 0:
        raise ClientFault(f"The requirements in {requirements.name} cannot be installed by pip: see the job's log.")


def install_package(overlay: Overlay, run: Run) -> None:
    """Install the package (setup.py) in the folder where `run` runs; ClientFault where that fails."""
    if run([*overlay.python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet", "."]) != 0:
        raise ClientFault("The package of the code (setup.py) cannot be installed by pip: see the job's log.")


def missing(requirements: Path) -> bool:
    """Whether the current interpreter lacks something of the file, or that is for pip to judge.

    That are options, URLs, and texts in an encoding that only pip's own rules may find.
    """
    try:
        text = _text(requirements.read_bytes())
    except (UnicodeDecodeError, LookupError):
        return True
    lines = [line.partition(" #")[0].strip() for line in text.splitlines()]
    return not all(_installed(line) for line in lines if line and not line.startswith("#"))


def _text(content: bytes) -> str:
    """A requirements file as pip decodes it: by its byte order mark, by a coding line, else as UTF-8."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding)
    for line in content.split(b"\n")[:2]:
        declared = CODING.search(line) if line.startswith(b"#") else None
        if declared is not None:
            return content.decode(declared[1].decode("ascii"))
    return content.decode("utf-8")


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
