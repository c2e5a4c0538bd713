"""An order of rows that nothing but their values decides: neither the names, nor the sizes, nor the order of files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from steps.row_store import RowStore


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
    return np.concatenate([_hashes(table) for _, table in rows.batches(names)])


def _hashes(table: pd.DataFrame) -> np.ndarray:
    return pd.util.hash_pandas_object(table, index=False).to_numpy()
