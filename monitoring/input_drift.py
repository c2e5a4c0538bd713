"""Whether the inputs are still those of the reference: one statistic over all features, calibrated on its own weeks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import wasserstein_distance

from evaluation.bootstrap import SEED
from evaluation.drift import population_stability
from steps.settings import DataSettings

FEWEST_DRAWS = 999
DRAWS_OF_AN_ALARM = 20  # so many draws beyond, at the level of all checks together, so that each alone can tell
MOST_ROWS = 10_000  # of each side; of more an even selection


@dataclass(frozen=True)
class FeatureDrift:
    """One feature. distance: Kolmogorov and Smirnov's of numbers, half the sum of differences of shares of categories.

    z: the distance less its mean on resampled weeks, over its standard deviation there. psi: the population stability
    index, less what is chance. wasserstein: the mean distance that values have moved, in standard deviations of the
    reference; None of categories.
    """

    name: str
    distance: float
    z: float
    psi: float
    wasserstein: float | None


@dataclass(frozen=True)
class InputDrift:
    """p: how often whole weeks of the reference, drawn for the window's size, are as far apart in any feature."""

    p: float
    features: tuple[FeatureDrift, ...]  # the furthest first


def watched_features(data: DataSettings) -> list[str]:
    """The raw inputs that can drift: neither dates nor texts, whose values are new in every window."""
    return [name for name, column in data.inputs.items() if column.type not in ("date", "text")]


def draws_for(false_alarms: float) -> int:
    """How many draws tell a difference at the level of one check, of those that share these false alarms."""
    return max(FEWEST_DRAWS, round(DRAWS_OF_AN_ALARM / false_alarms))


def input_drift(
    reference: pd.DataFrame, current: pd.DataFrame, features: Sequence[str], dates: pd.Series | None, draws: int
) -> InputDrift:
    """Compare the features of two tables; `dates` are those of the reference's rows, None where rows have none.

    Both sides of each draw are resampled, so that the reference's own chance counts, too. Source: Westfall and Young,
    Resampling-Based Multiple Testing, 1993 (the maximum statistic).
    """
    kept = _even(len(reference))
    reference, current = reference.iloc[kept], current.iloc[_even(len(current))]
    weeks = _weeks(dates.iloc[kept].reset_index(drop=True)) if dates is not None else None
    coded = _Coded.of([(reference[name], current[name]) for name in features])
    observed = coded.distances(coded.reference, coded.current)
    drawn = np.array(
        [
            coded.distances(coded.reference.take(first, axis=0), coded.reference.take(second, axis=0))
            for first, second in _draws(weeks, len(reference), (len(reference), len(current)), draws)
        ]
    )
    mean, spread = drawn.mean(axis=0), np.maximum(drawn.std(axis=0), 1e-12)
    z, largest = (observed - mean) / spread, ((drawn - mean) / spread).max(axis=1)
    p = float((1 + np.count_nonzero(largest >= z.max())) / (1 + len(largest)))
    found = [
        FeatureDrift(
            name,
            float(distance),
            float(score),
            population_stability(reference[name], current[name]),
            _moved(reference[name], current[name]),
        )
        for name, distance, score in zip(features, observed, z, strict=True)
    ]
    return InputDrift(p, tuple(sorted(found, key=lambda each: -each.z)))


def _draws(
    weeks: list[np.ndarray] | None, rows: int, sizes: tuple[int, int], draws: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places of the reference's rows for both sides, `draws` times: whole weeks until there are enough rows."""
    random = np.random.default_rng(SEED)
    for _ in range(draws):
        if weeks is None:
            yield random.integers(rows, size=sizes[0]), random.integers(rows, size=sizes[1])
        else:
            yield _of_weeks(weeks, sizes[0], random), _of_weeks(weeks, sizes[1], random)


def _of_weeks(weeks: list[np.ndarray], size: int, random: np.random.Generator) -> np.ndarray:
    chosen: list[np.ndarray] = []
    rows = 0
    while rows < size:
        chosen.append(weeks[random.integers(len(weeks))])
        rows += len(chosen[-1])
    return random.permutation(np.concatenate(chosen))[:size]


def _weeks(dates: pd.Series) -> list[np.ndarray]:
    """The places of the rows of each week."""
    periods = dates.dt.to_period("W")
    return [np.asarray(places) for places in periods.groupby(periods).indices.values()]


def _codes(reference: pd.Series, current: pd.Series) -> tuple[np.ndarray, np.ndarray, int, bool]:
    """Both columns as places among all values (the last: missing), how many there are, and whether they are ordered."""
    ordered = pd.api.types.is_numeric_dtype(reference)
    both = pd.concat([reference, current], ignore_index=True)
    codes, values = pd.factorize(both.astype(float) if ordered else both.astype(object), sort=True)
    codes = np.where(codes < 0, len(values), codes)
    return codes[: len(reference)], codes[len(reference) :], len(values) + 1, ordered


def _moved(reference: pd.Series, current: pd.Series) -> float | None:
    """Wasserstein's distance of numbers, in standard deviations of the reference; None where it is not defined."""
    if not pd.api.types.is_numeric_dtype(reference):
        return None
    sides = [values[np.isfinite(values)] for values in (reference.to_numpy(dtype=float), current.to_numpy(dtype=float))]
    if not all(map(len, sides)) or sides[0].std() == 0:
        return None
    return float(wasserstein_distance(*sides) / sides[0].std())


def _even(rows: int) -> np.ndarray:
    """The places of an even selection of at most MOST_ROWS."""
    return np.linspace(0, rows - 1, min(rows, MOST_ROWS)).astype(int)


@dataclass(frozen=True)
class _Coded:
    """All features of both sides as codes (rows, features), each feature with codes of its own.

    So one count of a side serves all features: there are thousands of draws. starts: the first code of each, and the
    number of all codes at the end.
    """

    reference: np.ndarray
    current: np.ndarray
    starts: tuple[int, ...]
    ordered: tuple[bool, ...]

    @classmethod
    def of(cls, features: Sequence[tuple[pd.Series, pd.Series]]) -> _Coded:
        """The features, each as its columns of both sides."""
        coded = [_codes(*sides) for sides in features]
        starts = np.cumsum([0, *(count for _, _, count, _ in coded)])
        reference, current = (np.column_stack([each[side] for each in coded]) + starts[:-1] for side in (0, 1))
        return cls(reference, current, tuple(map(int, starts)), tuple(ordered for *_, ordered in coded))

    def distances(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Of each feature the largest difference of cumulated shares, or half the sum of the differences of shares."""
        shares = [np.bincount(side.ravel(), minlength=self.starts[-1]) / len(side) for side in (first, second)]
        difference = shares[0] - shares[1]
        parts = [difference[start:end] for start, end in pairwise(self.starts)]
        return np.array(
            [
                np.abs(part.cumsum()).max() if ordered else np.abs(part).sum() / 2
                for part, ordered in zip(parts, self.ordered, strict=True)
            ]
        )
