"""Features learned from the targets of other rows: target encodings of categories, and nearest neighbours.

A training row must not see its own target in its features, nor those of its group (other sales of the same
house), for no new row will find itself among the training rows. So training rows get values that were
learned without their group, all other rows get what was learned from the training rows together.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import cached_property
from math import fsum
from typing import Any

import numpy as np
import pandas as pd

from steps.columns import Columns, rows_of
from steps.learned_settings import LearnedFeature
from steps.workers import cores

FOLDS = 5
SMOOTHING, COUNT = 10.0, 15
CHUNK = 4096  # rows whose neighbours are looked up at a time: what is found of them is in the cache of the processor


@dataclass(frozen=True, kw_only=True)
class TargetEncoding:
    """levels: joined categories -> (sum of values + smoothing x mean) / (rows + smoothing).

    Source: Micci-Barreca, A Preprocessing Scheme for High-Cardinality Categorical Attributes, SIGKDD Explorations 2001.
    """

    of: tuple[str, ...]
    levels: dict[str, float]
    mean: float
    kind: str = "target_encoding"

    @classmethod
    def learn(cls, columns: Columns, value: np.ndarray, spec: LearnedFeature) -> TargetEncoding:
        """Learn from rows, in whatever order: the sums are exact. Those without a value teach nothing."""
        return cls._of_codes(*pd.factorize(_keys(columns, spec.of), sort=True), value, spec)

    @classmethod
    def _of_codes(cls, codes: np.ndarray, names: np.ndarray, value: np.ndarray, spec: LearnedFeature) -> TargetEncoding:
        """Learn from rows whose joined categories are `names` by their codes; not every name need be there."""
        known = np.isfinite(value)
        codes, value = codes[known], value[known]
        smoothing = SMOOTHING if spec.smoothing is None else spec.smoothing
        mean = fsum(value.tolist()) / len(value) if len(value) else float("nan")
        counts = np.bincount(codes, minlength=len(names)).tolist()
        in_order = np.argsort(codes.astype(np.min_scalar_type(len(names))), kind="stable")  # few bits are sorted fast
        numbers, levels, end = value[in_order].tolist(), {}, 0
        for name, count in zip(names, counts, strict=True):
            begin, end = end, end + count
            if count:
                levels[str(name)] = (fsum(numbers[begin:end]) + smoothing * mean) / (count + smoothing)
        return cls(of=spec.of, levels=levels, mean=mean)

    def of_rows(self, columns: Columns) -> np.ndarray:
        """One number per row; the overall mean for categories that no training row has."""
        keys, number, mean = _keys(columns, self.of), self.levels.get, self.mean
        return np.fromiter((number(key, mean) for key in keys), dtype=float, count=len(keys))

    @classmethod
    def of_training_rows(
        cls, columns: Columns, value: np.ndarray, spec: LearnedFeature, groups: np.ndarray, _sampled: np.ndarray
    ) -> tuple[TargetEncoding, WithoutOwnFold]:
        """Learn from all training rows; and what they themselves get their numbers from.

        `groups` has a number in [0, 1) per row, equal within a group.
        """
        folds, (codes, names) = _folds(groups), pd.factorize(_keys(columns, spec.of), sort=True)
        chosen = [folds != fold for fold in range(FOLDS)]
        others = tuple(cls._of_codes(codes[rows], names, value[rows], spec) for rows in chosen)
        return cls._of_codes(codes, names, value, spec), WithoutOwnFold(others)


@dataclass(frozen=True)
class WithoutOwnFold:
    """The encodings that are learned from all folds of the training rows but one, fold by fold."""

    encodings: tuple[TargetEncoding, ...]

    def of_rows(self, columns: Columns, groups: np.ndarray) -> np.ndarray:
        """One number per training row, learned from the folds that hold nothing of its group."""
        codes, names = pd.factorize(_keys(columns, self.encodings[0].of))
        values = np.array([[each.levels.get(name, each.mean) for name in names] for each in self.encodings])
        return np.asarray(values[_folds(groups), codes])


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """points: one tuple of numbers per coordinate, with a number for each training row; values: of these rows."""

    of: tuple[str, ...]
    scale: tuple[float, ...]
    count: int
    points: tuple[tuple[float, ...], ...]
    values: tuple[float, ...]
    kind: str = "neighbours"

    @classmethod
    def learn(cls, columns: Columns, value: np.ndarray, spec: LearnedFeature) -> Neighbours:
        """Learn from rows; those without a value or without a coordinate teach nothing."""
        points = _points(columns, spec.of)
        known = np.isfinite(value) & np.isfinite(points).all(axis=1)
        return cls(
            of=spec.of,
            scale=spec.scale or (1.0,) * len(spec.of),
            count=COUNT if spec.count is None else spec.count,
            points=tuple(tuple(column) for column in points[known].T.tolist()),
            values=tuple(value[known].tolist()),
        )

    def of_rows(self, columns: Columns) -> np.ndarray:
        """One number per row, NaN where a coordinate is missing.

        The mean of the nearest values, weighted by 1 / (distance + mean distance): a neighbour next door
        counts more than one at the mean distance, at most twice as much, in whatever unit.
        """
        return self.means(_points(columns, self.of), None, None)

    @classmethod
    def of_training_rows(
        cls, columns: Columns, value: np.ndarray, spec: LearnedFeature, groups: np.ndarray, sampled: np.ndarray
    ) -> tuple[Neighbours, WithoutOwnGroup]:
        """Learn from the `sampled` rows; and what all training rows themselves get their numbers from."""
        some = rows_of(columns, sampled)
        learned = cls.learn(some, value[sampled], spec)
        known = np.isfinite(value[sampled]) & np.isfinite(_points(some, spec.of)).all(axis=1)
        return learned, WithoutOwnGroup(learned, groups[sampled][known])

    @cached_property
    def _values(self) -> np.ndarray:
        return np.array(self.values)

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import cKDTree

        return cKDTree(np.column_stack([np.array(c) * s for c, s in zip(self.points, self.scale, strict=True)]))

    @cached_property
    def _scale(self) -> np.ndarray:
        return np.array(self.scale)

    def means(self, points: np.ndarray, own: np.ndarray | None, others: np.ndarray | None) -> np.ndarray:
        """Weighted means at points; rows of `others` that equal the point's `own` group are left out."""
        result = np.full(len(points), np.nan)
        (known,) = np.nonzero(np.isfinite(points).all(axis=1))
        if not self.values:
            return result
        # From one point to one beside it: the search finds most of what it needs in the processor's cache.
        known = known[np.lexsort(points[known].T)]
        chunks = [known[start : start + CHUNK] for start in range(0, len(known), CHUNK)]
        extra = 0 if others is None else int(np.unique(others, return_counts=True)[1].max())
        near = min(self.count + extra, int(self._tree.n))

        def look_up(chunk: np.ndarray) -> None:
            groups = None if own is None else own[chunk]
            result[chunk] = self._means(points[chunk], near, groups, others)

        if len(chunks) > 1:  # neither scipy nor numpy holds other threads up
            with ThreadPoolExecutor(cores()) as threads:
                list(threads.map(look_up, chunks))
        else:
            list(map(look_up, chunks))
        return result

    def _means(self, points: np.ndarray, near: int, own: np.ndarray | None, others: np.ndarray | None) -> np.ndarray:
        """As `means`, of points that are sorted; many houses stand at the same place: each is looked up once."""
        first = np.append(True, (points[1:] != points[:-1]).any(axis=1))
        which = np.cumsum(first) - 1
        found = self._tree.query(points[first] * self._scale, near)
        distances, places = (each.reshape(-1, near) for each in found)
        if own is None or others is None:
            use = np.broadcast_to(np.arange(near) < self.count, places.shape)
            means: np.ndarray = _weighted_mean(self._values[places], distances, use)[which]
            return means
        distances, places = distances[which], places[which]
        use = others[places] != own[:, None]
        use &= np.cumsum(use, axis=1) <= self.count
        return _weighted_mean(self._values[places], distances, use)


@dataclass(frozen=True)
class WithoutOwnGroup:
    """The neighbours among the training rows, and the group of each of them."""

    neighbours: Neighbours
    groups: np.ndarray

    def of_rows(self, columns: Columns, groups: np.ndarray) -> np.ndarray:
        """One number per training row, from the nearest that are not of its group."""
        return self.neighbours.means(_points(columns, self.neighbours.of), groups, self.groups)


Learned = TargetEncoding | Neighbours
WithoutOwn = WithoutOwnFold | WithoutOwnGroup
KINDS: dict[str, type[TargetEncoding] | type[Neighbours]] = {
    "target_encoding": TargetEncoding,
    "neighbours": Neighbours,
}


def to_json(learned: Mapping[str, Learned]) -> dict[str, Any]:
    """Plain JSON; `from_json` gives the features back."""
    return {
        name: {each.name: getattr(feature, each.name) for each in fields(feature)} for name, feature in learned.items()
    }


def from_json(document: Mapping[str, Any]) -> dict[str, Learned]:
    """Build the features from `to_json`'s document."""
    return {name: _from_json(feature) for name, feature in document.items()}


def _from_json(document: Mapping[str, Any]) -> Learned:
    tuples = {key: tuple(document[key]) for key in ("of", "scale", "values") if key in document}
    if "points" in document:
        tuples["points"] = tuple(tuple(column) for column in document["points"])
    return KINDS[document["kind"]](**{**document, **tuples})


def _keys(columns: Columns, of: tuple[str, ...]) -> np.ndarray:
    """The categories of each row as one text; what is missing is an empty one."""
    known = [[value or "" for value in columns[name]] for name in of]
    joined = known[0] if len(known) == 1 else ["\x1f".join(values) for values in zip(*known, strict=True)]
    return np.array(joined, dtype=object)


def _folds(groups: np.ndarray) -> np.ndarray:
    return (groups * FOLDS).astype(int)


def _points(columns: Columns, of: tuple[str, ...]) -> np.ndarray:
    """The coordinates of each row, (rows, coordinates)."""
    return np.array([columns[name] for name in of], dtype=float).T


def _weighted_mean(values: np.ndarray, distances: np.ndarray, use: np.ndarray) -> np.ndarray:
    """Means along the rows of 2-D arrays, over the used neighbours; NaN for a row that has none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        typical = (distances * use).sum(axis=1, keepdims=True) / use.sum(axis=1, keepdims=True)
        weights = use / (1 + np.where(typical > 0, distances / typical, 0))
        return np.asarray((values * weights).sum(axis=1) / weights.sum(axis=1))
