"""One image: its Python, its packages, and the list of the wheels that the jobs need beside them."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipelines.errors import PipelineError

FOLDER = Path(__file__).parent
PACKAGES, WHEELS = "packages.txt", "wheels.txt"
DIGEST_LENGTH = 16  # hexadecimal digits of SHA-256 that the key of the wheels carries
PIN = re.compile(r"([\w.-]+)==([\w.+!]+)")
# What job code imports of it: these versions decide what a model is, and whether it can be trained at all.
IMPORTED = (
    "matplotlib",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "werkzeug",
    "xgboost",
)


@dataclass(frozen=True)
class Image:
    """A version of the XGBoost image; packages and wheels by canonical name, `wheel_list` as the jobs get it."""

    version: str
    python: str
    packages: dict[str, str]
    wheels: dict[str, str]
    wheel_list: bytes

    @property
    def wheels_digest(self) -> str:
        """What names the image's wheels in S3."""
        return digest_of(self.wheel_list)

    def list_of(self, libraries: Iterable[str]) -> bytes:
        """The list of the wheels that candidates of the YAML need; PipelineError where the image has none for one."""
        found = b""
        for name in sorted(libraries):
            path = FOLDER / self.version / f"{name}.txt"
            if not path.is_file():
                raise PipelineError(
                    f"There is no list of wheels of {name} for the XGBoost image {self.version}: leave out "
                    f"candidates.{name}, or fix jobs.image_version in the YAML."
                )
            found += path.read_bytes()
        return found


def digest_of(wheel_list: bytes) -> str:
    """What names wheels in S3: a hash of their list, which holds a hash of each."""
    return hashlib.sha256(wheel_list).hexdigest()[:DIGEST_LENGTH]


def known_images() -> list[str]:
    """The versions that there are lists for, newest last."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{PACKAGES}"))


@cache
def image(version: str) -> Image:
    """The image of a version; PipelineError where there are no lists for it."""
    if version not in known_images():
        raise PipelineError(
            f"There are no lists of packages and wheels for the XGBoost image {version}: fix jobs.image_version in the "
            f"YAML ({', '.join(known_images())})."
        )
    text = (FOLDER / version / PACKAGES).read_text(encoding="utf-8")
    wheel_list = (FOLDER / version / WHEELS).read_bytes()
    python = text.partition("\n")[0].removeprefix("# Python ")
    return Image(version, python, pins(text), pins(wheel_list.decode()), wheel_list)


def pins(text: str) -> dict[str, str]:
    """Canonical name -> version of every `name==version` that begins a line."""
    found = (PIN.match(line) for line in text.splitlines())
    return {canonical(match[1]): match[2] for match in found if match}


def canonical(name: str) -> str:
    """A package's name in the form in which names are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
