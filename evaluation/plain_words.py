"""The linear regression's coefficients as sentences."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluation.explanation import Explanation
from evaluation.labels import Labels
from steps.failure import listed
from steps.model import Model


def coefficients(model: Model, explanation: Explanation, labels: Labels, at_most: int = 8) -> list[str]:
    """Say what the strongest coefficients mean, the strongest first.

    The strength of a number is what one standard deviation of it changes among the explained rows, that of a
    category the distance between its highest and its lowest level. Features that say the same are one.
    """
    terms = model.linear.terms(explanation.table)
    strengths: list[tuple[float, str]] = []
    for members in explanation.groups.values():
        levels = model.linear.levels.get(members[0], {})
        strength = float(terms[list(members)].sum(axis=1).std(ddof=0))
        if len(members) > 1:
            together = f"{listed(labels.listed(members))} move together and are read as one"
            effect = change(model, strength).lstrip("+")
            text = f"{together}: a usual difference changes the prediction by {effect}"
        elif levels:
            low, high = min(levels, key=levels.__getitem__), max(levels, key=levels.__getitem__)
            strength = levels[high] - levels[low]
            ends = f"from {low}, the lowest, to {high}, the highest"
            text = f"{labels.name(members[0])}: {ends}, the prediction changes by {change(model, strength)}"
        else:
            text = _number(model, explanation.table, members[0], labels)
        strengths.append((strength, text))
    strongest = sorted(strengths, key=lambda strength: -strength[0])[:at_most]
    return [f"{text}, all else equal." for _, text in strongest]


def _number(model: Model, table: pd.DataFrame, name: str, labels: Labels) -> str:
    if name in labels.truths:
        return f"{labels.more(name, 1)} changes the prediction by {change(model, model.linear.coefficients[name])}"
    spread = float(table[name].std(ddof=0))
    effect = change(model, model.linear.coefficients[name] * spread)
    return f"{labels.more(name, spread)}, a usual difference, changes the prediction by {effect}"


def change(model: Model, difference: float) -> str:
    """A difference on the training scale as people say it: in per cent of a log target, else in its unit."""
    if model.features.target_scale == "log":
        return f"{np.expm1(difference):+.1%}".replace("%", " %")
    return f"{difference:+,.4g} {model.features.target_unit}".rstrip()
