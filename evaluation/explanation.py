"""Why the model predicts what it predicts: exact Shapley values of the trees, and of the line that they start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.bootstrap import SEED
from steps.attribution import BLOCK, attributed, average_terms, grouped, groups_of
from steps.model import Model
from steps.row_source import RowSource
from steps.shard import Shard

LIMITS = "(limits of the range)"


@dataclass(frozen=True)
class Explanation:
    """Contributions on the training scale (a logarithm, if the target is on the log scale).

    contributions: one row per explained row, one column per group of features; and LIMITS, where a
    prediction had to be held within the range of the training targets. `expected` and the
    contributions of a row add up to the prediction of that row. `rows` are the places of the explained rows,
    `table` holds their features. `groups` are features that say the same (see `groups_of`), most of them alone.
    """

    expected: float
    contributions: pd.DataFrame
    rows: np.ndarray
    table: pd.DataFrame
    groups: dict[str, tuple[str, ...]]

    @property
    def importance(self) -> pd.Series:
        """The mean absolute contribution of each group, the greatest first."""
        return self.contributions.abs().mean().sort_values(ascending=False, kind="stable")


def explain(model: Model, features: RowSource, at_most: int) -> Explanation:
    """Explain the rows of a table of features, or a draw of `at_most` of them.

    The trees give their exact SHAP values (pred_contribs: Lundberg et al., From local explanations to
    global understanding with explainable AI for trees, Nature Machine Intelligence 2020). It starts from the
    linear regression, whose Shapley values are coefficient x (value - mean over `features`). Both are additive on
    the training scale, so their sum is the attribution of the whole model, and that of a group the sum of its
    features'.
    """
    places = np.arange(len(features))
    if len(features) > at_most:
        places = np.sort(np.random.default_rng(SEED).choice(len(features), at_most, replace=False))
    groups = groups_of(features.at(np.arange(min(len(features), BLOCK))), list(model.features.levels))
    table = features.at(places)
    expected, single, limits = attributed(model, table, _average_terms(model, features))
    contributions = grouped(single, groups)
    if np.abs(limits).max() > 1e-9:
        contributions[LIMITS] = limits
    return Explanation(expected, contributions, places, table, groups)


def _average_terms(model: Model, features: RowSource) -> pd.Series:
    average, every = pd.Series(0.0, index=features.names), Shard.whole(len(features))
    for batch in features.batches():
        average += average_terms(model.start, batch, every)
    return average
