"""A training that was interrupted goes on from its checkpoints to the same bytes; checkpoints of others are ignored."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from steps import checkpoints
from steps.artifacts import write_json
from steps.hosts import ALONE
from steps.train import main
from tests.steps.conftest import channels

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
MODEL_FILES = ("xgboost.ubj", "linear.json", "interval.ubj", "interval.json", "model.json")
# Rows and columns are drawn: what is drawn must not depend on where an attempt began.
OPTIONS = ("--rounds", "60", "--max_depth", "3", "--subsample", "0.7", "--colsample_bytree", "0.6")
CHECKED = (*OPTIONS, "--checkpoint_rounds", "7")
KILLED = """
import os, signal
from pathlib import Path
from steps import checkpoints
from steps.failure import run_job
from steps.train import main

written = []

def write_json(path: Path, document: object, write=checkpoints.write_json) -> None:
    write(path, document)
    written.append(path)
    if path.name.endswith(os.environ["KILLED_IN"]) and written.count(path) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

checkpoints.write_json = write_json
run_job(main)
"""


class Interrupted(BaseException):
    """Nothing in a job catches it."""


def arguments(preprocessed: Path, model: Path, kept: Path, *options: str) -> list[str]:
    return [*channels(preprocessed), "--model_dir", str(model), "--checkpoints", str(kept), *options]


def same(one: Path, other: Path) -> bool:
    return all((one / file).read_bytes() == (other / file).read_bytes() for file in MODEL_FILES)


@pytest.mark.parametrize("stage", ["start-line", "fold-1", "prediction-on-all-rows"])
def test_what_is_interrupted_anywhere_goes_on_to_the_same_model(
    preprocessed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stage: str
) -> None:
    written = list[Path]()

    def interrupted(path: Path, document: Any) -> None:
        write_json(path, document)
        written.append(path)
        if f".{stage}." in path.name and written.count(path) == 2:
            raise Interrupted

    main(arguments(preprocessed, tmp_path / "whole", tmp_path / "others", *CHECKED))
    monkeypatch.setattr(checkpoints, "write_json", interrupted)
    with pytest.raises(Interrupted):
        main(arguments(preprocessed, tmp_path / "model", tmp_path / "kept", *CHECKED))
    assert not (tmp_path / "model").exists()
    monkeypatch.setattr(checkpoints, "write_json", write_json)
    capsys.readouterr()
    main(arguments(preprocessed, tmp_path / "model", tmp_path / "kept", *CHECKED))
    log = capsys.readouterr().out
    assert f"Going on from the checkpoint of {stage} after 14 rounds." in log
    assert "ignored" not in log
    assert same(tmp_path / "model", tmp_path / "whole")


@pytest.mark.journey
def test_a_training_that_is_killed_goes_on_where_it_was(preprocessed: Path, tmp_path: Path) -> None:
    given = arguments(preprocessed, tmp_path / "model", tmp_path / "kept", *CHECKED)
    environment = {**os.environ, "KILLED_IN": ".prediction.json"}
    command = [sys.executable, "-c", KILLED, *given]
    killed = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    command = [sys.executable, "-m", "steps.train", *given]
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "Going on from the checkpoint of prediction after 14 rounds." in again.stdout
    main(arguments(preprocessed, tmp_path / "whole", tmp_path / "others", *CHECKED))
    assert same(tmp_path / "model", tmp_path / "whole")


def test_checkpoints_of_other_arguments_are_ignored_in_one_line(
    preprocessed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    main(arguments(preprocessed, tmp_path / "first", kept, *CHECKED, "--start", "mean"))
    count = len(list(kept.iterdir()))
    capsys.readouterr()
    main(arguments(preprocessed, tmp_path / "model", kept, *CHECKED, "--start", "mean", "--seed", "5"))
    log = capsys.readouterr().out
    assert log.count("ignored") == 1
    assert f"{count} checkpoints in {kept} are ignored: of other arguments, data or code." in log
    assert "Going on" not in log
    main(arguments(preprocessed, tmp_path / "alone", tmp_path / "new", *CHECKED, "--start", "mean", "--seed", "5"))
    assert same(tmp_path / "model", tmp_path / "alone")


def test_a_checkpoint_that_cannot_be_read_is_named_and_ignored(
    preprocessed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = (*CHECKED, "--start", "mean")
    main(arguments(preprocessed, tmp_path / "whole", tmp_path / "kept", *given))
    (broken,) = (tmp_path / "kept").glob("*.interval.json")
    for text in ("{", '{"stopping": null, "booster": "bm90aGluZw=="}', "[]"):
        broken.write_text(text)
        capsys.readouterr()
        main(arguments(preprocessed, tmp_path / "model", tmp_path / "kept", *given))
        assert f"The checkpoint {broken.name} cannot be read and is ignored" in capsys.readouterr().out
        assert same(tmp_path / "model", tmp_path / "whole")


def test_without_checkpoints_nothing_is_written_and_nothing_read(preprocessed: Path, tmp_path: Path) -> None:
    main(arguments(preprocessed, tmp_path / "model", tmp_path / "kept", *OPTIONS))
    assert not (tmp_path / "kept").exists()


def test_the_hash_knows_arguments_and_every_file(tmp_path: Path) -> None:
    files = [tmp_path / "train" / "part-0.parquet", tmp_path / "validation" / "part-0.parquet"]
    for path in files:
        path.parent.mkdir()
        path.write_bytes(b"rows")
    key = checkpoints.key_of({"seed": 1}, files, ALONE)
    assert checkpoints.key_of({"seed": 1}, files, ALONE) == key
    others = [checkpoints.key_of({"seed": 2}, files, ALONE), checkpoints.key_of({"seed": 1}, files[:1], ALONE)]
    for path in files:
        path.write_bytes(b"Rows")
        others.append(checkpoints.key_of({"seed": 1}, files, ALONE))
    assert len({key, *others}) == 5
