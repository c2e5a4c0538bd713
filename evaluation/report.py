"""The evaluation report: one self-contained HTML page of numbers and plots, for whoever approves the model."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from evaluation.comparable_rows import comparables
from evaluation.drawing import Picture
from evaluation.figures import MOST_SEGMENTS
from evaluation.labels import Labels
from evaluation.number_texts import percent, signed
from evaluation.report_head import about, errors_by_part, worst
from steps.evaluation_settings import CardSettings
from steps.other_libraries import LIBRARIES

# Nothing but the page itself may be loaded, and nothing runs.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light }
body { font: 16px/1.5 system-ui, sans-serif; margin: 1.5rem auto; max-width: 72rem; padding: 0 1rem; color: #1c2430 }
h1 { font-size: 1.5rem; margin-bottom: .25rem } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem }
h3 { font-size: 1rem; margin: 0 0 .25rem }
.scroll { overflow-x: auto } table { border-collapse: collapse }
th, td { padding: .3rem .8rem; border-bottom: 1px solid #d8dde5; text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left; padding-left: 0 } td { font-variant-numeric: tabular-nums }
td.text { white-space: normal; text-align: left; min-width: 14rem }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 2rem 1.5rem }
figure { margin: 0 } img { width: 100%; height: auto } figcaption, small, .note { color: #566173; font-size: .9rem }
dl { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; margin: .25rem 0 } dt { color: #566173; font-size: .85rem }
dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums } dl div { display: flex; flex-direction: column }
.about dd { font-weight: 400; overflow-wrap: anywhere }
.verdict { padding: .75rem 1rem; border-left: .4rem solid; border-radius: .2rem; margin: 1rem 0 }
.passed { background: #e8f4ec; border-color: #2e7d4f } .missed { background: #fbeae9; border-color: #b3261e }
.ok { color: #2e7d4f } .warning { color: #8a5a00 } .severe, .no { color: #b3261e }
th.text { text-align: left } ul { padding-left: 1.2rem; overflow-wrap: anywhere }
@media (max-width: 40rem) { body { font-size: 15px } th, td { padding: .3rem .35rem; font-size: .85rem }
  td.text { min-width: 8rem } }
"""
NARROW = 0.02  # of a limit: a gate that is passed by less is marked
RATIOS = {
    "median_ratio": "Median ratio",
    "cod": "COD (coefficient of dispersion)",
    "vei": "VEI (vertical equity indicator)",
    "prd": "PRD (price-related differential)",
    "prb": "PRB (price-related bias)",
}
NAMES = {
    "xgboost": "XGBoost",
    "linear": "Linear regression",
    **{name: library.title for name, library in LIBRARIES.items()},
    "champion": "Champion",
    "plain_boosting": "HistGradientBoosting as it comes",
}


def render(
    document: Mapping[str, Any],
    metadata: Mapping[str, Any],
    pictures: Sequence[Picture],
    card: CardSettings,
    facts: Mapping[str, str],
    labels: Labels,
) -> str:
    """Return the page for evaluation.json's content, model.json's content and the figures.

    `card` has the words of people on the model, `facts` where the evaluation comes from, by name; `labels` what people
    call the features.
    """
    target, unit = metadata["target"]["name"], metadata["target"]["unit"]
    models = dict(document["candidates"])
    if document["champion"]["status"] == "scored":
        models["champion"] = document["champion"]["metrics"]
    return (
        f"{head(f'Evaluation: {target}')}"
        f"<h1>Evaluation of the model of {escape(target)}</h1>"
        f"<p class='note'>On {document['data']['test_rows']:,} test rows that training has not seen.</p>"
        f"{_verdict(document['gates'])}{about(document, card, facts)}{_gates(document['gates'])}"
        f"<h2>Models</h2>{_metrics(models, unit)}<p><small>± is the standard deviation over bootstrap resamples of the "
        f"test rows.</small></p>{errors_by_part(document['regression_metrics'], metadata)}"
        f"<p>{escape(document['what_helps']['sentence'])}{_enough(document['what_helps'])}</p>"
        f"<h2>Figures</h2><div class='figures'>{''.join(map(figure, pictures))}</div>"
        f"{worst(document['worst_predictions'], unit, labels)}"
        f"<h2>Segments</h2>{_segments(document['segments'], labels)}"
        f"<h2>Coverage of the interval</h2>{_coverage(document['interval'])}"
        f"{_missing(document['missing_inputs'])}{_rules(document['rules'])}"
        f"<h2>Ratio study</h2>{_ratio_study(document['ratio_study'])}"
        f"<h2>Checks of the data</h2>{_checks(document['data']['checks'])}"
        f"{_reasons(document['explanation'], metadata, labels)}{_model(metadata)}</main></body></html>\n"
    )


def head(title: str) -> str:
    """The beginning of a page, up to its main part; `</main></body></html>` ends it."""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>"
    )


def _enough(helps: Mapping[str, Any]) -> str:
    """How few rows would do, where fewer would."""
    return f" {escape(helps['enough']['sentence'])}" if "enough" in helps else ""


def _verdict(gates: Mapping[str, Any]) -> str:
    if gates["message"]:
        return f"<p class='verdict missed'><strong>Not good enough:</strong> {escape(gates['message'])}</p>"
    count = len(gates["checks"])
    return f"<p class='verdict passed'><strong>All {count} gates passed</strong>; a person decides.</p>"


def _gates(gates: Mapping[str, Any]) -> str:
    rows = [
        [
            f"<td class='text'>{escape(sentence_case(check['subject']))}</td>",
            f"<td>{check['value']:.4g}</td><td>{check['bound']} {check['limit']:.4g}</td>",
            _result(check),
        ]
        for check in gates["checks"]
    ]
    return table(["gate", "value", "limit", ""], ["".join(cells) for cells in rows])


def _result(check: Mapping[str, Any]) -> str:
    """Passed, passed by less than NARROW of the limit, or missed."""
    if not check["passed"]:
        return "<td class='no'>missed</td>"
    narrow = abs(check["value"] - check["limit"]) < NARROW * abs(check["limit"])
    return "<td class='warning'>passed narrowly</td>" if narrow else "<td class='ok'>passed</td>"


def _missing(measured: Mapping[str, Any]) -> str:
    """What each optional input is worth where it is missing; nothing where none is optional."""
    if not measured["inputs"]:
        return ""
    rows = [
        f"<td class='text'>{escape(name)}</td><td>{each['rmse_ratio']:.2f}</td><td>{each['coverage']:.1%}</td>"
        for name, each in measured["inputs"].items()
    ]
    note = (
        f"<p class='note'>{measured['rows']:,} test rows, in which one optional input after the other is blanked.</p>"
    )
    return f"<h2>Missing inputs</h2>{note}{table(['input', 'RMSE grows by the factor', 'coverage'], rows)}"


def _rules(measured: Mapping[str, Any]) -> str:
    """Whether the predictions keep the rules of data.monotone; nothing where there are none."""
    if not measured["inputs"]:
        return ""
    rows = [
        f"<td class='text'>{escape(name)}</td><td>{each['rule']}</td><td>{each['broken']:,}</td>"
        f"<td class='{'severe' if each['broken'] else 'ok'}'>{'broken' if each['broken'] else 'kept'}</td>"
        for name, each in measured["inputs"].items()
    ]
    note = f"<p class='note'>{measured['rows']:,} test rows, in which one input after the other is raised by steps.</p>"
    return f"<h2>Rules</h2>{note}{table(['input', 'predictions are', 'rows that break it', ''], rows)}"


def sentence_case(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def _metrics(models: Mapping[str, Any], unit: str) -> str:
    in_unit = f" ({escape(unit)})" if unit else ""
    formats = {f"RMSE{in_unit}": ("rmse", ",.0f"), f"MAE{in_unit}": ("mae", ",.0f")}
    formats |= {"MAPE": ("mape", ".2%"), "R²": ("r2", ".4f")}
    rows = []
    for name, metrics in models.items():
        cells = "".join(
            f"<td>{_number(metrics[key]['value'], form)} <small>± "
            f"{_number(metrics[key]['standard_deviation'], form)}</small></td>"
            for key, form in formats.values()
        )
        rows.append(f"<td>{NAMES.get(name, escape(name))}</td>{cells}")
    return table(["model", *formats], rows)


def _number(value: float, form: str) -> str:
    """Format a number; small errors (of a target that is not money) get digits instead of a 0."""
    return f"{value:.4g}" if form == ",.0f" and abs(value) < 100 else f"{value:{form}}"


def figure(picture: Picture) -> str:
    """A figure with its numbers and caption; the image is in the page."""
    numbers = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in picture.numbers)
    image = base64.b64encode(picture.png).decode()
    return (
        f"<figure id='{picture.name}'><h3>{escape(picture.title)}</h3><dl>{numbers}</dl>"
        f"<img src='data:image/png;base64,{image}' alt='{escape(picture.title)}: {escape(picture.caption)}'>"
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
    )


def _segments(segments: Sequence[Mapping[str, Any]], labels: Labels) -> str:
    """A table for each column; one of many segments shows the worst, and the others on request."""
    if not segments:
        return "<p>The YAML declares no segments (evaluation.segments).</p>"
    by_column: dict[str, list[Mapping[str, Any]]] = {}
    for segment in segments:
        by_column.setdefault(segment["column"], []).append(segment)
    parts = [f"<h3>By {escape(labels.name(name))}</h3>{_of_column(found)}" for name, found in by_column.items()]
    note = "<p><small>With 95 % intervals of a bootstrap. Bands of the actual target are over-valued below and "
    return "".join(parts) + note + "under-valued above by any model.</small></p>"


def _of_column(segments: Sequence[Mapping[str, Any]]) -> str:
    titles = ["segment", "rows", "MAPE", "MAPE / that of the others", "over-valued by"]
    whole = table(titles, [_segment(segment) for segment in segments])
    if len(segments) <= MOST_SEGMENTS:
        return whole
    ranked = sorted(segments, key=lambda each: (each["small"], -(each["mape_ratio"] or 0)))[:MOST_SEGMENTS]
    shown = table(titles, [_segment(segment) for segment in ranked])
    return (
        f"<p><small>The {MOST_SEGMENTS} with the largest errors.</small></p>{shown}"
        f"<details><summary>All {len(segments)} segments</summary>{whole}</details>"
    )


def _segment(segment: Mapping[str, Any]) -> str:
    small = " <small>(few rows)</small>" if segment["small"] else ""
    name = f"<td>{escape(segment['name'])}{small}</td><td>{segment['rows']:,}</td>"
    if segment["mape"] is None:
        return f"{name}<td>-</td><td>-</td><td>-</td>"
    low, high = segment["valuation_interval"]
    ratio, interval = segment["mape_ratio"], segment["mape_ratio_interval"]
    compared = f"{ratio:.2f} <small>{interval[0]:.2f} to {interval[1]:.2f}</small>" if ratio is not None else "-"
    valuation = f"{signed(segment['valuation'])} <small>{signed(low)} to {signed(high)}</small>"
    return f"{name}<td>{percent(segment['mape'])}</td><td>{compared}</td><td>{valuation}</td>"


def _coverage(interval: Mapping[str, Any]) -> str:
    rows = [
        f"<td>{escape(group['column'])} {escape(group['name'])}</td><td>{group['rows']:,}</td>"
        f"<td>{percent(group['share'])} <small>{percent(group['lower'])} to {percent(group['upper'])}</small></td>"
        f"<td class='{'severe' if group['low'] else 'ok'}'>{'too low' if group['low'] else 'ok'}</td>"
        for group in interval.get("groups", ())
    ]
    note = (
        f"<p><small>With bounds that hold for all groups at once with 95 %. A group is too low where its upper one "
        f"is more than 3 points below {percent(interval['coverage'])}; no gate looks at it.</small></p>"
    )
    return table(["group", "rows", "actual values inside", ""], rows) + note


def _ratio_study(study: Mapping[str, Any]) -> str:
    rows = []
    for key, name in RATIOS.items():
        value, (low, high) = study[key], study["accepted"][key]
        state = "" if value is None else ("ok" if low <= value <= high else "outside")
        shown = "-" if value is None else f"{value:.3g}"
        rows.append(
            f"<td>{name}</td><td>{shown}</td><td>{low:g} to {high:g}</td><td>{study['editions'][key]}</td>"
            f"<td class='{'warning' if state == 'outside' else 'ok'}'>{state}</td>"
        )
    note = f"<p><small>Of predicted / actual, over {study['rows']:,} rows; IAAO, Standard on Ratio Studies.</small></p>"
    return table(["statistic", "value", "accepted", "edition", ""], rows) + note


def _checks(checks: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        f"<td>{escape(sentence_case(check['check']))}</td><td class='{check['severity']}'>{check['severity']}</td>"
        f"<td class='text'>{escape(check['text'])}</td>"
        for check in checks
    ]
    return table(["check", "", "finding"], rows)


def _reasons(explanation: Mapping[str, Any], metadata: Mapping[str, Any], labels: Labels) -> str:
    logarithmic, unit = metadata["target"]["scale"] == "log", metadata["target"]["unit"]
    samples = ""
    for sample in explanation["samples"]:
        terms = "".join(
            f"<li>{escape(labels.name(term['feature']))} = {escape(term['value'])}: "
            f"{_effect(term['contribution'], logarithmic)}</li>"
            for term in sample["terms"]
        )
        values = f"predicted {sample['predicted']:,.0f} {escape(unit)}, actual {sample['actual']:,.0f} {escape(unit)}"
        told = comparables(sample.get("comparables", ()), metadata["target"]["name"], unit, labels)
        samples += f"<div><h3>{sentence_case(escape(sample['row']))}</h3><p>{values}</p><ul>{terms}</ul>{told}</div>"
    sentences = "".join(f"<li>{escape(sentence)}</li>" for sentence in explanation["linear_regression"])
    return (
        f"<h2>Why the model says so</h2><p class='note'>{escape(sentence_case(explanation['method']))}.</p>"
        f"<div class='figures'>{samples}</div>"
        f"<h2>The linear regression in words</h2><ul>{sentences}</ul>"
    )


def _effect(contribution: float, logarithmic: bool) -> str:
    """A contribution as people say it: to a logarithm it is a factor."""
    return f"× {2.718281828459045**contribution:.2f}" if logarithmic else f"{contribution:+,.4g}"


def _model(metadata: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in metadata["hyperparameters"].items())
    rows = metadata["rows"]
    return (
        "<h2>The model</h2>"
        f"<p>{rows['train']:,} training rows, {rows['validation']:,} validation rows, "
        f"{metadata['best_iteration'] + 1:,} rounds. Hyperparameters: {escape(settings)}.</p>"
        f"<p>Features: {escape(', '.join(metadata['features']))}.</p>"
    )


def table(head: Sequence[str], rows: Sequence[str]) -> str:
    """A table that scrolls by itself where the screen is narrow; the rows are cells already."""
    names = "".join(f"<th class='text'>{name}</th>" if name == "finding" else f"<th>{name}</th>" for name in head)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<div class='scroll'><table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table></div>"
