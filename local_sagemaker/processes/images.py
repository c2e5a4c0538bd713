"""Which local runtime stands for a container image."""

import shutil
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from local_sagemaker.processes.describe_python import versions
from local_sagemaker.processes.image_families import BUILT_IN_ALGORITHMS, PLAIN, ImageFamily, family_of


class UnknownImage(LookupError):
    """No local runtime stands for the image; the message says how to give it one."""


@dataclass(frozen=True)
class Runtime:
    """What runs in place of an image: `python` is the command that starts its Python interpreter.

    `entrypoint` runs where a job names none, as an image's own does; empty where the image only runs scripts.
    `family` says what the image does around a script.
    """

    python: tuple[str, ...]
    entrypoint: tuple[str, ...] = ()
    family: ImageFamily = PLAIN

    @property
    def is_current(self) -> bool:
        """Whether this is the interpreter that runs the server."""
        return self.python == (sys.executable,)


class ImageMap:
    """Image URIs to local runtimes.

    `mapping` adds to what is known: an image URI, or the beginning of one, to an interpreter's path or to
    a command that starts one; `entrypoints` to a command that runs in the current interpreter's environment in place
    of the image's own entrypoint. The longest matching beginning wins, and goes before the known images.
    `environments` tells the interpreter of an environment that was made for an image.
    """

    def __init__(
        self,
        mapping: Mapping[str, str | Sequence[str]] | None = None,
        entrypoints: Mapping[str, Sequence[str]] | None = None,
        environments: Callable[[str], str | None] = lambda image_uri: None,
    ) -> None:
        self._environments = environments
        self._lock = threading.Lock()
        self._used: set[str] = set()
        self._entrypoints = {image: tuple(command) for image, command in (entrypoints or {}).items()}
        self._commands = {
            image: (command,) if isinstance(command, str) else tuple(command)
            for image, command in (mapping or {}).items()
        }

    def resolve(self, image_uri: str) -> Runtime:
        """The runtime of an image; UnknownImage, naming the image and the remedy, where there is none."""
        repository = repository_and_tag(image_uri)[0]
        family = family_of(repository)
        matches = [image for image in (*self._commands, *self._entrypoints) if image_uri.startswith(image)]
        longest = max(matches, key=len, default=None)
        if longest in self._entrypoints:
            return Runtime((sys.executable,), self._entrypoints[longest], family or PLAIN)
        if longest is not None:
            return Runtime(self._program(image_uri, self._commands[longest]), family=family or PLAIN)
        if family is not None and (python := self._environments(image_uri)) is not None:
            return Runtime((python,), family=family)
        if family is not None:
            lacking = [name for name, names in family.needed(repository).items() if not versions(names)]
            if lacking:
                raise UnknownImage(
                    f"The image {image_uri} has {' and '.join(lacking)}, which this server's environment lacks: "
                    "make an environment for it with `local-sagemaker image add`, or map the image in a handlers file "
                    "to the interpreter of one that has it (docs/local_sagemaker.md)."
                )
            return Runtime((sys.executable,), family=family)
        if repository in BUILT_IN_ALGORITHMS:
            raise UnknownImage(
                f"Local SageMaker does not have SageMaker's built-in algorithm {repository} ({image_uri}): map the "
                "image to a program of your own in a handlers file (docs/local_sagemaker.md), or use a framework image."
            )
        raise UnknownImage(
            f"There is no local runtime for the image {image_uri!r}: map it, or the beginning of its URI, "
            "to a Python interpreter or a function in a handlers file (docs/local_sagemaker.md)."
        )

    def first_use(self, image_uri: str) -> bool:
        """Whether this is the first time that it is asked this about an image."""
        with self._lock:
            first = image_uri not in self._used
            self._used.add(image_uri)
        return first

    def _program(self, image_uri: str, command: tuple[str, ...]) -> tuple[str, ...]:
        program = shutil.which(command[0]) if command else None
        if program is None:
            raise UnknownImage(
                f"The image {image_uri!r} is mapped to {' '.join(command)!r}, which is not an executable program."
            )
        return (program, *command[1:])


def repository_and_tag(image_uri: str) -> tuple[str, str]:
    """The last part of the repository's name, and the tag: 1.dkr.ecr.eu-west-1.amazonaws.com/REPOSITORY:TAG."""
    name = image_uri.partition("@")[0].rpartition("/")[2]
    repository, _, tag = name.partition(":")
    return repository, tag
