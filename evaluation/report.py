"""The evaluation report: one self-contained HTML page of numbers and plots, for whoever approves the model."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from evaluation.plot import scatter

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; color: #1c2430 }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse } th, td { padding: .3rem .9rem; border-bottom: 1px solid #d8dde5; text-align: right }
th:first-child, td:first-child { text-align: left } td { font-variant-numeric: tabular-nums }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 1rem }
svg { width: 100%; height: auto } figure { margin: 0 } figcaption { color: #566173; font-size: .9rem }
small { color: #566173 }
"""
NAMES = {"xgboost": "XGBoost", "linear": "Linear regression"}


def render(
    document: Mapping[str, Any],
    metadata: Mapping[str, Any],
    actual: np.ndarray,
    predictions: Mapping[str, np.ndarray],
) -> str:
    """Return the page for evaluation.json's content, model.json's content and the test predictions."""
    target, unit = metadata["target"]["name"], metadata["target"]["unit"]
    named = f"{target} in {unit}" if unit else target
    predicted = predictions["xgboost"]
    fit = scatter(actual, predicted, f"actual {named}", f"predicted {named}", reference="diagonal")
    residual = scatter(predicted, actual - predicted, f"predicted {named}", "actual - predicted", reference="zero")
    ratio = document["comparison"]["rmse_ratio"]
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>Evaluation</title><style>{STYLE}</style>"
        f"<h1>Evaluation on {document['data']['test_rows']:,} test rows</h1>"
        f"<p>The error of XGBoost (RMSE) is {ratio['value']:.3f} times that of the linear regression.</p>"
        f"{_metrics(document['candidates'], unit)}"
        "<p><small>± is the standard deviation over bootstrap resamples of the test rows.</small></p>"
        "<h2>XGBoost's predictions</h2><div class='plots'>"
        f"<figure>{fit}<figcaption>Predicted against actual; on the line they are equal.</figcaption></figure>"
        f"<figure>{residual}<figcaption>Residuals; above the line the prediction is too low.</figcaption></figure>"
        f"</div>{_model(metadata)}</html>\n"
    )


def _metrics(candidates: Mapping[str, Any], unit: str) -> str:
    in_unit = f" ({escape(unit)})" if unit else ""
    formats = {f"RMSE{in_unit}": ("rmse", ",.0f"), f"MAE{in_unit}": ("mae", ",.0f")}
    formats |= {"MAPE": ("mape", ".2%"), "R²": ("r2", ".4f")}
    head = "".join(f"<th>{label}</th>" for label in formats)
    rows = ""
    for name, metrics in candidates.items():
        cells = "".join(
            f"<td>{_number(metrics[key]['value'], form)} <small>± "
            f"{_number(metrics[key]['standard_deviation'], form)}</small></td>"
            for key, form in formats.values()
        )
        rows += f"<tr><td>{NAMES.get(name, escape(name))}</td>{cells}</tr>"
    return f"<table><thead><tr><th>candidate</th>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _number(value: float, form: str) -> str:
    """Format a number; small errors (of a target that is not money) get digits instead of a 0."""
    return f"{value:.4g}" if form == ",.0f" and abs(value) < 100 else f"{value:{form}}"


def _model(metadata: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in metadata["hyperparameters"].items())
    rows = metadata["rows"]
    return (
        "<h2>The model</h2>"
        f"<p>{rows['train']:,} training rows, {rows['validation']:,} validation rows, "
        f"{metadata['best_iteration'] + 1:,} rounds. Hyperparameters: {escape(settings)}.</p>"
        f"<p>Features: {escape(', '.join(metadata['features']))}.</p>"
    )
