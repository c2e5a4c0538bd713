"""What stands at the top of the report."""

from __future__ import annotations

from typing import Any

from evaluation.labels import Labels
from evaluation.report_head import about, errors_by_part, worst
from steps.evaluation_settings import CardSettings

DATA: dict[str, Any] = {"train_rows": 1000, "test_rows": 200, "looks": {"test_part": "", "earlier": 0}}
DOCUMENT: dict[str, Any] = {"data": DATA, "champion": {"status": "none"}}


def test_the_cards_words_and_the_facts_are_said_and_escaped() -> None:
    card = CardSettings(
        purpose="Prices <b>", limits="Not castles.", risk_rating="Low", risk_explanation="A person decides."
    )
    text = about(DOCUMENT, card, {"Execution": "abc"})
    assert "<dd>1,000 training, 200 test</dd>" in text
    assert "<dt>Execution</dt><dd>abc</dd>" in text
    assert "none is approved yet" in text
    assert "Prices &lt;b&gt;" in text
    assert "<strong>Limits:</strong> Not castles." in text
    assert "Low. A person decides." in text
    assert "Intended use" not in text


def test_a_card_without_words_says_where_they_belong() -> None:
    assert "evaluation.card" in about(DOCUMENT, CardSettings(), {})


def test_how_often_the_test_part_was_looked_at_before_is_said() -> None:
    for earlier, words in ((0, "no other model"), (1, "1 other model"), (12, "12 other models")):
        data = {**DATA, "looks": {"test_part": "", "earlier": earlier}}
        assert f"met before by {words} " in about({**DOCUMENT, "data": data}, CardSettings(), {})


def test_the_training_error_stands_beside_the_test_error_where_the_model_has_it() -> None:
    tested = {"rmse": {"value": 1234.5}, "mape": {"value": 0.1093}, "r2": {"value": 0.9162}}
    known = {"xgboost": {"rmse": 1000.0, "mape": 0.08, "r2": 0.95}}
    text = errors_by_part(tested, {"training_metrics": known, "validation_metrics": known})
    assert "<td>training</td><td>1,000</td><td>8.00%</td><td>0.9500</td>" in text
    assert "<td>test</td><td>1,234.5</td><td>10.93%</td><td>0.9162</td>" in text
    assert "<td>training</td>" not in errors_by_part(tested, {"validation_metrics": known})


def test_the_worst_rows_are_a_table() -> None:
    entry = {"actual": 100000.0, "predicted": 150000.0, "error": 0.5, "values": {"zip": "<98>"}}
    text = worst([entry], "USD", Labels({}))
    assert "<td>100,000</td><td>150,000</td><td>+50%</td><td>&lt;98&gt;</td>" in text
    assert worst([], "USD", Labels({})) == ""
