"""The linear regression: a ridge over standardised numbers and one-hot categories, kept as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any

import numpy as np
import pandas as pd

from steps.batches import batches, by_batch
from steps.design import Design
from steps.least_squares import Sums
from steps.shard import Shard
from steps.stored_table import Table

# Per row, on standardised columns. The smallest one changes nothing but sums that rounding has made.
PENALTIES = 10.0 ** np.arange(-8, 1.5, 0.5)
FOLDS = 5
AT_ONCE = 1 << 14  # rows of a batch: each has a number for every level of every category


@dataclass(frozen=True)
class LinearModel:
    """intercept + sum of coefficient x value + the coefficient of each category's level.

    Coefficients are per unit of the feature, on the scale of the training target; all numbers have one, or none has. A
    level that was not seen in training adds nothing. Where a feature of `fill` is missing, its median stands in for it,
    and its coefficient in `missing` is added. `penalty` is the ridge's, per row on standardised columns.
    """

    intercept: float
    coefficients: dict[str, float]
    levels: dict[str, dict[str, float]]
    fill: dict[str, float] = field(default_factory=dict)
    missing: dict[str, float] = field(default_factory=dict)
    penalty: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` gives the model back."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> LinearModel:
        """Build the model from `to_json`'s document."""
        return cls(**document)

    def terms(self, features: pd.DataFrame) -> pd.DataFrame:
        """What each feature adds to the prediction, one column each in the order of `features`."""
        found = {}
        for name in map(str, features):
            values = features[name]
            if name in self.levels:
                by_code = np.array(
                    [*self.levels[name].values(), 0.0]
                )  # -1, an unknown level, finds the zero at the end
                found[name] = pd.Series(by_code[values.to_numpy(dtype=int)], index=features.index)
            else:
                known = values.fillna(self.fill[name]) if name in self.fill else values
                found[name] = known * self.coefficients.get(name, 0.0)
                if name in self.fill:
                    found[name] += values.isna() * self.missing[name]
        return pd.DataFrame(found, index=features.index)

    def predict(self, features: Table) -> np.ndarray:
        """Predict on the training target's scale, one number per row."""
        line, values = self.on(tuple(map(str, features))), features.values
        return by_batch(lambda rows: line(values[rows]), len(values))

    def on(self, names: Sequence[str]) -> Callable[[np.ndarray], np.ndarray]:
        """Return the prediction as a function of an array (rows, names), for columns in this order."""
        weights = np.array([self.coefficients.get(name, 0.0) for name in names])
        stand_ins = [(names.index(name), value, self.missing[name]) for name, value in self.fill.items()]
        # Code -1, an unknown level, finds the zero at the end.
        by_code = [(names.index(name), np.array([*levels.values(), 0.0])) for name, levels in self.levels.items()]

        def predict(values: np.ndarray) -> np.ndarray:
            numbers = values.copy(order="K") if stand_ins else values
            result = np.full(len(values), self.intercept)
            for place, value, coefficient in stand_ins:
                gap = np.isnan(values[:, place])
                numbers[gap, place] = value
                result[gap] += coefficient
            if self.coefficients:  # else it is the same for all rows, whatever they miss
                result += numbers @ weights
            for place, coefficients in by_code:
                result += coefficients[values[:, place].astype(int)]
            return result

        return predict


def fit(
    features: Table,
    target: np.ndarray,
    levels: Mapping[str, Sequence[str]],
    penalty: float | None = None,
    signs: Mapping[str, int] | None = None,
    stand_ins: Mapping[str, float] | None = None,
    shard: Shard | None = None,
) -> LinearModel:
    """Fit by least squares with a ridge penalty, which `FoldedSums.chosen_penalty` finds where none is given.

    `signs` are those of `steps.features.Features`: no coefficient goes against them. The rest is as for
    `FoldedSums.of`.
    """
    shard = shard or Shard.whole(len(target))
    fold = shard.drawn(lambda random, rows: random.integers(0, FOLDS, rows).astype(np.int8), 0)
    sums = FoldedSums.of(features, target, levels, fold, shard, stand_ins)
    return sums.line(sums.chosen_penalty() if penalty is None else penalty, signs)


@dataclass(frozen=True)
class FoldedSums:
    """What lines need to know of the rows of each of FOLDS parts: one is learned from all parts, or from all but one.

    `mean` and `middle` are taken from the columns of the design and from the target before they are summed, and `unit`
    is what columns are counted in: about their means and spreads, so that no digits are lost.
    """

    design: Design
    mean: np.ndarray
    unit: np.ndarray
    middle: float
    folds: tuple[Sums, ...]

    @classmethod
    def of(
        cls,
        features: Table,
        target: np.ndarray,
        levels: Mapping[str, Sequence[str]],
        fold: np.ndarray,
        shard: Shard,
        stand_ins: Mapping[str, float] | None = None,
    ) -> FoldedSums:
        """Read the rows once, in batches; they are one host's share of the shard's.

        `features` is a table of `steps.features.transform`, `levels` the category levels behind its codes,
        `target` one number per row on the scale to be predicted, `fold` the number of each row's part. A feature that
        is missing in some rows has an indicator. `stand_ins` are the medians by feature, by default those of these
        rows.
        """
        values, names, hosts = features.values, list(map(str, features)), shard.hosts
        gaps = hosts.total(sum(np.isnan(values[rows]).sum(axis=0) for rows in batches(len(target))).astype(float))
        incomplete = [name for name, count in zip(names, gaps, strict=True) if count]
        fill = {name: float(stand_ins[name] if stand_ins else features[name].median()) for name in incomplete}
        design = Design(names, fill, levels)
        first = next(batches(len(target), AT_ONCE))
        some = Sums.of(design.block(values[first].T, target[first])).over(hosts)
        unit = np.where(some.spread > 0, some.spread, 1.0)
        folds = [Sums(np.zeros_like(some.products))] * FOLDS
        for batch in batches(len(target), AT_ONCE):
            order = np.argsort(fold[batch], kind="stable")
            block = design.block(values[batch].T[:, order], target[batch][order] - some.middle)
            block[2:] -= some.mean[:, None]
            block[2:] /= unit[:, None]
            ends = np.searchsorted(fold[batch][order], np.arange(FOLDS + 1))
            for number, (start, end) in enumerate(pairwise(ends)):
                folds[number] += Sums.of(block[:, start:end])
        return cls(design, some.mean, unit, some.middle, tuple(each.over(hosts) for each in folds))

    def line(self, penalty: float, signs: Mapping[str, int] | None = None, without: int | None = None) -> LinearModel:
        """The line of all parts, or of all but the one with the number `without`.

        `penalty` is per row, on columns of unit spread; `signs` are as for `fit`.
        """
        sums = self._sums(without)
        scale = self._scale(sums)
        numeric, fill = self.design.numeric, self.design.fill
        of_columns = np.zeros(self.design.columns)
        of_columns[: len(numeric)] = [(signs or {}).get(name, 0) for name in numeric]
        weights = sums.per(scale).signed(penalty, of_columns) / scale / self.unit
        intercept = float(self.middle + sums.middle - (self.mean + self.unit * sums.mean) @ weights)
        rest = iter(weights.tolist())
        coefficients, missing = ({name: next(rest) for name in names} for names in (numeric, fill))
        levels = {name: {level: next(rest) for level in known} for name, known in self.design.levels.items()}
        return LinearModel(intercept, coefficients, levels, dict(fill), missing, float(penalty))

    def chosen_penalty(self) -> float:
        """Return which of PENALTIES to use.

        It is the largest one whose squared error on the parts, each predicted from the others, is not significantly
        above that of the best: by at most one standard error of the paired differences. Of nearly dependent columns
        plain least squares makes large coefficients of opposite sign, which a row that breaks the dependence (a value
        is missing) turns into an absurd prediction. Source: Breiman et al., Classification and Regression Trees, 1984,
        section 3.4.3.
        """
        scale = self._scale(self._sums())
        by_part = []
        for number, part in enumerate(self.folds):
            others = self._sums(without=number).per(scale)
            if not part.rows or not others.rows:
                return float(PENALTIES[0])
            weights = others.weights(PENALTIES)
            by_part.append(part.per(scale).error(others.middle - others.mean @ weights, weights))
        errors = np.array(by_part)
        above = errors - errors[:, [errors.mean(axis=0).argmin()]]
        allowed = above.mean(axis=0) <= above.std(axis=0, ddof=1) / math.sqrt(FOLDS)
        return float(PENALTIES[np.flatnonzero(allowed)[-1]])

    def _sums(self, without: int | None = None) -> Sums:
        return reduce(add, (sums for number, sums in enumerate(self.folds) if number != without))

    def _scale(self, sums: Sums) -> np.ndarray:
        """The spread of each column, in its unit. One that never changes says nothing: by infinity it becomes 0."""
        least = 1e-12 * np.maximum(1.0, np.abs(self.mean + self.unit * sums.mean))
        return np.where(sums.spread * self.unit < least, np.inf, sums.spread)
