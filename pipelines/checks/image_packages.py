"""Warnings: what job code imports in another version here than in the chosen image."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from pipelines.checks.fault import Fault
from pipelines.images.image import IMPORTED, Image

# A distribution that stands for another: without the parts for GPUs.
SAME = {"xgboost": ("xgboost-cpu", "xgboost")}


def package_warnings(image: Image) -> Iterator[Fault]:
    """One warning for each library whose version differs: a run on this machine then proves less for AWS."""
    for name in IMPORTED:
        here = _installed(SAME.get(name, (name,)))
        if here != image.packages[name]:
            message = (
                f"the image {image.version} has {name} {image.packages[name]}; this environment has {here or 'none'}"
            )
            yield Fault(None, "jobs.image_version", message, "a run on this machine proves less for AWS there")


def _installed(names: tuple[str, ...]) -> str | None:
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None
