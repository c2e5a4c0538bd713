"""The wheels that come with a job are installed without an index; without wheels the environment must have them."""

from __future__ import annotations

import hashlib
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from steps.failure import JobError
from steps.wheels import differing, ensure
from tests.local_sagemaker.jobs.wheels import make_wheel

pytestmark = pytest.mark.e2e

HASH = f"--hash=sha256:{'0' * 64}"
NUMPY = importlib.metadata.version("numpy")


def listed(folder: Path, *lines: str) -> Path:
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in ("# why", *lines)))
    return folder


def test_each_version_is_compared(tmp_path: Path) -> None:
    text = listed(tmp_path, f"numpy=={NUMPY} {HASH}", f"pandas==1.0 {HASH}", f"no-such==2 {HASH}").joinpath(
        "requirements.txt"
    )
    here = importlib.metadata.version("pandas")
    assert differing(text.read_text()) == {"pandas": ("1.0", here), "no-such": ("2", None)}


def test_what_is_there_starts_no_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/no/such/python")
    ensure(["numpy"], tmp_path)  # no list
    ensure(["numpy"], listed(tmp_path, f"numpy=={NUMPY} {HASH}"))


def test_without_wheels_what_the_job_imports_must_be_there_and_the_rest_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = listed(tmp_path, f"no-such==2 {HASH}", f"numpy==1.0 {HASH}")
    with pytest.raises(JobError, match=r"No wheels came with the job, .* has no-such missing where the list has 2"):
        ensure(["no-such"], folder)
    ensure(["pandas"], folder)
    said = capsys.readouterr().out
    assert said.startswith("warning: this environment is not the image's: it has no-such missing where the list has 2")
    assert f"numpy {NUMPY} where the list has 1.0" in said


def test_wheels_are_installed_without_an_index_and_only_with_their_hashes(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "1.0")
    right = f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    program = "import sys; from pathlib import Path; from steps.wheels import ensure; "
    program += "ensure(['tiny-thing'], Path(sys.argv[1])); import tiny_thing"
    environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "PIP_INDEX_URL": "http://127.0.0.1:1/"}

    def run(pin: str) -> subprocess.CompletedProcess[str]:
        listed(tmp_path, f"tiny-thing==1.0 {pin}")
        command = [str(tmp_path / "venv/bin/python"), "-c", program, str(tmp_path)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    wrong = run(HASH)
    assert wrong.returncode != 0
    assert "could not install the wheels" in wrong.stderr
    done = run(right)
    assert done.returncode == 0, done.stderr
