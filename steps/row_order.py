"""An order of rows that nothing but their values decides: neither the names, nor the sizes, nor the order of files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from steps.row_store import RowStore
from steps.workers import in_parallel


def by_content(table: pd.DataFrame) -> np.ndarray:
    """The places of the rows of a typed table, sorted by a hash of all their values (64 bits).

    Only equal rows share a hash, but for one pair in 10^19; which of those comes first makes no difference.
    """
    return by_hash(_hashes(table))


def by_hash(hashes: np.ndarray) -> np.ndarray:
    """The places of rows sorted by their hashes."""
    return np.argsort(hashes, kind="stable")


def content_hashes(rows: RowStore, names: Sequence[str] | None = None) -> np.ndarray:
    """The hash of each row, of some of its columns."""
    every = in_parallel(lambda number: _hashes(rows.one_of(number, names)), range(len(rows.starts)))
    return np.concatenate(list(every))


def places_of_likely_equal(rows: RowStore, names: Sequence[str]) -> np.ndarray:
    """The places of the rows that are equal to others in some columns, where -0.0 is 0.0; hardly ever of one more."""

    def hashed(number: int) -> np.ndarray:
        table = rows.one_of(number, names)
        floats = table.select_dtypes("float")
        return _hashes(table.assign(**{str(name): floats[name] + 0.0 for name in floats}))

    hashes = np.concatenate(list(in_parallel(hashed, range(len(rows.starts)))))
    return np.flatnonzero(pd.Series(hashes).duplicated(keep=False))


def _hashes(table: pd.DataFrame) -> np.ndarray:
    # To find equal texts first takes four times as long where they name a row. The hash of a text is the same without,
    # but what is missing would be the text None.
    categorize = bool(table.isna().to_numpy().any())
    return pd.util.hash_pandas_object(table, index=False, categorize=categorize).to_numpy()
