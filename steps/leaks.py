"""How much of a target single columns explain, and what two of them explain together: what leaks are found by."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

SEVERE_R2, HIGH_R2 = 0.98, 0.9  # of what explains the target: hardly without knowing it, and worth a look
BINS = 50
MOST_PAIRED = 12  # the most telling numbers whose ratios and products are looked at
PAIRED_ROWS = 20_000
FEWEST_OF_BAND = 5
FEWEST_ROWS = 60  # with fewer, bins of the values say nothing


def explained(values: np.ndarray, target: np.ndarray) -> float:
    """R2 of the target by the values, learned from every other row and judged on the rest.

    The better of two: the mean target in bins of equal size, and the line through the targets of the two nearest
    values, which finds an exact relation in few rows. A value that is frequent has a bin of its own; missing values
    have one together. The target may be on any scale.
    """
    known = np.isfinite(values)
    if len(values) < FEWEST_ROWS or not known.any():
        return 0.0
    distinct = np.unique(values[known])
    if len(distinct) <= BINS:
        codes = np.searchsorted(distinct, values)
        return explained_by_groups(np.where(known, codes, len(distinct)), target)
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, BINS + 1)[1:-1]))
    codes = np.where(known, np.searchsorted(edges, values, side="left"), BINS)
    return max(explained_by_groups(codes, target), _between_neighbours(values[known], target[known]))


def _between_neighbours(values: np.ndarray, target: np.ndarray) -> float:
    learn, rest = _halves(len(values))
    places, inverse = np.unique(values[learn], return_inverse=True)
    means = np.bincount(inverse, target[learn]) / np.bincount(inverse)
    return _r2(target[rest], np.interp(values[rest], places, means))


def explained_by_groups(codes: np.ndarray, target: np.ndarray) -> float:
    """R2 of the mean target of groups, given by numbers from 0, learned from every other row and judged on the rest.

    A group that only the judged rows have is given the mean of all.
    """
    learn, rest = _halves(len(codes))
    size = int(codes.max()) + 1
    count = np.bincount(codes[learn], minlength=size)
    total = np.bincount(codes[learn], target[learn], minlength=size)
    means = np.where(count > 0, total / np.maximum(count, 1), target[learn].mean())
    return _r2(target[rest], means[codes[rest]])


def _halves(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Two halves of the rows, drawn: files are often sorted."""
    order = np.random.default_rng(0).permutation(rows)
    return order[::2], order[1::2]


def _r2(actual: np.ndarray, predicted: np.ndarray) -> float:
    variance = float(((actual - actual.mean()) ** 2).sum()) if len(actual) else 0.0
    return 1 - float(((actual - predicted) ** 2).sum()) / variance if variance > 0 else 0.0


def banded(codes: np.ndarray, target: np.ndarray) -> float:
    """How far groups are bands of the target: 1 where the targets of no two groups overlap, 0 where all are alike.

    The R2 of the groups' means of the target's ranks, over that of bands of the ranks with as many rows each. Only
    groups of FEWEST_OF_BAND rows or more count, and 0 is returned where most rows are in smaller ones.
    """
    counts = np.bincount(codes)
    large = counts[codes] >= FEWEST_OF_BAND
    if len(codes) < FEWEST_ROWS or large.mean() < 0.5:
        return 0.0
    codes = np.unique(codes[large], return_inverse=True)[1]
    ranks = np.empty(len(codes))
    order = np.argsort(target[large], kind="stable")
    ranks[order] = np.arange(len(codes))
    counts = np.bincount(codes)
    means = np.bincount(codes, ranks) / counts
    if len(counts) < 2:
        return 0.0
    middle = ranks.mean()
    between = float((counts * (means - middle) ** 2).sum())
    sizes = counts[np.argsort(means, kind="stable")]
    ends = np.cumsum(sizes)
    best = float((sizes * ((2 * ends - sizes - 1) / 2 - middle) ** 2).sum())
    return between / best if best > 0 else 0.0


def most_telling_pair(columns: Mapping[str, np.ndarray], target: np.ndarray) -> tuple[str, float]:
    """The ratio or product of two numbers that explains most of the target, as a text, and its R2.

    Only pairs that say much more together than each alone: price per square foot and square feet.
    """
    alone = {name: explained(values, target) for name, values in columns.items() if len(np.unique(values)) > 2}
    chosen = sorted(alone, key=lambda name: -_rank_correlation(columns[name], target))[:MOST_PAIRED]
    rows = np.linspace(0, len(target) - 1, min(len(target), PAIRED_ROWS)).astype(int)
    best, found = "", 0.0
    for first, second in combinations(chosen, 2):
        a, b = columns[first][rows].astype(float), columns[second][rows].astype(float)
        with np.errstate(all="ignore"):
            together = {f"{first} x {second}": a * b, f"{first} / {second}": a / b, f"{second} / {first}": b / a}
        for text, values in together.items():
            value = explained(np.where(np.isfinite(values), values, np.nan), target[rows])
            if value > found and value > max(alone[first], alone[second]) + 0.02:
                best, found = text, value
    return best, found


def _rank_correlation(values: np.ndarray, target: np.ndarray) -> float:
    """The absolute correlation of ranks over the rows that have a value."""
    known = np.isfinite(values)
    if known.sum() < 3:
        return 0.0
    ranks = [np.argsort(np.argsort(part[known], kind="stable")) for part in (values, target)]
    deviations = [rank - rank.mean() for rank in ranks]
    scale = np.sqrt((deviations[0] ** 2).sum() * (deviations[1] ** 2).sum())
    return float(abs((deviations[0] * deviations[1]).sum()) / scale) if scale > 0 else 0.0


def ordering(values: np.ndarray, target: np.ndarray) -> float:
    """How far numbers, such as a row's place in its file or its id, order the target: |rank correlation|, 0 to 1."""
    return _rank_correlation(values.astype(float), target)
