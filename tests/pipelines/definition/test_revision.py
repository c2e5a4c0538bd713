"""The commit that a definition carries."""

import subprocess
from pathlib import Path

import pytest

from pipelines.definition.revision import git_commit, revision


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


def test_a_file_that_is_published_and_not_tracked_makes_the_checkout_dirty(checkout: Path) -> None:
    (checkout / "steps").mkdir()
    (checkout / "steps" / "new.py").write_text("x")
    assert git_commit(checkout).endswith("-dirty")


def test_the_ignore_rules_of_a_person_change_nothing(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / ".config" / "git").mkdir(parents=True)
    (home / ".config" / "git" / "ignore").write_text("*.py\n")
    monkeypatch.setenv("HOME", str(home))
    (checkout / "steps").mkdir()
    (checkout / "steps" / "new.py").write_text("x")
    assert git_commit(checkout).endswith("-dirty")


def test_the_tags_of_a_deployment_name_commit_branch_and_time(checkout: Path) -> None:
    git(checkout, "checkout", "--quiet", "-b", "feature/#7")
    (checkout / "file").write_text("two")
    tags = revision(checkout, {"CODEBUILD_BUILD_ID": "project:1-2"}).tags()
    assert tags["git-commit"] == git(checkout, "rev-parse", "HEAD") + "-dirty"
    assert (tags["git-branch"], tags["git-dirty"], tags["build-id"]) == ("feature/_7", "true", "project:1-2")
    assert tags["git-committed"] == git(checkout, "log", "-1", "--format=%cI")


def test_in_codebuild_the_branch_is_that_of_the_webhook(tmp_path: Path) -> None:
    variables = {"CODEBUILD_RESOLVED_SOURCE_VERSION": "abc", "CODEBUILD_WEBHOOK_HEAD_REF": "refs/heads/main"}
    found = revision(tmp_path, variables)
    assert (found.commit, found.branch, found.committed) == ("abc", "main", None)
