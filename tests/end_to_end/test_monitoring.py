"""The monitoring as a person runs it: real sales, a real version, the functions in processes of their own."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines.settings.settings import default_config, load_settings
from steps.settings import JobSettings
from tests.conftest import QUICK
from tests.end_to_end.conftest import DATA, Cli
from tests.monitoring.drills import DRILLS, Drills

pytestmark = pytest.mark.e2e
SOAK = bool(os.environ.get("SOAK"))
SEEDS = 20 if SOAK else 3
SEEDS_THROUGH_AN_ENDPOINT = int(os.environ.get("SEEDS", "24"))
THROUGH_AN_ENDPOINT = (  # the drill, its sales, how many windows, and in how many of them what is to be raised is
    ("price-level=+3%", 300, 20, 15),
    ("price-level=+5%", 100, 20, 15),
    *((name, 300, 20, 19) for name in ("schema", "unit-change", "new-zipcodes", "covariate")),
    *((name, 300, 24, 20) for name in ("label-delay", "none")),  # at 5 % a month, 5 of 24 come once in 200 times
)
WINDOW = ("--since", "2015-03-01", "--until", "2015-04-01", "--stage", "staging", "--no-open")


@pytest.fixture(scope="module")
def approved(cli: Cli, first_run: subprocess.CompletedProcess[str]) -> None:
    """A version that may be judged."""
    cli.pipeline("approve", "1")


@pytest.fixture(scope="module")
def drills(cli: Cli, server: Any, first_run: subprocess.CompletedProcess[str], tmp_path_factory: Any) -> Drills:
    """Drills on what version 1 was registered with."""
    (version,) = [each for each in cli.json("models") if each["version"] == 1]
    sagemaker, s3 = server.client("sagemaker"), server.client("s3")
    package = sagemaker.describe_model_package(ModelPackageName=version["arn"])
    uri = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    folder: Path = tmp_path_factory.mktemp("version")
    for name in ("reference/test.parquet", "data_quality/statistics.json", "data_quality/constraints.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        s3.download_file(bucket, f"{key.rpartition('/')[0]}/{name}", str(folder / name))
    return Drills(folder, JobSettings.from_json(load_settings(default_config()).for_jobs()))


@pytest.mark.parametrize("name", DRILLS)
def test_drills_are_found_on_real_predictions(drills: Drills, name: str) -> None:
    least = (15 if name.startswith("price-level") else 19) if SOAK else SEEDS - 1
    assert drills.found(name, SEEDS) >= least


def test_unchanged_months_raise_no_more_alarms_than_are_set(drills: Drills) -> None:
    # At 5 % a month, 5 of 24 and more would come once in 200 times, and 2 of 4 once in 70.
    assert drills.false_alarms(24 if SOAK else 4) <= (4 if SOAK else 1)


def raised(folder: Path, share: float) -> Path:
    """The sales with dearer houses from March on."""
    table = pd.read_parquet(DATA)
    later = pd.to_datetime(table["date"]) >= "2015-03-01"
    table.loc[later, "price"] = (table.loc[later, "price"] * share).round().astype("int64")
    table.to_parquet(folder / "raised.parquet", index=False)
    return folder / "raised.parquet"


@pytest.fixture(scope="module")
def dearer(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The sales with houses that are 3 % dearer from March on."""
    return str(raised(tmp_path_factory.mktemp("dearer"), 1.03))


@pytest.fixture(scope="module")
def watched(cli: Cli, approved: None, dearer: str) -> dict[str, Any]:
    """What the first window with them said."""
    return dict(json.loads(cli.pipeline("monitor", *WINDOW, "--data", dearer, "--json").stdout))


def test_a_month_of_dearer_houses_is_found_and_told_once(
    cli: Cli, server: Any, dearer: str, watched: dict[str, Any]
) -> None:
    assert watched["decision"] == "watch"
    assert "The level moved by -" in watched["reasons"][0]
    assert any("were seen in training, and left out" in note for note in watched["notes"])
    assert (cli.folder / watched["report"]).read_text().startswith("<!doctype html>")
    metric = {"Namespace": "house-prices/monitoring", "MetricName": "Decision"}
    cloudwatch = server.client("cloudwatch")
    assert len(cloudwatch.list_metrics(**metric)["Metrics"]) == 1
    again = json.loads(cli.pipeline("monitor", *WINDOW, "--data", dearer, "--json").stdout)
    assert again["reasons"] == watched["reasons"]
    steps = cli.json("--pipeline", "monitoring", "describe")["steps"]
    assert {step["name"]: step["status"] for step in steps}["Act"] == "Succeeded"
    executions = cli.json("--pipeline", "monitoring", "executions")
    assert len(executions) == 2


@pytest.mark.journey
def test_an_alarm_is_acknowledged_and_its_decision_is_repeated(cli: Cli, dearer: str, watched: dict[str, Any]) -> None:
    stage = ("--stage", "staging")
    terms = ("--reason", "a tax", "--expires", "2999-01-01")
    refused = cli.pipeline("monitor", *stage, "--acknowledge", "error of new", *terms, expect=1)
    assert "it raised 'level of new sales'" in refused.stderr
    cli.pipeline("monitor", *stage, "--acknowledge", "level of new", *terms)
    found = json.loads(cli.pipeline("monitor", *WINDOW, "--data", dearer, "--json").stdout)
    outcomes = {check["name"]: check["outcome"] for check in found["checks"]}
    assert outcomes["level of new sales"] == "acknowledged"
    assert any("(a tax)" in reason for reason in found["reasons"])
    assert "The same decision" in cli.pipeline("monitor", "--replay", "latest").stdout


@pytest.mark.skipif(not SOAK, reason="`make soak` runs it: each seed of each drill takes twenty seconds")
@pytest.mark.parametrize(("drill", "rows", "windows", "least"), THROUGH_AN_ENDPOINT)
def test_a_drill_goes_through_an_endpoint_and_is_found(
    cli: Cli, approved: None, drill: str, rows: int, windows: int, least: int
) -> None:
    seeds = min(windows, SEEDS_THROUGH_AN_ENDPOINT)
    missed = {}
    for seed in range(seeds):
        command = ("monitor", "--simulate", drill, "--rows", str(rows), "--seed", str(seed))
        done = subprocess.run(
            cli.command("run_pipeline.py", *command),
            cwd=cli.folder,
            env=cli.environment,
            capture_output=True,
            text=True,
        )
        assert "To be raised:" in done.stdout, done.stdout + done.stderr
        told = done.stdout[done.stdout.index("To be raised:") :]
        print(f"{drill}, seed {seed}, exit code {done.returncode}: {told}", flush=True)
        if done.returncode:
            missed[seed] = told
    print(f"{drill}, {rows} sales: as it should be in {seeds - len(missed)} of {seeds}", flush=True)
    assert seeds - len(missed) >= least * seeds / windows, missed
    assert "house-prices-simulation" not in cli.deploy("status").stdout


@pytest.mark.skipif(not SOAK, reason="`make soak` runs it: another model is trained")
def test_the_real_drift_of_the_data_is_found_by_a_model_that_learned_from_the_time_before(cli: Cli) -> None:
    text = default_config().read_text()
    for old, new in (("\nname: house-prices\n", "\nname: by-time\n"), ("\nsplit: hash\n", "\nsplit: time\n")):
        assert old in text
        text = text.replace(old, new)
    config = cli.folder / "by_time.yaml"
    config.write_text(re.sub(r"\n  (sha256: \w+|rows: \d+)", "", text))
    table = pd.read_parquet(DATA)
    known = cli.folder / "known.parquet"
    table[pd.to_datetime(table["date"]) < "2015-03-01"].to_parquet(known, index=False)
    by_time = ("--config", str(config))
    cli.pipeline(*by_time, "run", "--data", str(known), *QUICK[2:])  # all rounds, and gates that let any model pass
    cli.pipeline(*by_time, "approve", "1")
    found = json.loads(cli.pipeline(*by_time, "monitor", *WINDOW, "--data", str(DATA), "--json").stdout)
    (level,) = (check for check in found["checks"] if check["name"] == "level of new sales")
    assert found["decision"] in ("watch", "retrain")
    assert level["outcome"] == "changed"
    assert -0.06 < level["size"] < -0.02


def test_what_cannot_be_a_window_is_said_before_anything_runs(cli: Cli) -> None:
    assert "give a date such as" in cli.pipeline("monitor", "--since", "soon", expect=1).stderr
    assert "before it begins" in cli.pipeline("monitor", "--since", "2999-01-01", expect=1).stderr
    assert "There is no stage nowhere" in cli.pipeline("monitor", "--stage", "nowhere", expect=1).stderr


def test_prices_are_stored_once(cli: Cli) -> None:
    (cli.folder / "prices.csv").write_text("inference_id,price\na,450000\n")
    assert cli.pipeline("truth", "prices.csv").stdout.startswith("1 price stored as s3://")
    assert "already stored" in cli.pipeline("truth", "prices.csv").stdout


def test_a_schedule_begins_goes_on_with_what_is_new_and_ends(cli: Cli, server: Any) -> None:
    stage, scheduler = ("--stage", "staging"), server.client("scheduler")
    begun = re.search(
        r"^(\S+): rate\(\d+ days?\), begins now\.$", cli.pipeline("monitor", "--schedule", *stage).stdout, re.M
    )
    assert begun is not None
    assert [each["Name"] for each in scheduler.list_schedules()["Schedules"]] == [begun[1]]
    assert "goes on as before" in cli.pipeline("monitor", "--schedule", *stage).stdout
    window = cli.pipeline("monitor", "--schedule", *stage, "--since", "2015-03-01", expect=1).stderr
    assert "A schedule looks at the last whole window: leave out --since and --until." in window
    assert f"{begun[1]} is deleted" in cli.pipeline("monitor", "--unschedule", *stage).stdout
    assert scheduler.list_schedules()["Schedules"] == []
    assert f"There is no schedule {begun[1]}" in cli.pipeline("monitor", "--unschedule", *stage, expect=1).stderr
