"""The top of the report: what it is about, what the model is for and not for, and the rows that it gets most wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from evaluation.labels import Labels
from steps.evaluation_settings import CardSettings
from steps.other_libraries import LIBRARIES, XGBOOST


def about(document: Mapping[str, Any], card: CardSettings, facts: Mapping[str, str]) -> str:
    """Where the evaluation comes from, and the card's own words."""
    champion = {"none": "none is approved yet", "unusable": "cannot be scored"}
    others = document["data"]["looks"]["earlier"]
    looked = f"{others:,} other models" if others > 1 else "1 other model" if others else "no other model"
    stated = {
        "Rows": f"{document['data']['train_rows']:,} training, {document['data']['test_rows']:,} test",
        "Champion": champion.get(document["champion"]["status"], "scored on the same test rows"),
        "Test part": f"met before by {looked} that the starts of executions know of",
        **facts,
    }
    words = {
        "Purpose": card.purpose,
        "Intended use": card.intended_uses,
        "Limits": card.limits,
        "Risk": f"{card.risk_rating}. {card.risk_explanation}".strip() if card.risk_rating != "Unknown" else "",
    }
    rows = "".join(_pair(name, text) for name, text in stated.items())
    said = "".join(f"<p><strong>{name}:</strong> {escape(text)}</p>" for name, text in words.items() if text)
    nothing = "<p class='note'>The YAML says nothing of its purpose (evaluation.card).</p>"
    return f"<dl class='about'>{rows}</dl>{said or nothing}"


def errors_by_part(tested: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    """The errors of the model on the rows that it learned from, was stopped on, and has never seen.

    `tested` are the regression metrics of the test part; `metadata` is model.json, which has not always had errors on
    the training rows.
    """
    library = metadata.get("library", XGBOOST)
    title = LIBRARIES[library].title if library in LIBRARIES else "XGBoost"
    measured = {
        "training": metadata.get("training_metrics", {}).get(library),
        "validation": metadata.get("validation_metrics", {}).get(library),
        "test": {name: each["value"] for name, each in tested.items()},
    }
    rows = "".join(
        f"<tr><td>{part}</td><td>{each['rmse']:,.6g}</td><td>{each['mape']:.2%}</td><td>{each['r2']:.4f}</td></tr>"
        for part, each in measured.items()
        if each is not None
    )
    return (
        f"<h3>{title} by the part of the data</h3>{_chosen(metadata.get('libraries', {}))}"
        "<p class='note'>The training error is that on rows that the model has seen: if it is far below the test "
        "error, the model has learned rows by heart. Both other errors were measured before the trees learned from the "
        "validation rows, too.</p>"
        "<div class='scroll'><table><thead><tr><th>part</th><th>RMSE</th><th>MAPE</th><th>R²</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _chosen(libraries: Mapping[str, float]) -> str:
    """Which library was best on the validation part, where the YAML names several."""
    if len(libraries) < 2:
        return ""
    told = ", ".join(f"{name} {error:.4g}" for name, error in sorted(libraries.items(), key=lambda each: each[1]))
    return f"<p>RMSE on the validation part, on the scale of training: {told}. The best one predicts.</p>"


def worst(entries: Sequence[Mapping[str, Any]], unit: str, labels: Labels) -> str:
    """The worst predictions as a table."""
    if not entries:
        return ""
    names = list(entries[0]["values"])
    in_unit = f" ({escape(unit)})" if unit else ""
    head = [f"actual{in_unit}", f"predicted{in_unit}", "error", *(escape(labels.name(name)) for name in names)]
    rows = [
        f"<td>{each['actual']:,.6g}</td><td>{each['predicted']:,.6g}</td><td>{each['error']:+.0%}</td>"
        + "".join(f"<td>{escape(each['values'][name])}</td>" for name in names)
        for each in entries
    ]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    titles = "".join(f"<th>{name}</th>" for name in head)
    return (
        "<h2>The worst predictions</h2><p class='note'>The test rows with the largest error relative to the actual "
        "value: what the model does not know, or what is wrong in the data.</p><div class='scroll'><table><thead>"
        f"<tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _pair(name: str, text: str) -> str:
    return f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>"
