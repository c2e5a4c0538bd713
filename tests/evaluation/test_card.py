"""The model card is one that SageMaker's schema takes, filled from the run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.evaluate import Inputs, evaluate
from steps.evaluation_settings import CardSettings
from steps.model import Model
from tests.evaluation.conftest import LIMITS, SETTINGS

pytestmark = pytest.mark.e2e

CARD = CardSettings(purpose="Estimate costs.", limits="Only for a and b.", risk_rating="Low")


def test_card_is_of_the_schema_and_holds_the_runs_numbers(
    model: Model, inputs: Inputs, archive_folder: Path, tmp_path: Path
) -> None:
    from sagemaker.core.shapes.model_card_shapes import ModelCardContent

    settings = replace(SETTINGS, evaluation=replace(SETTINGS.evaluation, card=CARD))
    document = evaluate(lambda: model, replace(inputs, champion=archive_folder), tmp_path / "out", settings, LIMITS)
    content = json.loads((tmp_path / "out" / "model_card.json").read_text())["content"]
    assert len(content) < 100_000  # the registry's limit
    card = json.loads(content)
    # Whatever the schema does not know is lost on the way through it.
    assert ModelCardContent.model_validate(card).model_dump(mode="json", exclude_none=True) == card
    assert card["intended_uses"]["purpose_of_model"] == "Estimate costs."
    assert card["intended_uses"]["risk_rating"] == "Low"
    assert card["additional_information"]["caveats_and_recommendations"] == "Only for a and b."
    groups = {group["name"]: group["metric_data"] for group in card["evaluation_details"][0]["metric_groups"]}
    values = {entry["name"]: entry["value"] for entry in groups["registered model"]}
    assert values["rmse"] == document["regression_metrics"]["rmse"]["value"]
    assert {entry["name"] for entry in groups["MAPE by segment"]} >= {"kind a", "kind b"}
    assert "improvement over the champion (RMSE)" in groups


def test_card_without_words_of_people_says_what_is_predicted(model: Model, inputs: Inputs, tmp_path: Path) -> None:
    evaluate(lambda: model, inputs, tmp_path / "out", SETTINGS, LIMITS)
    card = json.loads(json.loads((tmp_path / "out" / "model_card.json").read_text())["content"])
    assert card["intended_uses"]["purpose_of_model"] == "Predict cost in EUR."
    assert card["intended_uses"]["risk_rating"] == "Unknown"
