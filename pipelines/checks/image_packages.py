"""Warnings: what job code imports in another version here than on AWS, or does not find here at all."""

from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version

from pipelines.checks.fault import Fault
from pipelines.images.image import IMPORTED, Image
from steps.other_libraries import LIBRARIES

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


def library_warnings(names: Iterable[str]) -> Iterator[Fault]:
    """One warning for each candidate of another library that is not installed here; on AWS its wheels travel along."""
    for name in names:
        library = LIBRARIES[name]
        if _installed((library.package,)) is None:
            message = f"{library.title} is not installed here, and Train on this machine needs it"
            fix = f"install {library.package}, or leave out candidates.{name}; on AWS its wheels travel with the job"
            yield Fault(None, f"candidates.{name}", message, fix)


def _installed(names: tuple[str, ...]) -> str | None:
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None
