"""The git commit that a definition is built from."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

UNKNOWN = "unknown"


def git_commit(folder: Path, variables: Mapping[str, str] = os.environ) -> str:
    """The commit of the checkout that holds folder, with `-dirty` where tracked files differ from it.

    In CodeBuild, whose checkout may have no .git, it is CODEBUILD_RESOLVED_SOURCE_VERSION; `unknown` elsewhere.
    """
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return variables.get("CODEBUILD_RESOLVED_SOURCE_VERSION", UNKNOWN)
    return f"{commit}-dirty" if _git(folder, "status", "--porcelain", "--untracked-files=no") else commit


def _git(folder: Path, *arguments: str) -> str | None:
    # No configuration of the user's or the machine's: the same checkout gives the same answer everywhere.
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-c", "safe.directory=*", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
