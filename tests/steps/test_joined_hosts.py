"""Hosts that train together: one model whatever their number, and a host that fails or dies ends all, by its name."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steps.model import Model, load
from steps.part_files import read_parts
from tests.steps.hosts import PATIENCE_SECONDS, Job, addresses
from tests.steps.test_checkpoints import KILLED, same

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has more loopback addresses than one"),
]
PARTS = 4
# No draw of rows or columns, which follow a host's own rows: what is left to differ are sums.
EXACT = ("--subsample", "1", "--colsample_bytree", "1", "--rounds", "8", "--max_depth", "3", "--threads", "1")
JOB = ("-m", "steps.train")
FOR_EVER = ("--rounds", "1000000", "--early_stopping_rounds", "1000000", "--threads", "1", "--start", "mean")


@pytest.fixture
def channels(preprocessed: Path) -> Path:
    """The rents in four parts, with so few different areas that every host finds the same cuts."""
    for channel in ("train", "validation"):
        table = read_parts(preprocessed / channel)
        for name in set(table) - {"rent", "rooms", "lift", "district"}:
            table[name] = (table[name] * 4 / table[name].abs().max()).round(1)
        for path in (preprocessed / channel).iterdir():
            path.unlink()
        for number, places in enumerate(np.array_split(np.arange(len(table)), PARTS)):
            table.iloc[places].to_parquet(preprocessed / channel / f"part-{number:05d}.parquet", index=False)
    return preprocessed


def start(
    channels: Path, folder: Path, count: int, *options: str, whole: bool = False, program: Sequence[str] = JOB
) -> Job:
    job = Job(folder, addresses(count))
    for number, name in enumerate(job.names):
        own = folder / name
        (own / "train").mkdir(parents=True)
        for path in sorted((channels / "train").iterdir())[None if whole else number :: 1 if whole else count]:
            os.link(path, own / "train" / path.name)
        places = {channel: channels / channel for channel in ("validation", "features")}
        places |= {"train": own / "train", "model_dir": own / "model"}
        arguments = [text for key, value in places.items() for text in (f"--{key}", str(value))]
        job.begin(name, [*program, *arguments, *options])
    return job


def trained(channels: Path, folder: Path, count: int, *options: str) -> tuple[Model, Job]:
    job = start(channels, folder, count, *options)
    assert job.ended() == [0] * count, [job.log(name) for name in job.processes]
    first, *others = job.processes
    assert "validation:rmse=" in job.log(first)
    for other in others:
        assert "validation:rmse=" not in job.log(other)
        assert not (folder / other / "model").exists()
    return load(folder / first / "model"), job


@pytest.mark.journey
def test_any_number_of_hosts_trains_one_model(channels: Path, tmp_path: Path) -> None:
    """The same trees for the same cuts; the line, the interval and the metrics but for rounding."""
    one, _ = trained(channels, tmp_path / "one", 1, *EXACT)
    table = read_parts(channels / "validation")[list(one.features.names)]
    for count, options in ((2, ("--external_memory", "true")), (PARTS, ())):
        several, _ = trained(channels, tmp_path / str(count), count, *EXACT, *options)
        assert several.metadata["hosts"] == count
        assert several.metadata["rows"] == one.metadata["rows"]
        assert several.metadata["boosting_starts_from"] == one.metadata["boosting_starts_from"]
        for candidate in ("xgboost", "linear"):
            np.testing.assert_allclose(
                several.predict_features(table, candidate), one.predict_features(table, candidate), rtol=1e-6
            )
            for part in ("training_metrics", "validation_metrics"):
                assert several.metadata[part][candidate] == pytest.approx(one.metadata[part][candidate], rel=1e-6)
        terms, alone = (each.metadata["reasons"]["average_terms"] for each in (several, one))
        assert terms == pytest.approx(alone, rel=1e-6, abs=1e-6)
        assert several.interval.to_json()["margins"] == pytest.approx(one.interval.to_json()["margins"], rel=1e-5)


@pytest.mark.journey
def test_a_skewed_shard_gives_the_same_model(channels: Path, tmp_path: Path) -> None:
    """One host has nearly all rows, and another one two of a single district."""
    table = read_parts(channels / "train").sort_values("district", kind="stable")
    ends = [0, 2, 12, len(table) - 40, len(table)]
    for number in range(PARTS):
        part = table.iloc[ends[number] : ends[number + 1]]
        part.to_parquet(channels / "train" / f"part-{number:05d}.parquet", index=False)
    one, _ = trained(channels, tmp_path / "one", 1, *EXACT, "--start", "mean")
    four, _ = trained(channels, tmp_path / "four", PARTS, *EXACT, "--start", "mean")
    rows = read_parts(channels / "validation")[list(one.features.names)]
    for candidate in ("xgboost", "linear"):
        np.testing.assert_allclose(
            four.predict_features(rows, candidate), one.predict_features(rows, candidate), rtol=1e-6
        )
    assert four.interval.to_json()["margins"] == pytest.approx(one.interval.to_json()["margins"], rel=1e-5)


def test_a_host_that_is_killed_ends_the_others_by_its_name(channels: Path, tmp_path: Path) -> None:
    job = start(channels, tmp_path / "job", 3, *FOR_EVER)
    first, second, third = job.processes
    _wait_for_ranks(job)
    job.processes[second].send_signal(signal.SIGKILL)
    began = time.monotonic()
    assert job.ended() == [1, -signal.SIGKILL, 1]
    assert time.monotonic() - began < 30
    for name in (first, third):
        assert f"The host {second} ended" in (tmp_path / "job" / name / "output" / "failure").read_text()


@pytest.mark.journey
def test_the_next_attempt_goes_on_from_the_checkpoints_of_the_first_host(
    channels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the first host writes and reads any: the other one is told the trees so far."""
    monkeypatch.setenv("KILLED_IN", ".interval.json")
    given = (*EXACT, "--start", "mean", "--subsample", "0.8", "--checkpoint_rounds", "3", "--checkpoints")
    killed = start(channels, tmp_path / "killed", 2, *given, str(tmp_path / "kept"), program=("-c", KILLED))
    assert killed.ended() == [-signal.SIGKILL, 1]
    again, job = trained(channels, tmp_path / "again", 2, *given, str(tmp_path / "kept"))
    assert "Going on from the checkpoint of interval after 6 rounds." in job.log(next(iter(job.processes)))
    whole, other = trained(channels, tmp_path / "whole", 2, *given, str(tmp_path / "others"))
    assert again.metadata == whole.metadata
    folders = [tmp_path / name / next(iter(each.processes)) for name, each in (("again", job), ("whole", other))]
    assert same(folders[0] / "model", folders[1] / "model")


def test_the_first_host_is_missed_too(channels: Path, tmp_path: Path) -> None:
    job = start(channels, tmp_path / "job", 2, *FOR_EVER)
    first, second = job.processes
    _wait_for_ranks(job)
    job.processes[first].send_signal(signal.SIGKILL)
    assert job.ended() == [-signal.SIGKILL, 1]
    assert f"The host {first} ended" in (tmp_path / "job" / second / "output" / "failure").read_text()


def test_a_host_that_is_told_to_end_still_says_which_one_died(channels: Path, tmp_path: Path) -> None:
    """The service ends the others as soon as one is dead, and may be faster than they find out."""
    job = start(channels, tmp_path / "job", 2, *FOR_EVER)
    first, second = job.processes
    _wait_for_ranks(job)
    job.processes[first].terminate()
    time.sleep(0.2)
    job.processes[second].kill()
    assert 0 not in job.ended()
    assert f"The host {second} ended" in (tmp_path / "job" / first / "output" / "failure").read_text()


def test_sigterm_ends_every_host_at_once(channels: Path, tmp_path: Path) -> None:
    """As Ctrl-C stops a job: none waits for another."""
    job = start(channels, tmp_path / "job", PARTS, *FOR_EVER)
    _wait_for_ranks(job)
    for process in job.processes.values():
        process.terminate()
    began = time.monotonic()
    assert 0 not in job.ended()
    assert time.monotonic() - began < 15


def test_a_part_that_is_corrupt_is_named_by_every_host(channels: Path, tmp_path: Path) -> None:
    broken = channels / "train" / "part-00001.parquet"
    broken.write_bytes(broken.read_bytes()[:-9])
    job = start(channels, tmp_path / "job", 2, *EXACT)
    second = list(job.processes)[1]
    assert job.ended() == [1, 1]
    for reason in job.reasons():
        assert reason.startswith(f"{second}: ")
        assert "part-00001.parquet cannot be read as Parquet" in reason


def test_a_part_of_another_run_is_named(channels: Path, tmp_path: Path) -> None:
    other = channels / "train" / "part-00003.parquet"
    pd.read_parquet(other).drop(columns="area").to_parquet(other, index=False)
    job = start(channels, tmp_path / "job", 2, *EXACT)
    assert job.ended() == [1, 1]
    assert all("part-00003.parquet and features.json come from different runs" in reason for reason in job.reasons())


def test_fewer_parts_than_hosts_are_refused(channels: Path, tmp_path: Path) -> None:
    for number in (2, 3):
        (channels / "train" / f"part-{number:05d}.parquet").unlink()
    job = start(channels, tmp_path / "job", 3, *EXACT)
    third = list(job.processes)[2]
    assert job.ended() == [1, 1, 1]
    for reason in job.reasons():
        assert f"2 parts of the training rows leave nothing for {third} of 3 hosts: set TrainingInstanceCount to 2" in (
            reason
        )


def test_a_channel_that_is_not_sharded_is_refused(channels: Path, tmp_path: Path) -> None:
    job = start(channels, tmp_path / "job", 2, *EXACT, whole=True)
    assert job.ended() == [1, 1]
    assert all("part-00000.parquet of the channel train: it must be ShardedByS3Key" in one for one in job.reasons())


def _wait_for_ranks(job: Job) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not all("got rank" in job.log(name) for name in job.processes):
        assert time.monotonic() < deadline, [job.log(name) for name in job.processes]
        assert all(process.poll() is None for process in job.processes.values()), [job.log(n) for n in job.processes]
        time.sleep(0.1)
    time.sleep(1)  # into the boosting
