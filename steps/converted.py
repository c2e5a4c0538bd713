"""Tell whether a column already holds what conversion would make of it, which is quicker than to convert it again."""

from __future__ import annotations

import numpy as np
import pandas as pd

from steps.column_settings import Column

FEWEST = 1000  # values; fewer are converted as quickly
LARGEST_EXACT = 2**53  # conversion takes integers through floats, which hold all whole numbers up to here


def is_converted(values: pd.Series, column: Column) -> bool:
    """Whether `steps.conversion.convert` would give just these values; False also where nothing tells it quickly."""
    if len(values) < FEWEST or column.missing or column.yes_words or column.no_words:
        return False
    if column.type in ("category", "text"):
        return values.dtype == object and _are_clean(values, column.width)
    if values.dtype == np.int64:
        whole = values.to_numpy()
        return column.type == "integer" and whole.min() >= -LARGEST_EXACT and whole.max() <= LARGEST_EXACT
    if values.dtype != np.float64 or column.type == "date":
        return False
    numbers = values.to_numpy()
    missing = np.isnan(numbers)
    if column.type == "integer":  # as floats only where a value is missing
        return bool(missing.any() and (missing | (np.isfinite(numbers) & (numbers == numbers.round()))).all())
    if column.type == "boolean":
        return bool((missing | ((numbers == 0) & ~np.signbit(numbers)) | (numbers == 1)).all())
    return not np.isinf(numbers).any()


def _are_clean(values: pd.Series, width: int) -> bool:
    """Whether all are texts of that width or more without spaces around them, or None."""
    import pyarrow
    import pyarrow.compute

    try:
        texts = pyarrow.array(values, from_pandas=True)
    except (pyarrow.ArrowException, UnicodeError):  # of several types, or not UTF-8
        return False
    if not pyarrow.types.is_string(texts.type):
        return False
    if texts.null_count and any(value is not None for value in values[values.isna()]):
        return False
    lengths = pyarrow.compute.utf8_length(texts)
    shortest = pyarrow.compute.min(lengths).as_py()
    # White space is what Python and Unicode say, in both libraries.
    trimmed = pyarrow.compute.binary_length(pyarrow.compute.utf8_trim_whitespace(texts))
    same = pyarrow.compute.all(pyarrow.compute.equal(trimmed, pyarrow.compute.binary_length(texts))).as_py()
    return shortest is not None and shortest >= max(width, 1) and bool(same)
