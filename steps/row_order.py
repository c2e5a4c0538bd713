"""An order of rows that nothing but their values decides: neither the names, nor the sizes, nor the order of files."""

from __future__ import annotations

import numpy as np
import pandas as pd


def by_content(table: pd.DataFrame) -> np.ndarray:
    """The places of the rows of a typed table, sorted by a hash of all their values (64 bits).

    Only equal rows share a hash, but for one pair in 10^19; which of those comes first makes no difference.
    """
    return np.argsort(pd.util.hash_pandas_object(table, index=False).to_numpy(), kind="stable")
