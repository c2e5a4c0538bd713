"""Tell apart the rows of a table: what follows from a row's values alone is computed once for each different row."""

from __future__ import annotations

import numpy as np
import pandas as pd


def different_rows(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of one row of each kind, and for every row the number of its kind.

    Rows of a kind are the same to the last bit: 0.0 and -0.0 are two kinds.
    """
    kinds = np.zeros(len(table), dtype=np.int64)
    for number in range(table.shape[1]):
        own = _kinds(table.iloc[:, number].to_numpy())
        kinds = pd.factorize(kinds * (own.max(initial=0) + 1) + own)[0] if number else own
    places = np.zeros(kinds.max(initial=-1) + 1, dtype=np.int64)
    places[kinds] = np.arange(len(table))
    return places, kinds


def _kinds(values: np.ndarray) -> np.ndarray:
    """A number from 0 for every value, the same for the same ones."""
    if values.dtype.kind in "fmM":
        values = values.view(f"i{values.dtype.itemsize}")
    elif values.dtype == object and pd.api.types.infer_dtype(values, skipna=True) not in ("string", "empty"):
        return np.arange(len(values))  # among others 1 and True would be the same
    kinds: np.ndarray = pd.factorize(values, use_na_sentinel=False)[0]
    return kinds
