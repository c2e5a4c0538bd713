"""What stands at the top of the report."""

from __future__ import annotations

from typing import Any

from evaluation.report_head import about, worst
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


def test_the_worst_rows_are_a_table() -> None:
    entry = {"actual": 100000.0, "predicted": 150000.0, "error": 0.5, "values": {"zip": "<98>"}}
    text = worst([entry], "USD")
    assert "<td>100,000</td><td>150,000</td><td>+50%</td><td>&lt;98&gt;</td>" in text
    assert worst([], "USD") == ""
