"""The page that an approver reads shows both candidates, and loads nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from evaluation.evaluate import Inputs, evaluate
from steps.model import Model
from tests.evaluation.conftest import LIMITS, SETTINGS


def test_page_shows_both_candidates_and_is_self_contained(model: Model, inputs: Inputs, tmp_path: Path) -> None:
    document = evaluate(model, inputs, tmp_path / "out", SETTINGS, LIMITS)
    page = (tmp_path / "out" / "evaluation.html").read_text()
    assert "XGBoost" in page
    assert "Linear regression" in page
    assert "RMSE (EUR)" in page
    assert f"{document['regression_metrics']['r2']['value']:.4f}" in page
    assert page.count("<svg") == 2
    assert "http" not in page
    assert "<script" not in page
