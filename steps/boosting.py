"""Predict with XGBoost, imported in a fifth of the time: without its scikit-learn wrappers, which no job uses."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence

import numpy as np

from steps.batches import by_batch
from steps.lean_imports import lean
from steps.stored_table import Values

with lean("sklearn"):  # a second
    import xgboost

# What XGBoost does not take in the name of a feature, though a data file may have it -> what stands for it.
_REFUSED = str.maketrans("[]<", "()\u2039")

__all__ = ["blanked", "by_row", "categories_of", "feature_names", "matrix", "predict", "predict_table", "xgboost"]


def feature_names(names: Iterable[Hashable]) -> list[str]:
    """The names of features as XGBoost takes them."""
    return [str(name).translate(_REFUSED) for name in names]


def categories_of(booster: xgboost.Booster) -> list[int]:
    """The places of the features that the trees split by sets of levels; none in models that were made before that."""
    return [place for place, kind in enumerate(booster.feature_types or ()) if kind == "c"]


def by_row(values: np.ndarray, categories: Sequence[int] = ()) -> np.ndarray:
    """Features as `predict` takes them; in the places `categories` a code below 0 is a level that nobody has seen.

    Such a value is missing for the trees, which learned from rare levels where rows like that belong.
    """
    rows = np.ascontiguousarray(values, dtype=np.float32)
    for place in categories:
        if rows is values:
            rows = rows.copy()
        codes = rows[:, place]
        codes[codes < 0] = np.nan
    return rows


def matrix(
    values: np.ndarray,
    names: Sequence[Hashable],
    categories: Collection[Hashable],
    start: np.ndarray,
) -> xgboost.DMatrix:
    """Return features (rows, names) of rows whose predictions XGBoost is to explain, those in `categories` as levels.

    `start` is what boosting starts from, (rows,) or (rows, outputs).
    """
    places = [place for place, name in enumerate(names) if name in categories]
    kinds = ["c" if name in categories else "q" for name in names]
    result = xgboost.DMatrix(
        by_row(values, places),
        feature_names=feature_names(names),
        feature_types=kinds if places else None,
        enable_categorical=bool(places),
    )
    result.set_base_margin(start)
    return result


def predict(booster: xgboost.Booster, values: np.ndarray, start: np.ndarray, threads: int | None = None) -> np.ndarray:
    """Predict for features (rows, features) that `by_row` gave; float32.

    `start` is what boosting starts from, (rows,) or (rows, outputs). No DMatrix is made for this one call. With
    `threads` OpenMP starts no more for the calling thread from now on: where several processes share the cores,
    waiting for a second one takes many times as long as predicting a row.
    """
    if threads:
        xgboost.set_config(nthread=threads)
    return np.asarray(booster.inplace_predict(values, base_margin=start))


def predict_table(
    booster: xgboost.Booster,
    table: Values,
    start: np.ndarray,
    blank: Sequence[int] = (),
    chosen: np.ndarray | None = None,
) -> np.ndarray:
    """Predict for a long table of features as `steps.features` computes them, batch by batch; float32.

    In the places `blank` the trees see zeros, as when they learned. `chosen` marks the rows that are meant.
    """
    categories = categories_of(booster)

    def predicted(batch: slice) -> np.ndarray:
        meant = slice(None) if chosen is None else chosen[batch]
        return predict(booster, by_row(blanked(table[batch][meant], blank), categories), start[batch][meant])

    return by_batch(predicted, len(table))


def blanked(values: np.ndarray, places: Sequence[int]) -> np.ndarray:
    """Features with zeros in some places; the values themselves where there is no such place."""
    if not places:
        return values
    result = values.copy()
    result[:, places] = 0
    return result
