"""Whether the model leans on the same features as at registration: Shapley values of rows then and now.

A feature that drifts and moves no prediction is harmless, and one that hardly drifts may move them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.explanation import explain
from steps import features as feature_module
from steps.expressions import names
from steps.model import Model
from steps.row_source import InMemory

FEWEST = 50  # rows of each side, below which the shares are mostly chance


@dataclass(frozen=True)
class Attribution:
    """One feature, or several that say the same. before, now: its share of all mean absolute contributions.

    moved: by how much its mean contribution has moved the predictions, on the training scale.
    """

    name: str
    before: float
    now: float
    moved: float


@dataclass(frozen=True)
class AttributionDrift:
    """ndcg: 1 where the features have the same order of importance as at registration, less the more it differs.

    SageMaker Clarify alerts below 0.9. rows: how many were explained at registration, and now.
    """

    ndcg: float
    features: tuple[Attribution, ...]  # by how far their shares have moved, the furthest first
    rows: tuple[int, int]


def attribution_drift(
    model: Model, reference: pd.DataFrame, current: pd.DataFrame, at_most: int
) -> AttributionDrift | None:
    """Explain an even selection of at most so many typed raw rows of each side; None where one side has too few.

    Features of the date alone are left out: they are new in every window. Source of the index: Jarvelin and Kekalainen,
    Cumulated gain-based evaluation of IR techniques, 2002, with the importance at registration for the gain, as
    SageMaker Clarify has it ("Feature attribution drift").
    """
    sides = [_even(rows, at_most) for rows in (reference, current)]
    if min(map(len, sides)) < FEWEST:
        return None
    wanted = list(model.features.inputs)
    both = pd.concat([side[wanted] for side in sides], ignore_index=True)
    found = explain(model, InMemory(feature_module.transform(both, model.features)), len(both))
    dated = of_dates_alone(model)
    kept = [name for name, members in found.groups.items() if not set(members) <= dated]
    terms = found.contributions[kept]
    then, now = terms.iloc[: len(sides[0])], terms.iloc[len(sides[0]) :]
    before, after = _shares(then), _shares(now)
    moved = now.mean() - then.mean()
    features = [Attribution(name, float(before[name]), float(after[name]), float(moved[name])) for name in kept]
    ordered = tuple(sorted(features, key=lambda each: -abs(each.now - each.before)))
    return AttributionDrift(ndcg(before, after), ordered, (len(then), len(now)))


def of_dates_alone(model: Model) -> set[str]:
    """The derived features that need nothing but dates."""
    types: Mapping[str, str] = {name: column.type for name, column in model.features.inputs.items()}
    dated = {name for name, kind in types.items() if kind == "date"}
    for name, expression in model.features.derived.items():  # each uses columns, and features before it
        if names(expression) and names(expression) <= dated:
            dated.add(name)
    return dated


def _even(rows: pd.DataFrame, at_most: int) -> pd.DataFrame:
    return rows.iloc[np.linspace(0, len(rows) - 1, min(len(rows), at_most)).astype(int)]


def _shares(terms: pd.DataFrame) -> pd.Series:
    sizes = terms.abs().mean()
    return sizes / sizes.sum() if sizes.sum() > 0 else sizes


def ndcg(before: pd.Series, after: pd.Series) -> float:
    """How well the order of `after` agrees with the gains of `before`, both by feature: 1 where it is theirs."""
    discounts = 1 / np.log2(np.arange(2, len(before) + 2))
    gains = [before[order.sort_values(ascending=False, kind="stable").index].to_numpy() for order in (after, before)]
    best = float(gains[1] @ discounts)
    return float(gains[0] @ discounts) / best if best > 0 else 1.0
