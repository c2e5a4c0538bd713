"""The rows that trees learn from, as XGBoost's quantile matrix: a byte or so for each value, made batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from steps.batches import batches
from steps.boosting import blanked, by_row, feature_names, xgboost
from steps.features import Features
from steps.stored_table import Values


@dataclass(frozen=True)
class Rows:
    """values: features (rows, features). start: what boosting starts from. label: what is to be learned.

    chosen: marks the rows that are meant; None is all of them.
    """

    values: Values
    start: np.ndarray
    label: np.ndarray
    chosen: np.ndarray | None = None


def training_matrix(
    tables: Sequence[Rows],
    features: Features,
    like: xgboost.DMatrix | None = None,
    blank: Sequence[int] = (),
    cache: Path | None = None,
) -> xgboost.DMatrix:
    """The rows of all tables; in the places `blank` all features are 0, so that no tree splits by them.

    What is only to be compared with training rows is cut as they are: `like` is their matrix. With a folder `cache` the
    matrix is in a file there, which is removed with it, and XGBoost reads a batch or two at a time.
    """
    rows = _Batches(tables, features, blank, cache)
    kind = xgboost.QuantileDMatrix if cache is None else xgboost.ExtMemQuantileDMatrix
    return kind(rows, ref=like, enable_categorical=bool(features.levels))


class _Batches(xgboost.DataIter):
    """Gives XGBoost the rows, as often as it asks for them."""

    def __init__(self, tables: Sequence[Rows], features: Features, blank: Sequence[int], cache: Path | None) -> None:
        self._tables, self._blank = tables, blank
        self._categories = [place for place, name in enumerate(features.names) if name in features.levels]
        self._names = feature_names(features.names)
        self._kinds = ["c" if name in features.levels else "q" for name in features.names] if features.levels else None
        self._rest = self._batches()
        super().__init__(cache_prefix=None if cache is None else str(cache / "rows"))

    def reset(self) -> None:
        """Begin again."""
        self._rest = self._batches()

    def next(self, input_data: Any) -> bool:
        """Give one more batch; whether there was one."""
        batch = next(self._rest, None)
        if batch is None:
            return False
        values, start, label = batch
        input_data(
            data=by_row(blanked(values, self._blank), self._categories),
            label=label,
            base_margin=start,
            feature_names=self._names,
            feature_types=self._kinds,
        )
        return True

    def _batches(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        for table in self._tables:
            for batch in batches(len(table.values)):
                chosen = slice(None) if table.chosen is None else table.chosen[batch]
                yield table.values[batch][chosen], table.start[batch][chosen], table.label[batch][chosen]
