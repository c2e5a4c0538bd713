"""The validation report: one self-contained HTML page that a person opens."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

import pandas as pd

SHOWN_ROWS = 200
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1c2430 }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } .wide { overflow-x: auto }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #d8dde5; text-align: left; vertical-align: top }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
.passed { color: #14693a } .failed { color: #a3202a } .status { font-weight: 600 }
"""


def render(summary: dict[str, Any], columns: Iterable[dict[str, Any]], rejected: pd.DataFrame) -> str:
    """Return the page for validation.json's content, the columns' summaries, if any, and the first rejected rows."""
    status = summary["status"]
    rows = summary["rows"]
    parts = [
        f"<p class='status {status}'>{status.capitalize()}</p>",
        f"<p class='failed'>{escape(summary['reason'])}</p>" if summary["reason"] else "",
        f"<p>{escape(summary['file'])}: {rows['read']:,} rows, {rows['accepted']:,} accepted, "
        f"{rows['rejected']:,} rejected ({rows['rejected_share']:.2%}).</p>",
        _section("Expectations", _expectations(summary["expectations"])),
        _section("Columns", _table(pd.DataFrame(columns))),
        _section("Files with rejected rows", _files(summary)),
        _section(f"Rejected rows{_limit_note(rows['rejected'])}", _table(rejected.head(SHOWN_ROWS))),
    ]
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>Data validation</title><style>{STYLE}</style><h1>Data validation</h1>{''.join(parts)}</html>\n"
    )


def _limit_note(count: int) -> str:
    return f" (the first {SHOWN_ROWS} of {count:,}; all are in rejected.csv)" if count > SHOWN_ROWS else ""


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2><div class='wide'>{content}</div>" if content else ""


def _expectations(outcomes: list[dict[str, Any]]) -> str:
    """Failed ones first, then in their order."""
    if not outcomes:
        return ""
    frame = pd.DataFrame(
        {
            "result": ["passed" if outcome["success"] else "failed" for outcome in outcomes],
            "what is expected": [outcome["reason"] for outcome in outcomes],
            "of": [outcome["level"] for outcome in outcomes],
            "rejected rows": [outcome["unexpected_rows"] for outcome in outcomes],
            "observed": [outcome["observed"] or "" for outcome in outcomes],
        }
    )
    return _table(frame.sort_values("result", kind="stable"))


def column_summary(values: pd.Series) -> dict[str, Any]:
    """What the page says of a typed column."""
    row = {"column": values.name, "distinct": values.nunique(), "missing": int(values.isna().sum())}
    if values.dtype != object and row["distinct"]:
        row |= {"smallest": values.min(), "median": values.median(), "largest": values.max()}
    return row


def _files(summary: dict[str, Any]) -> str:
    """Of several files those with rejected rows, most of them first."""
    rows, rejected = summary["files"], summary["rejected_by_file"]
    if len(rows) < 2:
        return ""
    shown = [{"file": name, "rows": rows[name], "rejected": rejected[name]} for name in list(rejected)[:SHOWN_ROWS]]
    return _table(pd.DataFrame(shown))


def _table(frame: pd.DataFrame) -> str:
    if frame.empty:
        return ""
    numeric = [pd.api.types.is_numeric_dtype(frame[name]) for name in frame]
    classes = [" class='number'" if is_number else "" for is_number in numeric]
    head = "".join(f"<th{c}>{escape(str(name))}</th>" for name, c in zip(frame, classes, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{_class(v, c)}>{_text(v)}</td>" for v, c in zip(row, classes, strict=True)) + "</tr>"
        for row in frame.itertuples(index=False, name=None)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _class(value: Any, otherwise: str) -> str:
    return f" class='{value}'" if value in ("passed", "failed") else otherwise


def _text(value: Any) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return escape(f"{value:.10g}" if isinstance(value, float) else str(value))
