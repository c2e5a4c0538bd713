"""What the steps need is said by step, and data that cannot fit are refused before they are read."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from command_line.capacity_view import data_needs, need_lines
from command_line.context import Context
from command_line.data_commands import data_faults
from pipelines.checks.capacity import LastRun, StepNeed
from pipelines.errors import PipelineError
from pipelines.settings.settings import ROOT, default_config


def context(tmp_path: Path, instance_type: str) -> Context:
    config = tmp_path / "mine.yaml"
    text = default_config().read_text()
    config.write_text(text.replace("instance_type: ml.m5.xlarge", f"instance_type: {instance_type}"))
    return Context(config=config, local=False, log_folder=None)


def test_each_step_has_a_line_that_says_what_is_too_little() -> None:
    fits = StepNeed("Train", "training", "ml.m5.large", 7.7, 7.7, 30.0, 30.0, 60.0, 60.0)
    misses = StepNeed("Evaluate", "processing", "ml.odd.large", 7.8, None, 30.1, 30.0, 61.0, 60.0)
    known = replace(fits, last=LastRun("abc on this machine", 21_613, 3.1))
    first, *lines = need_lines(1_000_000, [fits, misses, known])
    assert first.startswith("for 1,000,000 rows")
    assert lines == [
        "Train: 7.7 GB of memory of 7.7, 30.0 GB of disk of 30, about 1 min 00 s (ml.m5.large)",
        "Evaluate: 7.8 GB of memory (unknown how much there is), 30.1 GB of disk of 30, about 1 min 01 s (ml.odd.large)"
        "; too little disk and time",
        "Train: 7.7 GB of memory of 7.7, 30.0 GB of disk of 30, "
        "about 1 min 00 s, as it took 3.1 s for 21,613 rows in abc on this machine (ml.m5.large)",
    ]


def test_ten_gigabytes_are_refused_for_a_large_without_being_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "sales.csv"
    data.write_text("id,price\n" + "1,2\n" * 10_000)
    os.truncate(data, 10_000_000_000)
    faults = data_faults(context(tmp_path, "ml.m5.large"), data)
    assert (faults[0].step, faults[0].path) == ("ValidateData", "jobs.processing.instance_type")
    assert "and ml.m5.large has 7.7 for a job" in faults[0].message
    assert "sales.csv was not read" in capsys.readouterr().out


def test_the_default_data_are_small(tmp_path: Path) -> None:
    rows, found = data_needs(context(tmp_path, "ml.m5.large"), ROOT / "data" / "house_prices.parquet")
    assert rows == 21_613
    assert all(need.memory < 1 and need.seconds < 60 for need in found)


def test_data_that_are_not_there_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="There is no data file"):
        data_needs(context(tmp_path, "ml.m5.large"), tmp_path / "nothing.csv")
