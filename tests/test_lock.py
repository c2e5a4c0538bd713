"""What is installed is what was locked: each file by its hash, wherever the lock is used."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = (
    "requirements.lock",
    "requirements-dev.lock",
    "requirements-uv.lock",
    "tests/benchmarks/requirements.txt",
    "tests/benchmarks/servers-requirements.txt",
)
INSTALLERS = ("Makefile", "buildspec.yml", "buildspec-deploy.yml")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_one_version_with_the_hashes_of_its_files(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip())
    assert len(entries) > (0 if lock == "requirements-uv.lock" else 50)
    for entry in entries:
        assert re.match(r"[\w.-]+(\[[\w,.-]+\])?==[\w.+!]+\s", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}(\s|$)", entry), entry


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index(lock: str) -> None:
    assert not re.search(r"index-url|find-links|https?:|file:", (ROOT / lock).read_text())


@pytest.mark.parametrize("file", INSTALLERS)
def test_a_lock_is_installed_with_its_hashes(file: str) -> None:
    installs = [line for line in (ROOT / file).read_text().splitlines() if " install " in line and " -r " in line]
    assert installs
    assert all("--require-hashes" in line and "--no-deps" in line for line in installs), installs


def pins(lock: str) -> set[str]:
    return set(re.findall(r"^[\w.-]+(?:\[[\w,.-]+\])?==[\w.+!]+", (ROOT / lock).read_text(), re.MULTILINE))


def test_the_tests_run_on_the_versions_that_running_has() -> None:
    assert pins("requirements.lock") < pins("requirements-dev.lock")


def test_both_distributions_have_the_same_licence() -> None:
    assert (ROOT / "LICENSE").read_bytes() == (ROOT / "local_sagemaker/LICENSE").read_bytes()


def test_running_needs_no_test_tools() -> None:
    assert not [pin for pin in pins("requirements.lock") if re.match(r"(pytest|mypy|ruff|selenium|ipykernel)\b", pin)]
