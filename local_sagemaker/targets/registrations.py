"""The commands that stand for targets on this machine, as files in the state folder.

Imports only the standard library: a command line registers its commands before anything else is loaded. The folder is
its user's alone, so that who may write a file here is who may run a command anyway.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_sagemaker.errors import LocalSageMakerError

BUILD = re.compile(r"arn:[\w-]+:codebuild:[\w-]+:\d{12}:project/(?P<name>[A-Za-z0-9][\w-]{1,149})")
FUNCTION = re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d{12}:function:(?P<name>[\w-]{1,140})(:[\w$-]+)?")
FOLDER = "targets"  # in the state folder


@dataclass(frozen=True)
class Command:
    """What runs for a target: its words (no shell reads them), the folder it starts in, its own environment."""

    words: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]


def log_group(arn: str) -> str | None:
    """The log group of a target that can be run, /aws/codebuild/NAME or /aws/lambda/NAME; None for any other."""
    for service, pattern in (("codebuild", BUILD), ("lambda", FUNCTION)):
        if found := pattern.fullmatch(arn):
            return f"/aws/{service}/{found['name']}"
    return None


def register(state: Path, arn: str, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    """Let a command stand for a target from now on, in place of the one before."""
    if log_group(arn) is None:
        raise LocalSageMakerError(f"{arn} is neither a CodeBuild project nor a Lambda function.")
    path = _path(state, arn)
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"Arn": arn, "Command": list(words), "Folder": str(folder), "Environment": dict(environment)}
    new = path.with_suffix(f".{os.getpid()}")
    new.write_text(json.dumps(document), encoding="utf-8")
    new.replace(path)


def registered(state: Path, arn: str) -> Command | None:
    """The command that stands for a target; None where there is none."""
    try:
        document = json.loads(_path(state, arn).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return Command(tuple(document["Command"]), Path(document["Folder"]), document["Environment"])


def _path(state: Path, arn: str) -> Path:
    return state / FOLDER / "registered" / f"{hashlib.sha256(arn.encode()).hexdigest()[:32]}.json"
