"""Metric definitions on logs, and the metrics of a real training job."""

from pathlib import Path

import pytest

from local_sagemaker.jobs.metrics import final_metrics, metric_definitions
from local_sagemaker.processes.log_events import LogFile
from local_sagemaker.processes.outcome import ClientFault
from tests.local_sagemaker.processes.test_log_events import append

DEFINITIONS = metric_definitions(
    [
        {"Name": "validation:rmse", "Regex": r"validation-rmse:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"},
        {"Name": "loss", "Regex": r"loss=(\S+)"},
        {"Name": "never", "Regex": "never=(.*)"},
    ]
)


def final(log: LogFile, *more: LogFile) -> dict[str, float]:
    return {metric.name: metric.value for metric in final_metrics(DEFINITIONS, [log, *more])}


def test_the_last_value_of_each_metric_counts(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "output.log")
    append(log.path, b"[0]\tvalidation-rmse:3.5\n[1]\tvalidation-rmse:1.25e-1\nloss=2 loss=1.5\n", 1000)
    assert final(log) == {"validation:rmse": 0.125, "loss": 1.5}


def test_the_moment_is_that_of_the_line(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "output.log")
    append(log.path, b"loss=1\n", 1000.5)
    log.note()
    append(log.path, b"done\n", 2000)
    assert final_metrics(DEFINITIONS, [log])[0].timestamp == 1000.5


def test_text_that_is_no_finite_number_is_no_value(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "output.log")
    append(log.path, b"loss=3\nloss=nan\nloss=inf\nloss=none\n", 1000)
    assert final(log) == {"loss": 3}


def test_the_latest_of_all_hosts_counts(tmp_path: Path) -> None:
    one, two = LogFile(tmp_path / "output.log"), LogFile(tmp_path / "output-algo-2.log")
    append(one.path, b"loss=1\n", 2000)
    append(two.path, b"loss=2\n", 1000)
    assert final(one, two) == {"loss": 1}


def test_a_pattern_without_a_group_is_the_value_itself(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "output.log")
    append(log.path, b"loss=0.25\n", 1000)
    definitions = metric_definitions([{"Name": "loss", "Regex": r"(?<=loss=)[0-9.]+"}])
    assert [metric.value for metric in final_metrics(definitions, [log])] == [0.25]


def test_a_bad_pattern_is_named() -> None:
    with pytest.raises(ClientFault, match=r"Regex 'loss=\(' of the metric loss is not a regular expression"):
        metric_definitions([{"Name": "loss", "Regex": "loss=("}])
