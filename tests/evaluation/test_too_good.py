"""What looks too good to be true is the model, or a line of what together holds the target."""

from __future__ import annotations

from evaluation.too_good import CHECK, too_good
from steps.data_checks import Finding


def finding(severity: str, value: float) -> Finding:
    return Finding(CHECK, "warning" if severity == "warning" else "ok", "", {"land and building": value})


def test_it_is_the_model_unless_columns_together_tell_more() -> None:
    assert too_good(0.97, [finding("warning", 0.999)]) == {"value": 0.999, "name": "land and building"}
    assert too_good(0.9995, [finding("warning", 0.999)]) == {"value": 0.9995, "name": ""}
    assert too_good(0.97, [finding("ok", 0.98)]) == {"value": 0.97, "name": ""}
    assert too_good(0.97, []) == {"value": 0.97, "name": ""}
