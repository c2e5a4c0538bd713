"""The comparable rows of a sample, as the report tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from evaluation.labels import Labels

MOST_DIFFERENCES = 6  # of each row; those that move the prediction most come first


def comparables(found: Sequence[Mapping[str, Any]], target: str, unit: str, labels: Labels) -> str:
    """A list of the training rows that are most like the sample, with their target and what differs; "" for none."""
    if not found:
        return ""
    items = "".join(f"<li>{_one(each, target, unit, labels)}</li>" for each in found)
    return f"<p><small>Training rows that are most like it:</small></p><ul>{items}</ul>"


def _one(row: Mapping[str, Any], target: str, unit: str, labels: Labels) -> str:
    shown = [escape(str(value)) for name, value in row.items() if name not in (target, "differs")]
    differs = list(row["differs"].items())
    texts = [f"{escape(labels.name(name))} {_both(each['there'], each['here'])}" for name, each in differs]
    more = f", and {len(texts) - MOST_DIFFERENCES} more" if len(texts) > MOST_DIFFERENCES else ""
    named = f" ({', '.join(shown)})" if shown else ""
    return f"{row[target]:,.0f} {escape(unit)}{named}: {', '.join(texts[:MOST_DIFFERENCES]) or 'nothing differs'}{more}"


def _both(there: Any, here: Any) -> str:
    """Two values that differ, with the digits that show it."""
    for digits in range(5, 17):
        texts = _text(there, digits), _text(here, digits)
        if texts[0] != texts[1]:
            break
    return f"{texts[0]} instead of {texts[1]}"


def _text(value: Any, digits: int) -> str:
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.{digits}g}" if isinstance(value, float) else escape(str(value))
