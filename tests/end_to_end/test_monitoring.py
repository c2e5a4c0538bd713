"""The monitoring as a person runs it: real sales, a real version, the functions in processes of their own."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.end_to_end.conftest import DATA, Cli

pytestmark = pytest.mark.e2e
WINDOW = ("--since", "2015-03-01", "--until", "2015-04-01", "--stage", "staging", "--no-open")


@pytest.fixture(scope="module")
def approved(cli: Cli, first_run: subprocess.CompletedProcess[str]) -> None:
    """A version that may be judged."""
    cli.pipeline("approve", "1")


def raised(folder: Path, share: float) -> Path:
    """The sales with dearer houses from March on."""
    table = pd.read_parquet(DATA)
    later = pd.to_datetime(table["date"]) >= "2015-03-01"
    table.loc[later, "price"] = (table.loc[later, "price"] * share).round().astype("int64")
    table.to_parquet(folder / "raised.parquet", index=False)
    return folder / "raised.parquet"


def test_a_month_of_dearer_houses_is_found_and_told_once(cli: Cli, server: Any, approved: None, tmp_path: Path) -> None:
    data = str(raised(tmp_path, 1.03))
    done = cli.pipeline("monitor", *WINDOW, "--data", data, "--json")
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["decision"] == "watch"
    assert "The level moved by -" in found["reasons"][0]
    assert any("were seen in training, and are left out" in note for note in found["notes"])
    assert (cli.folder / found["report"]).read_text().startswith("<!doctype html>")
    metric = {"Namespace": "house-prices/monitoring", "MetricName": "Decision"}
    cloudwatch = server.client("cloudwatch")
    assert len(cloudwatch.list_metrics(**metric)["Metrics"]) == 1
    again = json.loads(cli.pipeline("monitor", *WINDOW, "--data", data, "--json").stdout)
    assert again["reasons"] == found["reasons"]
    steps = cli.json("--pipeline", "monitoring", "describe")["steps"]
    assert {step["name"]: step["status"] for step in steps}["Act"] == "Succeeded"
    executions = cli.json("--pipeline", "monitoring", "executions")
    assert len(executions) == 2


def test_what_cannot_be_a_window_is_said_before_anything_runs(cli: Cli) -> None:
    assert "give a date such as" in cli.pipeline("monitor", "--since", "soon", expect=1).stderr
    assert "before it begins" in cli.pipeline("monitor", "--since", "2999-01-01", expect=1).stderr
    assert "There is no stage nowhere" in cli.pipeline("monitor", "--stage", "nowhere", expect=1).stderr


def test_prices_are_stored_once(cli: Cli) -> None:
    (cli.folder / "prices.csv").write_text("inference_id,price\na,450000\n")
    assert cli.pipeline("truth", "prices.csv").stdout.startswith("1 prices stored as s3://")
    assert "stored already" in cli.pipeline("truth", "prices.csv").stdout
