"""The comparable rows of a sample, as the report tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

MOST_DIFFERENCES = 6  # of each row; those that move the prediction most come first


def comparables(found: Sequence[Mapping[str, Any]], target: str, unit: str) -> str:
    """A list of the training rows that are most like the sample, with their target and what differs; "" for none."""
    if not found:
        return ""
    items = "".join(f"<li>{_one(each, target, unit)}</li>" for each in found)
    return f"<p><small>Training rows that are most like it:</small></p><ul>{items}</ul>"


def _one(row: Mapping[str, Any], target: str, unit: str) -> str:
    shown = [escape(str(value)) for name, value in row.items() if name not in (target, "differs")]
    differs = list(row["differs"].items())
    texts = [f"{escape(name)} {_text(each['there'])} instead of {_text(each['here'])}" for name, each in differs]
    more = f", and {len(texts) - MOST_DIFFERENCES} more" if len(texts) > MOST_DIFFERENCES else ""
    named = f" ({', '.join(shown)})" if shown else ""
    return f"{row[target]:,.0f} {escape(unit)}{named}: {', '.join(texts[:MOST_DIFFERENCES]) or 'nothing differs'}{more}"


def _text(value: Any) -> str:
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.5g}" if isinstance(value, float) else escape(str(value))
