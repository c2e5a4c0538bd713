"""The report shows what happened, and never runs what was in the data."""

from __future__ import annotations

from typing import Any

import pandas as pd

from steps.validation_report import SHOWN_ROWS, render

SUMMARY: dict[str, Any] = {
    "status": "failed",
    "reason": "Too many <rows>.",
    "file": "a.csv",
    "files": {"a.csv": 3},
    "rejected_by_file": {"a.csv": 2},
    "rows": {"read": 3, "accepted": 1, "rejected": 2, "rejected_share": 2 / 3},
    "expectations": [
        {"level": "rows", "reason": "fine", "success": True, "unexpected_rows": 0, "observed": None},
        {"level": "table", "reason": "broken", "success": False, "unexpected_rows": 0, "observed": "7"},
    ],
}


def test_page_holds_reason_counts_and_rows_escaped() -> None:
    rejected = pd.DataFrame({"row": [1], "reasons": ["<script>alert(1)</script>"]})
    page = render(SUMMARY, [pd.Series([1.5, None], name="a")], rejected)
    assert "Too many &lt;rows&gt;." in page
    assert "3 rows, 1 accepted, 2 rejected (66.67%)" in page
    assert "<script>" not in page
    assert page.index("broken") < page.index("fine")


def test_only_the_first_rejected_rows_are_shown_and_it_says_so() -> None:
    rejected = pd.DataFrame({"row": range(SHOWN_ROWS + 50), "reasons": "r"})
    many = {**SUMMARY, "rows": {**SUMMARY["rows"], "rejected": SHOWN_ROWS + 50}}
    page = render(many, [], rejected.head(SHOWN_ROWS))
    assert f"the first {SHOWN_ROWS} of {SHOWN_ROWS + 50}" in page
    assert page.count("<td>r</td>") == SHOWN_ROWS


def test_of_several_files_those_with_rejected_rows_are_shown() -> None:
    many = {**SUMMARY, "file": "2 files", "files": {"a.csv": 1, "b.csv": 2}, "rejected_by_file": {"b.csv": 2}}
    page = render(many, [], pd.DataFrame())
    assert "Files with rejected rows" in page
    assert "b.csv</td>" in page
    assert "a.csv</td>" not in page
    assert "Files with rejected rows" not in render(SUMMARY, [], pd.DataFrame())
