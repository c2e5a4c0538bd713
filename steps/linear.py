"""The linear regression: a ridge over standardised numbers and one-hot categories, kept as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from steps.batches import by_batch
from steps.design import Batch, Design, LineRows, Standardised
from steps.hosts import Hosts
from steps.shard import Shard
from steps.stored_table import Table

# Per row, on standardised columns. The smallest one changes nothing but sums that rounding has made.
PENALTIES = 10.0 ** np.arange(-8, 1.5, 0.5)
FOLDS = 5


@dataclass(frozen=True)
class LinearModel:
    """intercept + sum of coefficient x value + the coefficient of each category's level.

    Coefficients are per unit of the feature, on the scale of the training target. A level that was not
    seen in training adds nothing. Where a feature of `fill` is missing, its median stands in for it, and
    its coefficient in `missing` is added. `penalty` is the ridge's, per row on standardised columns.
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

    def predict(self, features: Table, chosen: np.ndarray | None = None) -> np.ndarray:
        """Predict on the training target's scale, one number per row; `chosen` marks the rows that are meant."""
        line, values = self.on(tuple(map(str, features))), features.values
        if chosen is None:
            return by_batch(lambda rows: line(values[rows]), len(values))
        return by_batch(lambda rows: line(values[rows][chosen[rows]]), len(values))

    def on(self, names: Sequence[str]) -> Callable[[np.ndarray], np.ndarray]:
        """Return the prediction as a function of an array (rows, names), for columns in this order."""
        places = [names.index(name) for name in self.coefficients]
        weights = np.array([*self.coefficients.values()])
        order = list(self.coefficients)
        stand_ins = [(order.index(name), value, self.missing[name]) for name, value in self.fill.items()]
        # Code -1, an unknown level, finds the zero at the end.
        by_code = [(names.index(name), np.array([*levels.values(), 0.0])) for name, levels in self.levels.items()]

        def predict(values: np.ndarray) -> np.ndarray:
            numbers = values.T.take(places, axis=0)
            gaps = np.zeros(len(values))
            for place, value, coefficient in stand_ins:
                gap = np.isnan(numbers[place])
                numbers[place, gap] = value
                gaps[gap] += coefficient
            result = self.intercept + numbers.T @ weights
            result = result + gaps if stand_ins else result
            for place, coefficients in by_code:
                result = result + coefficients[values[:, place].astype(int)]
            return np.asarray(result)

        return predict


def fit(
    features: Table,
    target: np.ndarray,
    levels: Mapping[str, Sequence[str]],
    penalty: float | None = None,
    signs: Mapping[str, int] | None = None,
    stand_ins: Mapping[str, float] | None = None,
    shard: Shard | None = None,
    chosen: np.ndarray | None = None,
) -> LinearModel:
    """Fit by least squares with a ridge penalty, which `chosen_penalty` finds where none is given.

    `features` is a table of `steps.features.transform`, `levels` the category levels behind its codes,
    `target` one number per row on the scale to be predicted. A feature that is missing in some rows has an
    indicator. `signs` are those of `steps.features.Features`: no coefficient goes against them. `stand_ins` are the
    medians by feature, by default those of these rows. With a `shard` the rows are one host's share of all that count.
    `chosen` marks the rows to learn from, by default all.
    """
    shard = shard or Shard.whole(len(target) if chosen is None else int(chosen.sum()))
    numeric = [str(name) for name in features if name not in levels]
    rows = LineRows(features, target, chosen)
    gaps = shard.hosts.total(_added(table[numeric].isna().sum().to_numpy(dtype=float) for table, _ in rows))
    incomplete = [name for name, count in zip(numeric, gaps, strict=True) if count]
    fill = {name: float(stand_ins[name] if stand_ins else features[name].median()) for name in incomplete}
    design = Design(rows, numeric, fill, levels)
    mean = shard.hosts.total(_added(matrix.sum(axis=0) for matrix, _ in design)) / shard.total
    squares = shard.hosts.total(_added(((matrix - mean) ** 2).sum(axis=0) for matrix, _ in design))
    scale = np.sqrt(squares / shard.total)
    # A column that never changes says nothing, and dividing by its spread would say infinity.
    scale[scale < 1e-12 * np.maximum(1.0, np.abs(mean))] = np.inf
    middle = shard.hosts.total(float(sum(known.sum() for _, known in rows))) / shard.total
    standardised = Standardised(design, mean, scale, middle)
    if penalty is None:
        penalty = chosen_penalty(standardised, shard)
    sums = _Sums.of(standardised, len(mean)).over(shard.hosts)
    columns = [*numeric, *[""] * (len(mean) - len(numeric))]
    weights = sums.signed(penalty, np.array([(signs or {}).get(name, 0) for name in columns])) / scale
    intercept = float(middle - mean @ weights)
    coefficients = dict(zip(numeric, weights[: len(numeric)].tolist(), strict=True))
    missing = dict(zip(fill, weights[len(numeric) :].tolist(), strict=False))
    by_level, start = {}, len(numeric) + len(fill)
    for name, known in levels.items():
        by_level[name] = dict(zip(known, weights[start : start + len(known)].tolist(), strict=True))
        start += len(known)
    return LinearModel(intercept, coefficients, by_level, fill, missing, float(penalty))


def chosen_penalty(rows: Iterable[Batch], shard: Shard) -> float:
    """Return which of PENALTIES to use for standardised columns (rows, columns) and a centred target, batch by batch.

    It is the largest one whose squared error on FOLDS parts of the rows, each predicted from the others, is not
    significantly above that of the best: by at most one standard error of the paired differences. Of nearly dependent
    columns plain least squares makes large coefficients of opposite sign, which a row that breaks the dependence (a
    value is missing) turns into an absurd prediction. Source: Breiman et al., Classification and Regression Trees,
    1984, section 3.4.3. `rows` are read several times; they are one host's share of the shard's.
    """
    fold = shard.drawn(lambda random, rows: random.integers(0, FOLDS, rows).astype(np.int8), 0)
    columns = next(iter(rows))[0].shape[1]
    sums = [_Sums.none(columns)] * FOLDS
    for number, matrix, actual in _by_fold(rows, fold):
        sums[number] += _Sums.of([(matrix, actual)], columns)
    sums = [each.over(shard.hosts) for each in sums]
    others = [sum(sums[:number] + sums[number + 1 :], start=_Sums.none(columns)) for number in range(FOLDS)]
    if not all(each.rows for each in (*sums, *others)):
        return float(PENALTIES[0])
    lines = [(each.columns / each.rows, each.target / each.rows, each.weights(PENALTIES)) for each in others]
    squared = np.zeros((FOLDS, len(PENALTIES)))
    for number, matrix, actual in _by_fold(rows, fold):
        mean, middle, weights = lines[number]
        squared[number] += ((middle + (matrix - mean) @ weights - actual[:, None]) ** 2).sum(axis=0)
    errors = shard.hosts.total(squared) / np.array([[each.rows] for each in sums])
    above = errors - errors[:, [errors.mean(axis=0).argmin()]]
    allowed = above.mean(axis=0) <= above.std(axis=0, ddof=1) / math.sqrt(FOLDS)
    return float(PENALTIES[np.flatnonzero(allowed)[-1]])


def _by_fold(rows: Iterable[Batch], fold: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """The rows of each batch by their folds: the fold's number, the matrix and the target."""
    start = 0
    for matrix, target in rows:
        here = fold[start : start + len(target)]
        start += len(target)
        for number in range(FOLDS):
            inside = here == number
            yield number, matrix[inside], target[inside]


@dataclass(frozen=True)
class _Sums:
    """What least squares needs to know of some rows: how many, and sums over columns, target and their products."""

    rows: float
    columns: np.ndarray
    target: float
    squares: np.ndarray
    products: np.ndarray

    @classmethod
    def none(cls, columns: int) -> _Sums:
        return cls(0, np.zeros(columns), 0.0, np.zeros((columns, columns)), np.zeros(columns))

    @classmethod
    def of(cls, rows: Iterable[Batch], columns: int) -> _Sums:
        """The sums over the rows of one host."""
        each = (
            cls(float(len(target)), matrix.sum(axis=0), float(target.sum()), matrix.T @ matrix, matrix.T @ target)
            for matrix, target in rows
        )
        return sum(each, start=cls.none(columns))

    def over(self, hosts: Hosts) -> _Sums:
        """The sums over the rows of all hosts, of which these are one's."""
        return _Sums(
            hosts.total(self.rows),
            hosts.total(self.columns),
            hosts.total(self.target),
            hosts.total(self.squares),
            hosts.total(self.products),
        )

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(
            self.rows + other.rows,
            self.columns + other.columns,
            self.target + other.target,
            self.squares + other.squares,
            self.products + other.products,
        )

    def weights(self, penalties: np.ndarray) -> np.ndarray:
        """The ridge coefficients (columns, penalties) around the means of the rows; penalties count per row."""
        squares = self.squares - np.outer(self.columns, self.columns) / self.rows
        products = self.products - self.columns * (self.target / self.rows)
        values, vectors = np.linalg.eigh(squares / self.rows)
        along = (vectors.T @ products) / self.rows
        return np.asarray(vectors @ (along[:, None] / (np.maximum(values, 0)[:, None] + penalties)))

    def signed(self, penalty: float, signs: np.ndarray) -> np.ndarray:
        """The ridge coefficients (columns,) with the least error of those that do not go against their sign, if any."""
        free = self.weights(np.array([penalty]))[:, 0]
        if (free * signs >= 0).all():
            return np.asarray(free)
        from scipy.optimize import lsq_linear

        # With R'R = X'X / n + penalty, |R w - z| with R'z = X'y / n differs from the ridge's error by a constant.
        squares = self.squares - np.outer(self.columns, self.columns) / self.rows
        products = self.products - self.columns * (self.target / self.rows)
        values, vectors = np.linalg.eigh(squares / self.rows)
        roots = np.sqrt(np.maximum(values, 0) + penalty)
        low, high = np.where(signs > 0, 0.0, -np.inf), np.where(signs < 0, 0.0, np.inf)
        found = lsq_linear(roots[:, None] * vectors.T, (vectors.T @ products) / self.rows / roots, (low, high))
        return np.asarray(np.clip(found.x, low, high))


def _added(arrays: Iterable[np.ndarray]) -> np.ndarray:
    return reduce(np.add, arrays)
