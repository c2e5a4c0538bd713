"""The git commit that a definition is built from, and what else tells where a deployment came from."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

UNKNOWN, DIRTY = "unknown", "-dirty"
PUBLISHED = ("steps", "evaluation", "monitoring", "pipelines")  # a file there counts although git does not know it yet
NOT_IN_TAGS = re.compile(r"[^\w\s.:/=+\-@]")  # of botocore's pattern of TagValue
LONGEST_TAG = 256


@dataclass(frozen=True)
class Revision:
    """What a deployment comes from. `commit` ends in -dirty where the checkout differs from it.

    `committed` is the time of the commit, None where it is not known.
    """

    commit: str
    branch: str = UNKNOWN
    build: str = "none"
    committed: datetime | None = None

    @property
    def dirty(self) -> bool:
        """Whether the checkout holds changes that no commit has."""
        return self.commit.endswith(DIRTY)

    def tags(self) -> dict[str, str]:
        """The revision as tags of the pipeline."""
        values = {
            "git-commit": self.commit,
            "git-branch": self.branch,
            "git-dirty": str(self.dirty).lower(),
            "git-committed": self.committed.isoformat() if self.committed else UNKNOWN,
            "build-id": self.build,
        }
        return {name: NOT_IN_TAGS.sub("_", value)[:LONGEST_TAG] for name, value in values.items()}


def git_commit(folder: Path, variables: Mapping[str, str] = os.environ) -> str:
    """The commit of the checkout that holds folder, with `-dirty` where the checkout differs from it.

    It differs where a tracked file is changed, or where a file of the folders that are published is not tracked.
    In CodeBuild, whose checkout may have no .git, it is CODEBUILD_RESOLVED_SOURCE_VERSION; `unknown` elsewhere.
    """
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return variables.get("CODEBUILD_RESOLVED_SOURCE_VERSION", UNKNOWN)
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    unknown = _git(folder, "ls-files", "--others", "--exclude-standard", "--", *PUBLISHED)
    return f"{commit}{DIRTY}" if changed or unknown else commit


def revision(folder: Path, variables: Mapping[str, str] = os.environ) -> Revision:
    """The commit, its time, the branch and, in CodeBuild, the build."""
    committed = _git(folder, "log", "-1", "--format=%cI")
    branch = _git(folder, "branch", "--show-current")
    built = variables.get("CODEBUILD_WEBHOOK_HEAD_REF") or variables.get("CODEBUILD_SOURCE_VERSION") or UNKNOWN
    return Revision(
        commit=git_commit(folder, variables),
        branch=branch or built.removeprefix("refs/heads/"),
        build=variables.get("CODEBUILD_BUILD_ID") or "none",
        committed=datetime.fromisoformat(committed) if committed else None,
    )


def author(folder: Path) -> str | None:
    """Who wrote the commit of a checkout, as `Name <address>`; None where that is not known."""
    return _git(folder, "log", "-1", "--format=%an <%ae>") or None


def _git(folder: Path, *arguments: str) -> str | None:
    # No configuration of the user's or the machine's: the same checkout gives the same answer everywhere.
    nowhere = dict.fromkeys(("GIT_CONFIG_GLOBAL", "HOME", "XDG_CONFIG_HOME"), os.devnull)
    environment = {**os.environ, **nowhere, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-c", "safe.directory=*", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
