"""The report of a window: one self-contained HTML page, the answer first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.number_texts import percent, signed
from evaluation.report import RATIOS, figure, head, table
from monitoring.figures import level_by_week
from monitoring.sample import Sample
from monitoring.window import Window
from steps.artifacts import write_text
from steps.settings import JobSettings

NAMES = {"r2": "R²", "mape": "MAPE", **RATIOS, "coverage": "Actual values in the interval"}
SHARES = ("mape", "coverage")
VERDICTS = {
    "ok": ("passed", "Nothing to do"),
    "watch": ("missed", "Watch"),
    "retrain": ("missed", "Retrain"),
    "not enough data": ("missed", "Not enough data"),
}
MOST_FEATURES = 12


def write_report(
    path: Path,
    document: Mapping[str, Any],
    window: Window,
    reference: Sample,
    backtest: Sample | None,
    settings: JobSettings,
) -> None:
    """Write the page of monitoring.json's content. No row of the data is in it, only what many rows have in common."""
    drawn = level_by_week(reference, backtest, settings.data.date)
    write_text(path, render(document, window, figure(drawn) if drawn else "", settings))


def render(document: Mapping[str, Any], window: Window, picture: str, settings: JobSettings) -> str:
    """The page; `picture` is a figure as HTML, or empty."""
    target = settings.data.target
    return (
        f"{head(f'Monitoring: {target}, {window.title}')}<h1>Monitoring of the model of {escape(target)}</h1>"
        f"<p class='note'>{escape(window.stage)}, version {window.live}, {window.title} (UTC).</p>"
        f"{_verdict(document)}{_notes(document['notes'])}"
        f"<h2>Checks</h2>{_checks(document)}"
        f"<h2>New sales</h2>{_backtest(document)}{picture}"
        f"<h2>Served predictions by cohort</h2>{_cohorts(document['cohorts'])}{_side_by_side(document['side_by_side'])}"
        f"<h2>Estimated error</h2>{_estimate(document['estimated_error'])}"
        f"<h2>Inputs</h2>{_inputs(document['input_drift'])}{_values(document['values'])}"
        f"{_attributions(document['attribution_drift'], settings.data.target_scale)}"
        f"<h2>Segments</h2>{_segments(document['backtest'], window.history)}</main></body></html>\n"
    )


def _verdict(document: Mapping[str, Any]) -> str:
    style, word = VERDICTS[document["decision"]]
    reasons = " ".join(map(escape, document["reasons"]))
    return f"<p class='verdict {style}'><strong>{word}.</strong> {reasons}</p>"


def _notes(notes: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in notes)}</ul>" if notes else ""


def _checks(document: Mapping[str, Any]) -> str:
    rows = []
    for check in document["checks"]:
        style = {"ok": "ok", "changed": "severe", "still changed": "severe"}.get(check["outcome"], "warning")
        p = "-" if check["p"] is None else f"{check['p']:.2g}"
        text = check["sentence"] if check["outcome"] != "ok" else ""
        rows.append(
            f"<td>{escape(check['name'])}</td><td class='{style}'>{check['outcome']}</td><td>{p}</td>"
            f"<td class='text'>{escape(text)}</td>"
        )
    note = (
        f"<p><small>p is how often chance alone makes a difference as large; a check tells of one below "
        f"{document['level_of_each_check']:.2g}, so that all of them together err as rarely as "
        "monitoring.false_alarms_per_month says.</small></p>"
    )
    return table(["check", "", "p", "finding"], rows) + note


def _backtest(document: Mapping[str, Any]) -> str:
    found = document["backtest"]
    if found is None:
        return "<p>Not enough data: too few new sales of the window are known.</p>"
    columns = {"at registration": document["registered"], f"{found['rows']:,} new sales": found["statistics"]}
    columns |= {
        f"version {other['version']}": other["statistics"] for other in document["others"] if "statistics" in other
    }
    rows = [
        f"<td>{name}</td>" + "".join(f"<td>{_value(key, statistics[key])}</td>" for statistics in columns.values())
        for key, name in NAMES.items()
        if key in document["registered"]
    ]
    unusable = "".join(
        f"<p>Version {other['version']}: {escape(other['reason'])}</p>"
        for other in document["others"]
        if "reason" in other
    )
    return table(["statistic", *columns], rows) + unusable + _decomposition(found["decomposition"]) + _places(found)


def _value(key: str, entry: Mapping[str, Any]) -> str:
    if entry["value"] is None:
        return "-"
    show = percent if key in SHARES else lambda value: f"{value:.3f}"
    low, high = entry["interval"]
    return f"{show(entry['value'])} <small>{show(low)} to {show(high)}</small>"


def _decomposition(parts: Mapping[str, Any]) -> str:
    rest = "more" if parts["model"] > 0 else "less"
    return (
        f"<p>The MAPE went from {percent(parts['before'])} to {percent(parts['now'])}. Other houses being sold (mix): "
        f"{signed(parts['mix'])}. The level (market): {signed(parts['market'])}. The rest ({rest} error of the model "
        f"itself): {signed(parts['model'])}. {escape(parts['sentence'])}</p>"
    )


def _places(found: Mapping[str, Any]) -> str:
    if not found["places"]:
        return ""
    ordered = sorted(found["places"], key=lambda each: each[3])[:8]
    rows = [
        f"<td>{escape(name)}</td><td>{count:,}</td><td>{signed(change)}</td>"
        f"<td>{min(1.0, p * len(found['places'])):.2g}</td>"
        for name, count, change, p in ordered
    ]
    return "<h3>Places</h3>" + table(["place", "new sales", "level against all others", "p, adjusted"], rows)


def _cohorts(cohorts: Sequence[Mapping[str, Any]]) -> str:
    if not cohorts:
        return "<p>No captured requests are known.</p>"
    rows = []
    for each in cohorts:
        share = each["matured"] / each["rows"] if each["rows"] else 0.0
        level = "-" if each["level"] is None else signed(each["level"])
        mape = "-" if each["mape"] is None else percent(each["mape"])
        rows.append(
            f"<td>{each['month']}</td><td>{escape(each['version'])}</td><td>{each['rows']:,}</td>"
            f"<td>{each['matured']:,} <small>{percent(share)}</small></td><td>{level}</td><td>{mape}</td>"
        )
    return table(["month of prediction", "version", "predictions", "with a price by now", "level", "MAPE"], rows)


def _side_by_side(comparisons: Sequence[Mapping[str, Any]]) -> str:
    if not comparisons:
        return ""
    said = "".join(f"<li>{escape(each['sentence'])}</li>" for each in comparisons)
    return f"<h3>Side by side</h3><ul>{said}</ul>"


def _estimate(found: Mapping[str, Any] | None) -> str:
    """The error that is estimated before prices are known, and the actual one beside it, with what is assumed."""
    if found is None:
        return "<p>Not enough data: too few requests were captured, or too few errors are known at registration.</p>"
    low, high = found["interval"]
    width = "-" if found["by_width"] is None else percent(found["by_width"])
    actual = "not known yet" if found["actual"] is None else percent(found["actual"])
    rows = [
        f"<td>by a second model of the errors</td><td>{percent(found['mape'])} <small>{percent(low)} to {percent(high)}"
        f"</small></td><td>{found['rows']:,}</td>",
        f"<td>by the width of the intervals</td><td>{width}</td><td>{found['rows']:,}</td>",
        f"<td>actual, of those with a price by now</td><td>{actual}</td><td>{found['matured']:,}</td>",
    ]
    note = (
        "<p><small>Assumed: houses of a kind are judged as well as at registration. The estimates see that other "
        "houses come, and not that the market moved.</small></p>"
    )
    return table(["MAPE of the captured requests", "", "rows"], rows) + note


def _inputs(drift: Mapping[str, Any] | None) -> str:
    if drift is None:
        return "<p>Not enough data.</p>"
    rows = [
        f"<td>{escape(each['name'])}</td><td>{each['psi']:.3f}</td><td>{each['distance']:.3f}</td><td>{each['z']:.1f}</td>"
        f"<td>{'-' if each['wasserstein'] is None else format(each['wasserstein'], '.2f')}</td>"
        for each in drift["features"][:MOST_FEATURES]
    ]
    moved = drift["prediction"]
    return (
        f"<p>{drift['rows']:,} {escape(drift['what'])} against the test part at registration: p {drift['p']:.2g} over "
        f"all features together. A classifier tells them apart with an AUC of {drift['auc']:.2f} (0.5: not at all). "
        f"The median prediction is {moved['median']:,.6g} where it was {moved['median_at_registration']:,.6g} "
        f"(PSI {moved['psi']:.2f})."
        f"</p>{table(['feature', 'PSI', 'distance', 'standard deviations', 'Wasserstein'], rows)}"
    )


def _attributions(found: Mapping[str, Any] | None, scale: str) -> str:
    """What the model leans on then and now, by the features whose share has moved most."""
    if found is None:
        return ""
    rows = [
        f"<td>{escape(each['name'])}</td><td>{percent(each['before'])}</td><td>{percent(each['now'])}</td>"
        f"<td>{signed(np.expm1(each['moved'])) if scale == 'log' else format(each['moved'], '+,.4g')}</td>"
        for each in found["features"][:MOST_FEATURES]
    ]
    before, now = found["rows"]
    note = (
        f"<p>Shapley values of {now:,} {escape(found['what'])} and {before:,} rows of the test part: the order of the "
        f"features' importance agrees with an NDCG of {found['ndcg']:.3f} (1: the same; Clarify alerts below 0.9).</p>"
    )
    head = ["feature", "share at registration", "share now", "moves predictions by"]
    return f"<h3>What the model leans on</h3>{note}{table(head, rows)}"


def _values(values: Sequence[Mapping[str, Any]]) -> str:
    if not values:
        return ""
    rows = [
        f"<td>{escape(each['column'])}</td><td>{each['kind']}</td><td>{each['rows']:,} <small>{percent(each['share'])}"
        f"</small></td><td>{percent(each['reference_share'])}</td>"
        for each in values[:MOST_FEATURES]
    ]
    return "<h3>Unusual values</h3>" + table(["column", "", "rows", "at registration"], rows)


def _segments(found: Mapping[str, Any] | None, history: Sequence[Mapping[str, Any]]) -> str:
    """Each segment now and at registration, and how its level was in the windows before."""
    if found is None:
        return "<p>Not enough data.</p>"
    rows = []
    for each in found["segments"]:
        name = f"{each['column']} {each['name']}"
        cells = f"<td>{escape(name)}</td><td>{each['rows']:,}</td>"
        earlier = "".join(f"<td>{_level_of(name, window)}</td>" for window in history)
        if "level_change" not in each:
            rows.append(f"{cells}<td>-</td><td>-</td>{earlier}<td>-</td>")
            continue
        low, high = each["interval"]
        rows.append(
            f"{cells}<td>{percent(each['mape'])}</td><td>{percent(each['mape_at_registration'])}</td>{earlier}"
            f"<td>{signed(each['level_change'])} <small>{signed(low)} to {signed(high)}</small></td>"
        )
    before = [f"level, window to {escape(str(window['until']))}" for window in history]
    return table(["segment", "new sales", "MAPE", "at registration", *before, "level since then"], rows)


def _level_of(name: str, window: Mapping[str, Any]) -> str:
    level = window["segments"].get(name)
    return "-" if level is None else signed(level)
