"""How an image's versions differ from those of the environment that stands for it, as far as its URI tells.

The names and tags are those of AWS's framework images: sagemaker-xgboost:3.2-0, sagemaker-scikit-learn:1.2-1-cpu-py3,
pytorch-training:2.6.0-cpu-py312, huggingface-pytorch-training:2.1.0-transformers4.36.0-gpu-py310.
"""

import logging
import re
from collections.abc import Callable, Iterator

from local_sagemaker.processes.image_families import family_of
from local_sagemaker.processes.images import ImageMap, Runtime, repository_and_tag
from local_sagemaker.processes.overlay import Interpreter, inspect

LOG = logging.getLogger("local_sagemaker.jobs")
PYTHONS = {"sagemaker-xgboost:3.0-5": "3.10", "sagemaker-xgboost:3.2-0": "3.12"}  # images whose tags do not say it
LINE = re.compile(r"(\d+)\.(\d+)")


def warn_once(images: ImageMap, image_uri: str, runtime: Runtime, say: Callable[[str], None]) -> None:
    """At the first use of an image, name the differences in the server's log and by `say`, if there are any."""
    if not images.first_use(image_uri):
        return
    interpreter = inspect(runtime.python)
    found = list(differences(image_uri, interpreter)) if interpreter is not None else []
    if found:
        warning = (
            f"the image {image_uri} differs from this environment: {'; '.join(found)}. To use another environment, "
            "map it in a handlers file (docs/local_sagemaker.md)"
        )
        LOG.warning(warning)
        say(f"warning: {warning}.")


def differences(image_uri: str, interpreter: Interpreter) -> Iterator[str]:
    """One clause for each version line (such as 3.11 or 1.2) that is not the interpreter's."""
    for name, wanted, here in _versions(image_uri, interpreter):
        if here is None:
            yield f"it has {name} {wanted}; this environment has none"
        elif _line(here) != _line(wanted):
            yield f"it has {name} {wanted}; this environment has {here}"


def python_of(image_uri: str) -> str | None:
    """The line of the image's Python, such as 3.11, where its URI tells."""
    repository, tag = repository_and_tag(image_uri)
    python = re.search(r"py(\d)(\d+)(?!\d)", tag) or re.fullmatch(r"sagemaker-base-python-(\d)(\d+)", repository)
    if python:
        return f"{python[1]}.{python[2]}"
    if repository == "python" and (line := LINE.match(tag)):
        return line[0]
    return PYTHONS.get(f"{repository}:{tag}")


def frameworks_of(image_uri: str) -> dict[str, str]:
    """The versions of the image's frameworks, as far as its URI tells them."""
    repository, tag = repository_and_tag(image_uri)
    family = family_of(repository)
    version = re.match(r"[\d.]+", tag)
    found = {}
    for framework in family.frameworks if family is not None else {}:
        named = re.search(rf"{framework}([\d.]+)", tag)  # as transformers4.36.0
        text = named[1] if named else version[0] if version and framework in repository else ""
        if LINE.match(text):
            found[framework] = text.rstrip(".")
    return found


def _versions(image_uri: str, interpreter: Interpreter) -> Iterator[tuple[str, str, str | None]]:
    """What is in the image: name, its version there, its version here."""
    if python := python_of(image_uri):
        yield "Python", python, interpreter.version
    family = family_of(repository_and_tag(image_uri)[0])
    for framework, version in frameworks_of(image_uri).items():
        packages = family.frameworks[framework] if family is not None else ()
        yield framework, version, next((interpreter.versions[n] for n in packages if n in interpreter.versions), None)


def _line(version: str) -> str:
    found = LINE.match(version)
    return found[0] if found else version
