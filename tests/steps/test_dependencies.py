"""What is there is not installed again; what cannot be installed is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from steps.dependencies import ensure, unsatisfied
from steps.failure import JobError


def write(folder: Path, text: str) -> Path:
    path = folder / "requirements.txt"
    path.write_text(text)
    return path


def test_only_what_is_missing_or_too_old_is_wanted(tmp_path: Path) -> None:
    text = "# comment\npandas>=2\nnumpy<1\nno-such-package  # why\nno-such-too; python_version < '3'\n\n"
    assert unsatisfied(write(tmp_path, text)) == ["numpy<1", "no-such-package"]


def test_the_requirements_of_validate_are_met_here() -> None:
    path = Path(__file__).parents[2] / "steps" / "validate_requirements.txt"
    assert unsatisfied(path) == []


def test_satisfied_requirements_start_no_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/no/such/python")
    ensure(write(tmp_path, "pandas>=2\n"))


def test_pip_without_an_index_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(JobError, match=r"pip could not install no-such-package==1.0 from requirements\.txt"):
        ensure(write(tmp_path, "no-such-package==1.0\n"))
