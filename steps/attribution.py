"""What each feature contributes to a prediction: exact Shapley values of the trees, and of the line before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from steps.linear import LinearModel
from steps.shard import Shard
from steps.stored_table import Table

if TYPE_CHECKING:
    from steps.model import Model

SAME, FOLLOWS = 0.95, 0.999  # a correlation; a share of the variance
BLOCK = 50_000  # rows whose terms are held in memory at once


def average_terms(line: LinearModel, table: Table, shard: Shard | None = None) -> pd.Series:
    """The mean of what each feature adds to the line, over a table of features: what contributions are counted from.

    With a shard the table is one host's, and the mean is over the rows of all.
    """
    shard = shard or Shard.whole(len(table))
    average = pd.Series(0.0, index=list(map(str, table)))
    for start in range(0, len(table), BLOCK):
        average += line.terms(table.iloc[start : start + BLOCK]).sum() / shard.total
    return pd.Series(shard.hosts.total(average.to_numpy()), index=average.index)


def attributed(model: Model, table: pd.DataFrame, average: pd.Series) -> tuple[float, pd.DataFrame, np.ndarray]:
    """What each single feature contributes to the predictions of a table of features, on the training scale.

    `average` is the line's mean term of each feature, from which its contributions are counted. Returns what is
    expected without knowing a row, one column of contributions per feature, and by how much the limits of the range
    hold a row: together they are the row's prediction.
    """
    line = model.start
    terms = line.terms(table)
    trees, margin = model.contributions(table)
    single = terms - average + trees[:, :-1]
    # The bias column is the margin of each row and the trees' own expectation, which is the same for all.
    expected = line.intercept + float(average.sum()) + float(np.mean(trees[:, -1] - margin))
    # Twice the prediction is held within the range of the training targets: the line's, and the sum.
    limits = margin - (line.intercept + terms.sum(axis=1).to_numpy())
    total = expected + single.sum(axis=1).to_numpy() + limits
    return expected, single, limits + model.features.held(total) - total


def grouped(single: pd.DataFrame, groups: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """The contributions of groups of features: the sums of their members'; a member without a column counts nothing."""
    known = {name: [member for member in members if member in single] for name, members in groups.items()}
    return pd.DataFrame({name: single[members].sum(axis=1) for name, members in known.items()}, index=single.index)


def groups_of(table: pd.DataFrame, categories: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Group features that say the same; name of the group -> its features.

    They are numbers in one cluster of a hierarchy by correlation (average linkage; within a cluster the members have
    a mean correlation of SAME or more, whatever its sign), and numbers that follow from a category's level. A
    linear regression can shift weight between such features (the year of building and the age, a zip code and
    the mean price in it) at will: alone each seems to matter, and they cancel. Together they say what the model
    makes of them.
    """
    numeric = [str(name) for name in table if name not in categories]
    known = table.fillna(table[numeric].median()).fillna(0.0)
    values = known[numeric].to_numpy(dtype=float)
    spread = values.std(axis=0)
    standard = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)
    leader = {name: name for name in map(str, table)}
    first: dict[int, str] = {}
    for name, cluster in zip(numeric, _clusters(np.abs(standard.T @ standard) / len(table)), strict=True):
        leader[name] = first.setdefault(cluster, name)
    for category in categories:
        codes = table[category]
        within = known[numeric].groupby(codes).transform("mean").to_numpy()
        unexplained = ((values - within) ** 2).mean(axis=0) / np.where(spread > 0, spread**2, 1)
        for place in np.flatnonzero((unexplained < 1 - FOLLOWS) & (spread > 0)):
            followed = leader[numeric[place]]
            leader.update({name: category for name, first in leader.items() if first == followed})
    groups: dict[str, list[str]] = {}
    for name in map(str, table):
        groups.setdefault(leader[name], []).append(name)
    return {" + ".join(members): tuple(members) for members in groups.values()}


def _clusters(correlation: np.ndarray) -> list[int]:
    """The number of each feature's cluster, from the absolute correlations of all pairs."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(correlation) < 2:
        return [0] * len(correlation)
    distances = np.clip(1 - correlation, 0, 1)
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), method="average")
    return [int(cluster) for cluster in fcluster(tree, 1 - SAME, criterion="distance")]
