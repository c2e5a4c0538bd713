"""Predict with XGBoost, imported in a fifth of the time: without its scikit-learn wrappers, which no job uses."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Iterable

import numpy as np

_loaded = "sklearn" in sys.modules
if not _loaded:
    # XGBoost imports scikit-learn (a second) if it can, and does without if it cannot. None in
    # sys.modules makes it "cannot" for this one import; scikit-learn itself stays importable after.
    sys.modules["sklearn"] = None  # type: ignore[assignment]
try:
    import xgboost
finally:
    if not _loaded:
        del sys.modules["sklearn"]

# What XGBoost does not take in the name of a feature, though a data file may have it -> what stands for it.
_REFUSED = str.maketrans("[]<", "()\u2039")

__all__ = ["by_row", "feature_names", "predict", "xgboost"]


def feature_names(names: Iterable[Hashable]) -> list[str]:
    """The names of features as XGBoost takes them."""
    return [str(name).translate(_REFUSED) for name in names]


def by_row(values: np.ndarray) -> np.ndarray:
    """Features as `predict` takes them."""
    return np.ascontiguousarray(values, dtype=np.float32)


def predict(booster: xgboost.Booster, values: np.ndarray, start: np.ndarray, threads: int | None = None) -> np.ndarray:
    """Predict for features (rows, features) that `by_row` gave; float32.

    `start` is what boosting starts from, (rows,) or (rows, outputs). No DMatrix is made for this one call. With
    `threads` OpenMP starts no more for the calling thread from now on: where several processes share the cores,
    waiting for a second one takes many times as long as predicting a row.
    """
    if threads:
        xgboost.set_config(nthread=threads)
    return np.asarray(booster.inplace_predict(values, base_margin=start))
