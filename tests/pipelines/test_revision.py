"""The commit that a definition carries."""

import subprocess
from pathlib import Path

import pytest

from pipelines.revision import git_commit


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return tmp_path


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    (checkout / "untracked").write_text("x")
    assert git_commit(checkout) == git(checkout, "rev-parse", "HEAD")


def test_a_changed_checkout_says_so(checkout: Path) -> None:
    (checkout / "file").write_text("two")
    assert git_commit(checkout) == git(checkout, "rev-parse", "HEAD") + "-dirty"


def test_without_git_codebuilds_variable_is_the_commit(tmp_path: Path) -> None:
    assert git_commit(tmp_path, {"CODEBUILD_RESOLVED_SOURCE_VERSION": "abc"}) == "abc"
    assert git_commit(tmp_path, {}) == "unknown"
