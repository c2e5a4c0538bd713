"""How much of a target columns explain, alone, in pairs and all together: what leaks are found by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain, combinations
from statistics import NormalDist

import numpy as np
import pandas as pd

from steps.failure import listed

SEVERE_R2, HIGH_R2 = 0.98, 0.9  # of what explains the target: hardly without knowing it, and worth a look
BINS = 50
MOST_PAIRED = 12  # the most telling numbers whose ratios and products are looked at
MOST_PROMISING = 24  # and the pairs of any numbers, by what a line of their logarithms says
TOGETHER_R2 = 0.99  # of what all numbers explain together: a sum of parts does
PAIRED_ROWS = 20_000
FEW_PAIRED_ROWS = 4_000  # by which those are chosen that are judged by PAIRED_ROWS
MOST_JUDGED = 24  # ratios and products that are chosen for what they explain, and as many for how much more
MORE = 0.02  # of R2 that two numbers must explain together than the better one alone
MOST_NAMED = 5  # numbers that hold the target together, in a sentence
FEWEST_OF_BAND = 5
FEWEST_ROWS = 60  # with fewer, bins of the values say nothing
Pair = tuple[str, str]


def explained(values: np.ndarray, target: np.ndarray) -> float:
    """R2 of the target by the values, learned from every other row and judged on the rest.

    The better of two: the mean target in bins of equal size, and the line through the targets of the two nearest
    values, which finds an exact relation in few rows. A value that is frequent has a bin of its own; missing values
    have one together. The target may be on any scale.
    """
    known = np.isfinite(values)
    if len(values) < FEWEST_ROWS or not known.any():
        return 0.0
    distinct, codes = np.unique(values[known], return_inverse=True)
    bins, gaps = np.arange(len(distinct)), len(distinct)
    if len(distinct) > BINS:
        ordered = np.repeat(distinct, np.bincount(codes))  # of which the quantiles are there at once
        edges = np.unique(np.quantile(ordered, np.linspace(0, 1, BINS + 1)[1:-1]))
        bins, gaps = np.asarray(np.searchsorted(edges, distinct, side="left")), BINS
    groups = np.full(len(values), gaps)
    groups[known] = bins[codes]
    found = explained_by_groups(groups, target)
    return found if len(distinct) <= BINS else max(found, _between_neighbours(distinct, codes, target[known]))


def banded_by_numbers(numbers: np.ndarray, target: np.ndarray) -> float:
    """How far the values of numbers are bands of the target, see `banded`."""
    return banded(np.unique(numbers, return_inverse=True)[1], target)


def codes_of(texts: pd.Series) -> np.ndarray:
    """Equal texts as equal numbers from 0; all that are missing have one."""
    codes: np.ndarray = np.unique(texts.fillna("").astype(str), return_inverse=True)[1]
    return codes


def _between_neighbours(distinct: np.ndarray, codes: np.ndarray, target: np.ndarray) -> float:
    """R2 of the line through the mean targets of values, which are `distinct[codes]`, and these are sorted."""
    learn, rest = _halves(len(codes))
    count = np.bincount(codes[learn], minlength=len(distinct))
    total = np.bincount(codes[learn], target[learn], minlength=len(distinct))
    there = count > 0
    predicted = np.interp(distinct, distinct[there], total[there] / count[there])
    return _r2(target[rest], predicted[codes[rest]])


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


@lru_cache(maxsize=4)
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
    codes = (np.cumsum(np.bincount(codes[large]) > 0) - 1)[codes[large]]
    ranks = _ranks(target[large]).astype(float)
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
    names = [name for name, values in columns.items() if len(np.unique(values)) > 2]
    rows = np.linspace(0, len(target) - 1, min(len(target), PAIRED_ROWS)).astype(int)
    paired, goal = {name: columns[name][rows].astype(float) for name in names}, target[rows]
    telling = sorted(names, key=lambda name: -_rank_correlation(columns[name], target))[:MOST_PAIRED]
    pairs = list(dict.fromkeys([*combinations(telling, 2), *_promising(paired, goal)]))
    alone = _alone(pairs, columns, target)
    step = max(1, len(rows) // FEW_PAIRED_ROWS)
    few = {name: values[::step] for name, values in paired.items()}
    best, found = "", 0.0
    for pair, text in _worth_judging(pairs, few, goal[::step]):
        value = explained(_together(*pair, paired)[text], goal)
        if value > found and value > alone[pair] + MORE:
            best, found = text, value
    return best, found


def _worth_judging(
    pairs: Sequence[Pair], columns: Mapping[str, np.ndarray], target: np.ndarray
) -> list[tuple[Pair, str]]:
    """The ratios and products that explain most in these rows, or most beyond what the better of the two does alone."""
    alone = _alone(pairs, columns, target)
    found = {
        (pair, text): explained(values, target) for pair in pairs for text, values in _together(*pair, columns).items()
    }
    beyond = {each: value - alone[each[0]] for each, value in found.items()}
    most = sorted((each for each in found if beyond[each] > MORE), key=lambda each: -found[each])[:MOST_JUDGED]
    return list(dict.fromkeys([*most, *sorted(beyond, key=lambda each: -beyond[each])[:MOST_JUDGED]]))


def _alone(pairs: Sequence[Pair], columns: Mapping[str, np.ndarray], target: np.ndarray) -> dict[Pair, float]:
    """How much the better of two numbers explains."""
    each = {name: explained(columns[name], target) for name in dict.fromkeys(chain(*pairs))}
    return {pair: max(each[name] for name in pair) for pair in pairs}


def _together(first: str, second: str, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The product and both ratios of two numbers by their texts, NaN where they are none."""
    a, b = columns[first], columns[second]
    with np.errstate(all="ignore"):
        found = {f"{first} x {second}": a * b, f"{first} / {second}": a / b, f"{second} / {first}": b / a}
    return {text: np.where(np.isfinite(values), values, np.nan) for text, values in found.items()}


def _promising(columns: Mapping[str, np.ndarray], target: np.ndarray) -> list[Pair]:
    """The pairs whose logarithms together follow most of the target's normal scores: a ratio or product does."""
    names = list(columns)
    if len(names) < 2 or len(target) < FEWEST_ROWS:
        return []
    logs = np.column_stack([_standardised(_logarithm(values)) for values in columns.values()])
    shares = (_ranks(target) + 0.5) / len(target)
    goal = _standardised(np.array([NormalDist().inv_cdf(share) for share in shares.tolist()]))
    among, with_goal = logs.T @ logs / len(goal), logs.T @ goal / len(goal)
    first, second = np.triu_indices(len(names), 1)
    a, b, both = with_goal[first], with_goal[second], among[first, second]
    share = (a**2 + b**2 - 2 * a * b * both) / np.maximum(1 - both**2, 1e-6)
    best = np.argsort(-share, kind="stable")[:MOST_PROMISING]
    return [(names[first[place]], names[second[place]]) for place in best]


def _logarithm(values: np.ndarray) -> np.ndarray:
    """Of the size of numbers; NaN for 0 and for what is missing."""
    sizes = np.abs(values.astype(float))
    result = np.full(len(sizes), np.nan)
    np.log(sizes, out=result, where=np.isfinite(sizes) & (sizes > 0))
    return result


def _standardised(values: np.ndarray) -> np.ndarray:
    """With mean 0 and deviation 1; 0 for what is missing, and where nothing differs."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    middle = values - values[known].mean()
    spread = middle[known].std()
    result: np.ndarray = np.where(known, middle, 0.0) / (spread if spread > 0 else 1.0)
    return result


def told_together(columns: Mapping[str, np.ndarray], target: np.ndarray) -> tuple[tuple[str, ...], float]:
    """The numbers whose line tells the target, or whose logarithms' line its logarithm, and the R2 of the target.

    As `explained` it is judged on rows that the line has not learned from. The numbers that say most come first, and no
    more of them than it takes to reach TOGETHER_R2. A price that is the sum of land and building is told by both
    together, though by neither alone, nor by their ratio or product.
    """
    names = [name for name, values in columns.items() if len(np.unique(values)) > 1]
    if len(target) < FEWEST_ROWS or len(names) < 2:
        return (), 0.0
    rows = np.linspace(0, len(target) - 1, min(len(target), PAIRED_ROWS)).astype(int)
    goal, numbers = target[rows].astype(float), {name: columns[name][rows].astype(float) for name in names}
    found = [_line(numbers, goal, in_logarithms=False)]
    if goal.min() > 0:
        found.append(_line(numbers, goal, in_logarithms=True))
    return max(found, key=lambda each: each[1])


def shortened(names: Sequence[str]) -> str:
    """The first MOST_NAMED as one text, and that there are others."""
    return listed([*names[:MOST_NAMED], *(["others"] if len(names) > MOST_NAMED else [])])


def _line(columns: Mapping[str, np.ndarray], target: np.ndarray, in_logarithms: bool) -> tuple[tuple[str, ...], float]:
    scaled = [_logarithm(values) if in_logarithms else values for values in columns.values()]
    names, table = list(columns), np.column_stack([_standardised(values) for values in scaled])
    goal = np.log(target) if in_logarithms else target
    learn, rest = _halves(len(target))
    if len(learn) <= 2 * len(names):
        return (), 0.0

    def of(places: Sequence[int]) -> tuple[np.ndarray, float]:
        chosen = np.column_stack([np.ones(len(goal)), table[:, places]])
        weights = np.linalg.lstsq(chosen[learn], goal[learn], rcond=1e-9)[0]
        predicted = np.clip(chosen[rest] @ weights, goal.min(), goal.max())
        value = _r2(goal[rest], predicted)
        # Of targets of very different sizes the logarithms are told well by any good model.
        return weights[1:], min(value, _r2(target[rest], np.exp(predicted))) if in_logarithms else value

    weights, whole = of(range(len(names)))
    order = np.argsort(-np.abs(weights), kind="stable").tolist()
    if whole < TOGETHER_R2:
        return tuple(names[place] for place in order), whole
    enough = next((count for count in range(1, len(order)) if of(order[:count])[1] >= TOGETHER_R2), len(order))
    return tuple(names[place] for place in order[:enough]), whole


def explained_by_repeats(codes: np.ndarray, target: np.ndarray) -> float:
    """R2 of the target by the mean of the other rows of the same group; 0 where most rows have no other row.

    It sees in groups of two or three rows what halves of the rows do not: a code that is made of the target.
    """
    counts, totals = np.bincount(codes), np.bincount(codes, target)
    repeated = counts[codes] > 1
    if repeated.sum() < FEWEST_ROWS or repeated.mean() < 0.5:
        return 0.0
    codes, goal = codes[repeated], target[repeated]
    return _r2(goal, (totals[codes] - goal) / (counts[codes] - 1))


def _rank_correlation(values: np.ndarray, target: np.ndarray) -> float:
    """The absolute correlation of ranks over the rows that have a value."""
    known = np.isfinite(values)
    if known.sum() < 3:
        return 0.0
    ranks = [_ranks(part[known]) for part in (values, target)]
    deviations = [rank - rank.mean() for rank in ranks]
    scale = np.sqrt((deviations[0] ** 2).sum() * (deviations[1] ** 2).sum())
    return float(abs((deviations[0] * deviations[1]).sum()) / scale) if scale > 0 else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    """From 0; of equal values the first has the lowest."""
    ranks = np.empty(len(values), dtype=int)
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    return ranks


def ordering(values: np.ndarray, target: np.ndarray) -> float:
    """How far numbers, such as a row's place in its file or its id, order the target: |rank correlation|, 0 to 1."""
    return _rank_correlation(values.astype(float), target)
