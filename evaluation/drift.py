"""How far two sets of rows are apart: column by column, and to a classifier that sees all columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evaluation.bootstrap import SEED
from steps.boosting import xgboost
from steps.row_source import RowSource

BINS, MOST_LEVELS, MOST_ROWS = 10, 30, 8_000
PARAMETERS = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "max_depth": 3,
    "learning_rate": 0.3,
    "nthread": 1,  # fixed: sums over threads are rounded differently by their number; so few rows need no more
}
ROUNDS = 20
SURE = 0.999


def population_stability(reference: pd.Series, current: pd.Series) -> float:
    """The population stability index, sum of (p - q) ln(p / q) over the bins of the reference, less what is chance.

    Numbers are binned by the reference's deciles, texts by their MOST_LEVELS most frequent values and the rest;
    missing values are a bin of their own. A bin without rows counts as half a row, so that the index is finite.
    Of n and m rows of one distribution in k bins it is (k - 1) (1/n + 1/m) on average, which is taken off; 0 at least.
    Source: Yurdakul and Naranjo, Statistical properties of the population stability index, 2020.
    """
    index, bins = _index(reference, current)
    return max(0.0, index - (bins - 1) * (1 / len(reference) + 1 / len(current)))


def drifts(reference: pd.Series, current: pd.Series) -> bool:
    """Whether the index is larger than chance makes it once in a thousand columns: it is chi-squared distributed."""
    from scipy.stats import chi2

    index, bins = _index(reference, current)
    return bool(index > chi2.ppf(SURE, max(1, bins - 1)) * (1 / len(reference) + 1 / len(current)))


def _index(reference: pd.Series, current: pd.Series) -> tuple[float, int]:
    """The index as it is defined, and the number of bins with rows."""
    if pd.api.types.is_numeric_dtype(reference):
        known = reference.to_numpy(dtype=float)
        known = known[np.isfinite(known)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.array([])
        counts = [_counts_of_numbers(values.to_numpy(dtype=float), edges) for values in (reference, current)]
    else:
        levels = list(reference.value_counts().index[:MOST_LEVELS])
        counts = [_counts_of_texts(values, levels) for values in (reference, current)]
    present = (counts[0] + counts[1]) > 0
    shares = [np.maximum(count[present], 0.5) for count in counts]
    p, q = (share / share.sum() for share in shares)
    return float(((p - q) * np.log(p / q)).sum()), int(present.sum())


def chance_auc(first: int, second: int) -> float:
    """An area under the ROC curve that chance alone hardly reaches: three standard deviations above a half.

    Source: the variance of the Mann-Whitney statistic under equal distributions.
    """
    rows = min(first, MOST_ROWS), min(second, MOST_ROWS)
    return 0.5 + 3 * float(np.sqrt((sum(rows) + 1) / (12 * rows[0] * rows[1])))


def adversarial_auc(train: RowSource, test: RowSource, names: Sequence[str] | None = None) -> float:
    """The area under the ROC curve of a small boosted classifier of some columns, by twofold cross-validation.

    At most MOST_ROWS rows of each side are drawn. 0.5: the sides cannot be told apart.
    """
    random = np.random.default_rng(SEED)
    sides = [side.at(np.sort(random.permutation(len(side))[:MOST_ROWS])) for side in (train, test)]
    table = pd.concat(sides, ignore_index=True)
    values = np.column_stack([_numbers(table[name]) for name in names or table]).astype(np.float32)
    label = np.repeat([0.0, 1.0], [len(side) for side in sides])
    fold = random.permutation(len(label)) % 2
    scores = np.zeros(len(label))
    for part in (0, 1):
        matrix = xgboost.DMatrix(values[fold != part], label[fold != part], nthread=1)
        booster = xgboost.train(PARAMETERS, matrix, num_boost_round=ROUNDS)
        scores[fold == part] = booster.predict(xgboost.DMatrix(values[fold == part], nthread=1))
    return area_under_curve(label, scores)


def area_under_curve(label: np.ndarray, scores: np.ndarray) -> float:
    """The share of pairs of a 1 and a 0 in which the 1 scores higher; equal scores count half."""
    ranks = pd.Series(scores).rank().to_numpy()
    ones = label.sum()
    zeros = len(label) - ones
    if not ones or not zeros:
        return 0.5
    return float((ranks[label == 1].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def _counts_of_numbers(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """How many values are up to each edge and above the one before, above the last, and missing."""
    known = values[np.isfinite(values)]
    up_to = [0, *(np.count_nonzero(known <= edge) for edge in edges), len(known)]
    return np.append(np.diff(up_to), len(values) - len(known))


def _counts_of_texts(values: pd.Series, levels: list[str]) -> np.ndarray:
    """How many rows have each of the levels, another one, and none."""
    counted = values.value_counts()
    known = counted.reindex(levels, fill_value=0).to_numpy()
    return np.array([*known, counted.sum() - known.sum(), values.isna().sum()])


def _numbers(column: pd.Series) -> np.ndarray:
    """A number as it is, a text as the place of its value among all values."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float)
    return pd.factorize(column, sort=True)[0].astype(float)
