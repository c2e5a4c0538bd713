"""The reserve is scored as the test part is, and judged by the limits of the version's own evaluation."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from evaluation.evaluate import Inputs, evaluate
from evaluation.gates import gates_of_reserve
from evaluation.reserve import main, score
from steps.failure import JobError
from steps.model import Model
from tests.evaluation.conftest import LIMITS, SETTINGS


@pytest.mark.e2e
def test_the_numbers_are_those_of_an_evaluation_on_the_same_rows(
    model: Model, rows: pd.DataFrame, inputs: Inputs, tmp_path: Path
) -> None:
    evaluated = evaluate(lambda: model, inputs, tmp_path / "out", SETTINGS, LIMITS)
    found = score(model, pd.read_parquet(inputs.test / "test.parquet"), LIMITS)
    for name, metric in evaluated["regression_metrics"].items():
        assert found["regression_metrics"][name] == pytest.approx(metric)
    assert found["interval"]["measured"]["value"] == evaluated["interval"]["measured"]["value"]
    assert found["data"] == {"test_rows": 100, "validation_rows": 100}
    own = {check["name"]: check for check in evaluated["gates"]["checks"]}
    assert found["gates"]["checks"][:2] == [own[name] for name in ("min_r2", "max_mape")]
    assert found["gates"]["checks"][2]["limit"] == own["max_coverage_gap"]["limit"]


@pytest.mark.parametrize(("covered", "lacks", "passed"), [(1.0, 0.0, True), (0.75, 0.15, True), (0.74, 0.16, False)])
def test_an_interval_that_covers_more_than_it_promises_keeps_nothing_back(
    covered: float, lacks: float, passed: bool
) -> None:
    metrics = {name: {"value": 0.9 if name == "r2" else 0.1} for name in ("r2", "mape")}
    interval = {"coverage": 0.9, "measured": {"value": covered}}
    rows = {"test_rows": 100_000, "validation_rows": 100_000}
    limits = replace(LIMITS, max_coverage_gap=0.9 - 0.75)
    found = gates_of_reserve({"regression_metrics": metrics, "interval": interval, "data": rows}, limits)
    assert found["checks"][2]["value"] == pytest.approx(lacks)
    assert (found["missed"] == []) is passed


@pytest.mark.parametrize(("gate", "metric", "worse"), [("min_r2", "r2", 1e-9), ("max_mape", "mape", -1e-9)])
def test_a_limit_itself_is_good_enough(model: Model, rows: pd.DataFrame, gate: str, metric: str, worse: float) -> None:
    value = score(model, rows[300:], LIMITS)["regression_metrics"][metric]["value"]
    at, beyond = (score(model, rows[300:], replace(LIMITS, **{gate: limit})) for limit in (value, value + worse))
    assert at["gates"]["missed"] == []
    assert beyond["gates"]["missed"] == [gate]
    assert metric.upper() in beyond["gates"]["message"]


def test_the_job_writes_what_it_found(archive_folder: Path, rows: pd.DataFrame, tmp_path: Path) -> None:
    reserve = tmp_path / "reserve"
    reserve.mkdir()
    rows[300:].to_parquet(reserve / "reserve.parquet", index=False)
    places = {"model": archive_folder, "reserve": reserve, "output": tmp_path / "out"}
    main(_arguments({**places, "min_r2": 0.8, "max_mape": 0.000001, "max_coverage_gap": 0.15}))
    assert json.loads((tmp_path / "out" / "reserve.json").read_text())["gates"]["missed"] == ["max_mape"]


def test_targets_that_do_not_differ_have_no_score(model: Model, rows: pd.DataFrame) -> None:
    with pytest.raises(JobError, match="metric r2 is not defined on the 100 rows"):
        score(model, rows[300:].assign(cost=200.0), LIMITS)


def _arguments(options: Mapping[str, object]) -> list[str]:
    return [part for name, value in options.items() for part in (f"--{name}", str(value))]
