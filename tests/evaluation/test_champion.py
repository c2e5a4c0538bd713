"""A champion is scored on the same rows; one that cannot be used is said to be so and never counts as beaten."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evaluation.champion import ARCHIVE, MARKER, Champion, improvement, merged, score
from steps.model import Model
from tests.evaluation.conftest import archive
from tests.steps.models import make
from tests.steps.test_fitting import on_hosts

ROOT = Path(__file__).parents[2]


@pytest.mark.e2e
def test_champion_predicts_what_it_predicted_before(model: Model, archive_folder: Path, rows: pd.DataFrame) -> None:
    champion = score(archive_folder, [rows])
    assert champion.status == "scored"
    assert champion.predicted is not None
    assert np.array_equal(champion.predicted, model.predict(rows))


def test_champion_that_the_code_of_d83b7ea_trained_is_scored(tmp_path: Path) -> None:
    """It is of the first format; tests/steps/test_same_answers.py compares its predictions with those of that code."""
    shutil.copy(ROOT / "tests" / "steps" / "models" / "d83b7ea.tar.gz", tmp_path / ARCHIVE)
    rents = make.rents()
    champion = score(tmp_path, [rents])
    assert champion.status == "scored", champion.reason
    assert champion.predicted is not None
    assert np.mean(np.abs(champion.predicted / rents["rent"] - 1)) < 0.07


def test_marker_is_no_champion(tmp_path: Path, rows: pd.DataFrame) -> None:
    (tmp_path / MARKER).write_text("{}")
    assert score(tmp_path, [rows]).status == "none"


def test_what_cannot_be_loaded_is_unusable_with_the_reason(model: Model, tmp_path: Path, rows: pd.DataFrame) -> None:
    assert "does not exist" in score(tmp_path, [rows]).reason
    (tmp_path / "model.tar.gz").write_bytes(b"no archive")
    assert "cannot be unpacked" in score(tmp_path, [rows]).reason
    incomplete = archive(model, tmp_path / "incomplete", {"linear.json": None})
    assert "lacks linear.json" in score(incomplete, [rows]).reason


def test_model_of_other_columns_is_unusable(archive_folder: Path, rows: pd.DataFrame) -> None:
    champion = score(archive_folder, [rows.drop(columns="size")])
    assert champion.status == "unusable"
    assert "size" in champion.reason


def test_champion_that_predicts_nan_is_unusable(model: Model, tmp_path: Path, rows: pd.DataFrame) -> None:
    linear = json.dumps({**model.linear.to_json(), "intercept": float("nan")})
    broken = archive(model, tmp_path / "broken", {"linear.json": linear})
    assert "NaN or infinity for 400 of 400" in merged(score(broken, [rows])).reason


def test_what_one_of_several_hosts_finds_of_a_champion_counts_for_all_rows() -> None:
    shares = {
        "scored": [Champion("scored", np.empty(0)), Champion("scored", np.array([1.0, 2.0]))],
        "NaN or infinity for 2 of 3": [
            Champion("scored", np.array([np.nan])),
            Champion("scored", np.array([1, np.inf])),
        ],
        "lacks size": [Champion("scored", np.empty(0)), Champion("unusable", reason="lacks size")],
        "none": [Champion("none"), Champion("none")],
    }
    for expected, share in shares.items():
        first, second = on_hosts(2, lambda hosts, share=share: merged(share[hosts.number], hosts))
        assert first.status == second.status
        assert expected in f"{first.status}: {first.reason}"
    (champion, _) = on_hosts(2, lambda hosts: merged(shares["scored"][hosts.number], hosts))
    assert champion.predicted.tolist() == [1.0, 2.0]


def test_improvement_is_the_share_by_which_the_error_fell() -> None:
    challenger, champion = np.full(50, 90.0), np.linspace(95, 105, 50)
    found = improvement(challenger, champion, (90.0, 100.0))
    assert found["value"] == pytest.approx(0.1)
    assert found["lower"] < 0.1 < found["upper"]


def test_looks_of_other_models_widen_the_interval_of_the_improvement() -> None:
    """Bonferroni's correction: of twenty models one is better by chance."""
    random = np.random.default_rng(0)
    challenger, champion = random.normal(98, 1, 1000), random.normal(100, 1, 1000)
    found = [improvement(challenger, champion, (98.0, 100.0), earlier) for earlier in (0, 1, 19)]
    assert [each["confidence"] for each in found] == pytest.approx([0.95, 0.975, 0.9975])
    assert [each["value"] for each in found] == [found[0]["value"]] * 3
    spread = np.std(1 - challenger / champion, ddof=1)
    reach = [(each["upper"] - each["lower"]) / 2 / spread for each in found]
    assert reach == pytest.approx([1.96, 2.241, 3.023], rel=0.05)  # quantiles of the normal distribution
