"""Evaluation measures on the test rows what SageMaker's registry and the gates will read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evaluation import plain_boosting
from evaluation.evaluate import Inputs, evaluate, main
from steps.estimators import Estimator
from steps.failure import JobError
from steps.linear import LinearModel
from steps.model import Model
from tests.evaluation.conftest import LIMITS, SETTINGS, archive

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


def arguments(inputs: Inputs, archive_folder: Path, output: Path, **limits: float) -> list[str]:
    """The job's command line."""
    settings = output.parent / "settings.json"
    settings.write_text(json.dumps(SETTINGS.to_json()))
    given = {
        "model": archive_folder,
        "test": inputs.test,
        "rows": inputs.rows,
        "train": inputs.train,
        "champion": inputs.champion,
        "output": output,
    }
    values = {**given, "settings": settings, **asdict(LIMITS), **limits}
    return [text for name, value in values.items() for text in (f"--{name}", str(value))]


def test_outputs_from_a_model_archive(inputs: Inputs, archive_folder: Path, tmp_path: Path) -> None:
    main(arguments(inputs, archive_folder, tmp_path / "out", min_improvement=-0.01))
    document = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert set(document["regression_metrics"]) == {"mae", "mse", "rmse", "r2", "mape"}
    for metric in document["regression_metrics"].values():
        assert set(metric) == {"value", "standard_deviation"}
    assert document["regression_metrics"] == document["candidates"]["xgboost"]
    rmse = {name: metrics["rmse"]["value"] for name, metrics in document["candidates"].items()}
    assert document["comparison"]["rmse_ratio"]["value"] == rmse["xgboost"] / rmse["linear"]
    assert (document["data"]["test_rows"], document["data"]["train_rows"]) == (100, 200)
    assert document["champion"] == {"status": "none"}
    assert document["gates"]["missed"] == []
    predictions = pd.read_parquet(tmp_path / "out" / "predictions.parquet")
    error = predictions["prediction_xgboost"] - predictions["cost"]
    assert np.sqrt((error**2).mean()) == pytest.approx(rmse["xgboost"])
    inside = (predictions["cost"] >= predictions["lower"]) & (predictions["cost"] <= predictions["upper"])
    assert document["interval"]["measured"]["value"] == inside.mean()


def test_reports_that_the_registry_shows_are_in_the_layout_of_clarify(
    model: Model, inputs: Inputs, tmp_path: Path
) -> None:
    document = evaluate(lambda: model, inputs, tmp_path / "out", SETTINGS, LIMITS)
    bias = json.loads((tmp_path / "out" / "bias" / "analysis.json").read_text())
    assert set(bias["post_training_bias_metrics"]["facets"]) == {"kind", "cost"}
    explained = json.loads((tmp_path / "out" / "explainability" / "analysis.json").read_text())["explanations"]
    shap = explained["kernel_shap"]["label0"]
    assert shap["global_shap_values"] == document["explanation"]["importance"]
    assert [entry["feature_name"] for entry in explained["pdp"]] == ["size"]
    local = pd.read_csv(tmp_path / "out" / "explainability" / "explanations_shap" / "out.csv")
    total = shap["expected_value"] + local.drop(columns="predicted_label").sum(axis=1)
    assert np.exp(total.to_numpy()) == pytest.approx(local["predicted_label"].to_numpy(), rel=1e-4)


def test_candidates_of_scikit_learn_are_judged_on_the_same_rows(model: Model, inputs: Inputs, tmp_path: Path) -> None:
    tree = Estimator(estimator="sklearn.tree.DecisionTreeRegressor", parameters={"max_depth": 8})
    document = evaluate(lambda: model, inputs, tmp_path / "out", replace(SETTINGS, estimators={"tree": tree}), LIMITS)
    table = pd.read_parquet(tmp_path / "out" / "predictions.parquet")
    error = table["prediction_tree"] - table["cost"]
    assert document["candidates"]["tree"]["rmse"]["value"] == pytest.approx(np.sqrt((error**2).mean()))
    assert document["candidates"]["tree"]["r2"]["value"] > 0.9
    assert "tree" in (tmp_path / "out" / "evaluation.html").read_text()


@dataclass(frozen=True)
class Lent:
    """Trees of another library, that add nothing to what boosting starts from."""

    library: str = "lightgbm"
    rounds: int = 1

    def predict(self, values: np.ndarray, start: np.ndarray, threads: int | None = None) -> np.ndarray:
        return start

    def contributions(self, values: np.ndarray, start: np.ndarray) -> np.ndarray:
        return np.column_stack([np.zeros(values.shape), start])

    def text(self) -> str:
        return ""


def test_the_library_that_predicts_is_measured_explained_and_named(
    model: Model, inputs: Inputs, tmp_path: Path
) -> None:
    libraries = {"xgboost": 2.0, "lightgbm": 1.5}
    metadata = {**model.metadata, "library": "lightgbm", "libraries": libraries}
    lent = replace(model, other=Lent(), metadata=metadata)
    document = evaluate(lambda: lent, inputs, tmp_path / "out", SETTINGS, LIMITS)
    assert document["registered"] == "lightgbm"
    assert list(document["candidates"])[:3] == ["lightgbm", "xgboost", "linear"]
    assert document["regression_metrics"] == document["candidates"]["lightgbm"]
    assert document["regression_metrics"] != document["candidates"]["xgboost"]
    page = (tmp_path / "out" / "evaluation.html").read_text()
    assert "LightGBM by the part of the data" in page
    assert "lightgbm 1.5, xgboost 2. The best one predicts." in page


def test_severe_finding_fails_the_step_and_leaves_nothing(model: Model, inputs: Inputs, tmp_path: Path) -> None:
    test = pd.read_parquet(inputs.test / "test.parquet")
    pd.concat([pd.read_parquet(inputs.rows / "rows.parquet"), test.head(3)]).to_parquet(inputs.rows / "rows.parquet")
    with pytest.raises(JobError, match=r"cannot be trusted: 3 of 100 test rows share key with .*3 of 100"):
        evaluate(lambda: model, inputs, tmp_path / "out", SETTINGS, LIMITS)
    assert not (tmp_path / "out").exists()


def test_worst_segment_is_the_one_with_the_highest_error_but_for_those_of_the_actual_value(
    model: Model, inputs: Inputs, tmp_path: Path
) -> None:
    document = evaluate(lambda: model, inputs, tmp_path / "out", SETTINGS, LIMITS)
    table = pd.read_parquet(tmp_path / "out" / "predictions.parquet")
    error = (table["prediction_xgboost"] / table["cost"] - 1).abs()
    edges = np.quantile(table["prediction_xgboost"], [0.2, 0.4, 0.6, 0.8])
    by_band = error.groupby(np.searchsorted(edges, table["prediction_xgboost"], side="right")).mean()
    assert document["worst_segment"]["mape"] == pytest.approx(max(*error.groupby(table["kind"]).mean(), *by_band))
    assert document["worst_segment"]["name"].split()[0] in ("kind", "prediction")
    assert {each["column"] for each in document["segments"]} == {"kind", "cost"}
    assert {each["column"] for each in document["prediction_bands"]} == {"prediction"}
    large = replace(SETTINGS, evaluation=replace(SETTINGS.evaluation, min_segment_rows=101))
    worst = evaluate(lambda: model, inputs, tmp_path / "out", large, LIMITS)["worst_segment"]
    assert worst == {"name": "all rows", "rows": 100, "mape": pytest.approx(error.mean())}


def test_champion_is_scored_on_the_same_rows(
    model: Model, inputs: Inputs, archive_folder: Path, tmp_path: Path
) -> None:
    """The model itself as the champion: equal to the last digit, and therefore not better."""
    document = evaluate(lambda: model, replace(inputs, champion=archive_folder), tmp_path / "out", SETTINGS, LIMITS)
    assert document["champion"]["metrics"] == document["regression_metrics"]
    assert document["champion"]["improvement"]["value"] == 0
    assert document["gates"]["missed"] == ["min_improvement"]
    # Of the linear regression XGBoost is the better challenger, and the resamples agree.
    weak = replace(model, booster=model.booster[:1])
    document = evaluate(
        lambda: model, replace(inputs, champion=archive(weak, tmp_path / "weak")), tmp_path, SETTINGS, LIMITS
    )
    assert document["champion"]["improvement"]["lower"] > 0
    assert document["gates"]["missed"] == []


def test_same_model_and_rows_give_the_same_digits(model: Model, inputs: Inputs, tmp_path: Path) -> None:
    for name in ("one", "two"):
        evaluate(lambda: model, inputs, tmp_path / name, SETTINGS, LIMITS)
    names = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert len(names) >= 6
    for file in names:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_nan_predictions_fail_the_step_and_leave_nothing(model: Model, inputs: Inputs, tmp_path: Path) -> None:
    broken = replace(model, linear=LinearModel(float("nan"), model.linear.coefficients, model.linear.levels))
    with pytest.raises(JobError, match="predicts NaN or infinity for 100 of 100 test rows"):
        evaluate(lambda: broken, inputs, tmp_path / "out", SETTINGS, LIMITS)
    assert not (tmp_path / "out").exists()


def test_a_small_test_part_widens_the_gate_of_the_interval_and_is_told(
    model: Model, inputs: Inputs, tmp_path: Path
) -> None:
    document = evaluate(lambda: model, inputs, tmp_path / "out", SETTINGS, replace(LIMITS, max_coverage_gap=0.02))
    (gate,) = [check for check in document["gates"]["checks"] if check["name"] == "max_coverage_gap"]
    assert 0.08 < gate["limit"] < 0.09
    assert "where 100 validation and 100 test rows tell no better" in (tmp_path / "out/evaluation.html").read_text()


def test_a_test_part_that_measures_nothing_is_named(model: Model, inputs: Inputs, tmp_path: Path) -> None:
    table = pd.read_parquet(inputs.test / "test.parquet")
    table.assign(cost=7.0).to_parquet(inputs.test / "test.parquet")
    with pytest.raises(JobError, match="The test part has 100 rows with one value of cost"):
        evaluate(lambda: model, inputs, tmp_path / "out", SETTINGS, LIMITS)


def test_limit_that_is_not_given_is_named(inputs: Inputs, archive_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="min_improvement"):
        main(arguments(inputs, archive_folder, tmp_path / "out")[:-2])


def test_rows_that_are_not_held_in_memory_have_the_same_evaluation(
    model: Model, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 test rows, 15 at a time: the same numbers and the same files, but for the last digit of a sum."""
    tree = {"tree": Estimator(estimator="sklearn.tree.DecisionTreeRegressor", parameters={"max_depth": 8})}
    settings = replace(SETTINGS, estimators=tree)
    held = evaluate(lambda: model, inputs, tmp_path / "held", settings, LIMITS)
    monkeypatch.setattr("steps.row_source.HELD", 15)
    monkeypatch.setattr("steps.row_source.BATCH", 15)
    read = evaluate(lambda: model, inputs, tmp_path / "read", settings, LIMITS)
    for name in set(held) - {"explanation"}:
        assert read[name] == held[name], name
    for name, value in held["explanation"]["importance"].items():
        assert read["explanation"]["importance"][name] == pytest.approx(value)
    for path in (tmp_path / "held").rglob("*.parquet"):
        other = tmp_path / "read" / path.relative_to(tmp_path / "held")
        pd.testing.assert_frame_equal(pd.read_parquet(other), pd.read_parquet(path))
    assert (tmp_path / "read" / "golden.json").read_bytes() == (tmp_path / "held" / "golden.json").read_bytes()


@pytest.mark.journey
@pytest.mark.parametrize(("fewest", "cores"), [(10_000, 2), (0, 1)])
def test_no_boosting_is_forked_from_a_process_that_has_predicted(
    model: Model, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fewest: int, cores: int
) -> None:
    """With few rows, or one core, both boostings learn in this process, which has used OpenMP by then."""
    own = plain_boosting.predictions

    def recorded(*arguments: Any) -> np.ndarray:
        (tmp_path / f"learned-by-{os.getpid()}").touch()
        return own(*arguments)

    monkeypatch.setattr("evaluation.evaluate.FEWEST_AT_ONCE", fewest)
    for module in ("evaluation.evaluate", "steps.workers"):
        monkeypatch.setattr(f"{module}.cores", lambda: cores)
    monkeypatch.setattr(plain_boosting, "predictions", recorded)
    evaluate(lambda: model, inputs, tmp_path / "out", SETTINGS, LIMITS)
    assert [path.name for path in tmp_path.glob("learned-by-*")] == [f"learned-by-{os.getpid()}"]


def test_several_processes_write_what_one_writes(
    model: Model, inputs: Inputs, archive_folder: Path, tmp_path: Path
) -> None:
    code = """
import sys
from evaluation import evaluate
evaluate.FEWEST_AT_ONCE = int(sys.argv[1])
evaluate.main(sys.argv[2:])
"""
    for fewest, name in ((0, "several"), (1000, "one")):
        command = [sys.executable, "-c", code, str(fewest), *arguments(inputs, archive_folder, tmp_path / name)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    several, one = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("several", "one")
    )
    assert several == one
    assert len(list((tmp_path / "several" / "figures").iterdir())) > 4
