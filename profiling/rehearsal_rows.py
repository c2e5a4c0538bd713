"""Rows of a data set to rehearse a pipeline on: an even draw by hash, so that it is the same whatever their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from profiling.errors import DataError
from steps.artifacts import write_parquet
from steps.data_set import Part, parts_of
from steps.failure import JobError
from steps.raw_data import read_part
from steps.text_format import FileFormat

FEWEST = 5_000  # of fewer rows hardly any pipeline comes to its end


def draw(source: Path, folder: Path, share: float, written: FileFormat | None) -> tuple[int, int]:
    """Write a share of the rows, but no fewer than FEWEST, as they are written; return how many, and of how many.

    Each file becomes a Parquet file of its name in the same folder below `folder`; one at a time is in memory. Raises
    DataError for files that cannot be read.
    """
    try:
        return _drawn(source, folder, share, written)
    except JobError as error:
        raise DataError(str(error)) from error


def _drawn(source: Path, folder: Path, share: float, written: FileFormat | None) -> tuple[int, int]:
    parts = parts_of(source)
    hashes = [_hashes(part, written) for part in parts]
    every = np.concatenate(hashes)
    if not len(every):
        raise JobError(f"{source} has columns but no rows.")
    wanted = min(len(every), max(FEWEST, round(share * len(every))))
    highest = np.partition(every, wanted - 1)[wanted - 1]
    rows = 0
    for part, own in zip(parts, hashes, strict=True):
        chosen = own <= highest  # equal rows come together
        if chosen.any():
            table, _ = read_part(part, written)
            ending = "" if part.name.endswith(".parquet") else ".parquet"
            write_parquet(folder / f"{part.name}{ending}", table[chosen])
            rows += int(chosen.sum())
    return rows, len(every)


def _hashes(part: Part, written: FileFormat | None) -> np.ndarray:
    table, _ = read_part(part, written)
    texts = table.astype(str)
    return pd.util.hash_pandas_object(texts[sorted(map(str, texts))], index=False).to_numpy()
