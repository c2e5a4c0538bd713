"""Which local runtime stands for a container image."""

import re
import shutil
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Repository names of the images that run a user's Python script: AWS's framework images (the names in
# the SageMaker SDK's image_uri_config) and Docker's official python image.
PYTHON_REPOSITORIES = re.compile(
    r"(sagemaker-(xgboost|scikit-learn|base-python(-\w+)?|distribution(-\w+)?)"
    r"|(sagemaker-)?(pytorch|tensorflow|mxnet|huggingface|autogluon|chainer)(-[\w-]+)?"
    r"|python)"
)
# Images whose toolkit is sagemaker-containers, for scripts and for serving one model (the training.py and serving.py of
# sagemaker-xgboost-container and of sagemaker-scikit-learn-container).
CONTAINERS_REPOSITORIES = re.compile(r"sagemaker-(xgboost|scikit-learn)")
# Those whose toolkits are sagemaker-training and sagemaker-inference.
FRAMEWORK_REPOSITORIES = re.compile(r"(sagemaker-)?(pytorch|tensorflow|mxnet|huggingface|autogluon|chainer)(-[\w-]+)?")
CONTAINERS, TRAINING, INFERENCE = "sagemaker-containers", "sagemaker-training", "sagemaker-inference"


class UnknownImage(LookupError):
    """No local runtime stands for the image; the message says how to give it one."""


@dataclass(frozen=True)
class Runtime:
    """What runs in place of an image: `python` is the command that starts its Python interpreter.

    `entrypoint` runs where a job names none, as an image's own does; empty where the image only runs scripts.
    """

    python: tuple[str, ...]
    entrypoint: tuple[str, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether this is the interpreter that runs the server."""
        return self.python == (sys.executable,)


class ImageMap:
    """Image URIs to local runtimes.

    `mapping` adds to what is known: an image URI, or the beginning of one, to an interpreter's path or to
    a command that starts one; `entrypoints` to a command that runs in the current interpreter's environment in place
    of the image's own entrypoint. The longest matching beginning wins, and goes before the known images.
    """

    def __init__(
        self,
        mapping: Mapping[str, str | Sequence[str]] | None = None,
        entrypoints: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._used: set[str] = set()
        self._entrypoints = {image: tuple(command) for image, command in (entrypoints or {}).items()}
        self._commands = {
            image: (command,) if isinstance(command, str) else tuple(command)
            for image, command in (mapping or {}).items()
        }

    def resolve(self, image_uri: str) -> Runtime:
        """The runtime of an image; UnknownImage, naming the image and the remedy, where there is none."""
        matches = [image for image in (*self._commands, *self._entrypoints) if image_uri.startswith(image)]
        longest = max(matches, key=len, default=None)
        if longest in self._entrypoints:
            return Runtime((sys.executable,), self._entrypoints[longest])
        if longest is not None:
            return self._mapped(image_uri, self._commands[longest])
        if PYTHON_REPOSITORIES.fullmatch(repository_and_tag(image_uri)[0]):
            return Runtime((sys.executable,))
        raise UnknownImage(
            f"No local runtime stands for the image {image_uri!r}: map it, or the beginning of its URI, "
            "to a Python interpreter or a function in a handlers file (docs/local_sagemaker.md)."
        )

    def first_use(self, image_uri: str) -> bool:
        """Whether this is the first time that it is asked this about an image."""
        with self._lock:
            first = image_uri not in self._used
            self._used.add(image_uri)
        return first

    def _mapped(self, image_uri: str, command: tuple[str, ...]) -> Runtime:
        program = shutil.which(command[0]) if command else None
        if program is None:
            raise UnknownImage(
                f"The image {image_uri!r} is mapped to {' '.join(command)!r}, which is not an executable program."
            )
        return Runtime((program, *command[1:]))


def training_toolkit(image_uri: str) -> str | None:
    """The toolkit that runs an image's scripts; None for an image that has none, such as `python`."""
    repository = repository_and_tag(image_uri)[0]
    if CONTAINERS_REPOSITORIES.fullmatch(repository):
        return CONTAINERS
    return TRAINING if FRAMEWORK_REPOSITORIES.fullmatch(repository) else None


def serving_toolkit(image_uri: str) -> str:
    """The toolkit whose server an image runs; an image that is none of AWS's is taken for sagemaker-inference."""
    return CONTAINERS if CONTAINERS_REPOSITORIES.fullmatch(repository_and_tag(image_uri)[0]) else INFERENCE


def repository_and_tag(image_uri: str) -> tuple[str, str]:
    """The last part of the repository's name, and the tag: 1.dkr.ecr.eu-west-1.amazonaws.com/REPOSITORY:TAG."""
    name = image_uri.partition("@")[0].rpartition("/")[2]
    repository, _, tag = name.partition(":")
    return repository, tag
