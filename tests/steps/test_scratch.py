"""What memory does not hold is below the folder of the job's outputs, and is gone afterwards, also after a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from steps.scratch import scratch


def test_the_folder_is_the_jobs_own_and_removed_even_where_the_job_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_OUTPUT_DIR", str(tmp_path / "output"))

    def failing() -> None:
        with scratch() as folder:
            assert folder.parent == tmp_path / "output"
            (folder / "rows").write_text("some")
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - the one above
        failing()
    assert list((tmp_path / "output").iterdir()) == []


def test_where_no_job_runs_it_is_the_systems(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SM_OUTPUT_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with scratch() as folder:
        assert folder.parent == tmp_path
    assert not folder.exists()
