"""What the report says of where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.provenance import provenance


def config(tmp_path: Path, name: str, **places: str) -> Path:
    path = tmp_path / "config.json"
    inputs = [{"InputName": key, "S3Input": {"S3Uri": uri}} for key, uri in places.items()]
    path.write_text(json.dumps({"ProcessingJobName": name, "ProcessingInputs": inputs}))
    return path


def test_execution_job_and_inputs(tmp_path: Path) -> None:
    path = config(tmp_path, "pipelines-abc123-Evaluate-x", model="s3://b/m.tar.gz", champion="s3://b/c.tar.gz")
    assert provenance(path) == {
        "Execution": "abc123",
        "Job": "pipelines-abc123-Evaluate-x",
        "Model file": "s3://b/m.tar.gz",
        "Champion's model file": "s3://b/c.tar.gz",
    }


def test_a_job_of_no_execution_without_a_champion(tmp_path: Path) -> None:
    assert provenance(config(tmp_path, "mine", champion="s3://b/x/none.json")) == {"Job": "mine"}


@pytest.mark.parametrize("text", [None, "", "{"])
def test_outside_of_a_job_there_is_nothing_to_say(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    if text is not None:
        path.write_text(text)
    assert provenance(path) == {}
