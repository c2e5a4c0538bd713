"""The wheels of what an image lacks: downloaded by an upsert to AWS, for the image's Python and system."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.errors import PipelineError
from pipelines.images.image import Image

# pip takes no newer tag for an older one: all that the images' systems (glibc 2.31 and later) can load.
PLATFORMS = (*(f"manylinux_2_{minor}_x86_64" for minor in (31, 28, 27, 24, 17, 12, 5)), "manylinux2014_x86_64")
LIST = "requirements.txt"
# What pip says of a version that it cannot have, and of a file of another content.
NOT_FOUND = re.compile(r"satisfies the requirement (?P<pin>\S+).*\(from versions: (?P<versions>[^)]*)\)")
ANOTHER_FILE = re.compile(r"^ +(?P<pin>\S+==\S+) from .*\n +Expected sha256", re.MULTILINE)


def fetch_wheels(image: Image, folder: Path, wheel_list: bytes) -> list[Path]:
    """The wheels of a list for an image, from `folder` or the package index, each checked against its hash.

    PipelineError where one cannot be had, such as a version that has no build for the image.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder / LIST
    wanted.write_bytes(wheel_list)
    return download(["--require-hashes", "-r", str(wanted)], image.python, folder)


def download(requirements: Sequence[str], python: str, folder: Path) -> list[Path]:
    """Download wheels for a Python version such as 3.12 and an image's system, and no sources."""
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--python-version", python]
    options += ["--implementation", "cp", *(part for platform in PLATFORMS for part in ("--platform", platform))]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), *requirements]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PipelineError(f"The wheels of the image cannot be downloaded: {_why(done.stderr, python)}.")
    return sorted(folder.glob("*.whl"))


def _why(said: str, python: str) -> str:
    """Why pip has downloaded nothing: which wheel, and what to do."""
    if missing := NOT_FOUND.search(said):
        unreachable = ", or cannot be reached" if missing["versions"] == "none" else ""
        return (
            f"the package index has no wheel of {missing['pin']} for Python {python} on x86_64 Linux{unreachable}; "
            "where a version has no build for the image, `make wheels` chooses others"
        )
    if other := ANOTHER_FILE.search(said):
        return (
            f"{other['pin']} is another file on the package index than the one whose hash is in the list: look at it "
            "before `make wheels` renews the list"
        )
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR")]
    return (errors[-1] if errors else said.strip()[-300:]).rstrip(".")
