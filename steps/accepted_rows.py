"""Write the accepted rows of a data set as one Parquet file, batch by batch, those of several files in their own order.

Rows that are more than one batch are sorted through files: each takes the rows of one stretch of the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from steps import batches
from steps.artifacts import write_parquet
from steps.long_table import arrow_table, parquet_writer, write_long
from steps.row_order import by_content, by_hash, content_hashes
from steps.validation import Validation

if TYPE_CHECKING:
    import pyarrow

RANK = "\x1frank"  # beside the columns of the data, none of which is called so


def write_accepted(path: Path, validation: Validation, scratch: Path) -> None:
    """Write the rows that are not rejected; files in the folder `scratch` are for what lies between."""
    if validation.rows.in_one_batch:
        accepted = validation.table[~validation.rejected].reset_index(drop=True)
        write_parquet(path, accepted.iloc[by_content(accepted)] if validation.in_many_files else accepted)
        return
    rows = _accepted(validation)
    write_long(path, _sorted(rows, validation, scratch) if validation.in_many_files else (table for _, table in rows))


def _accepted(validation: Validation) -> Iterator[tuple[np.ndarray, pd.DataFrame]]:
    """The places of the accepted rows and the rows, batch by batch."""
    for first, table in validation.rows.batches(validation.names):
        here = np.flatnonzero(~validation.rejected[first : first + len(table)])
        yield here + first, table.iloc[here]


def _sorted(
    rows: Iterable[tuple[np.ndarray, pd.DataFrame]], validation: Validation, scratch: Path
) -> Iterator[pd.DataFrame]:
    """All rows by their hash: each batch of the order is collected in a file of its own, and then sorted."""
    hashes = content_hashes(validation.rows, validation.names)
    accepted = np.flatnonzero(~validation.rejected)
    ranks = np.empty(len(hashes), dtype=np.int64)
    ranks[accepted[by_hash(hashes[accepted])]] = np.arange(len(accepted))
    stretches = [scratch / f"stretch-{number:06d}.parquet" for number in range(-(-len(accepted) // batches.ROWS))]
    with ExitStack() as stack:
        writers: dict[Path, pyarrow.parquet.ParquetWriter] = {}
        for places, table in rows:
            ranked = arrow_table(table.assign(**{RANK: ranks[places]}))
            numbers = ranks[places] // batches.ROWS
            for number in np.unique(numbers):
                own = stretches[number]
                if own not in writers:
                    writers[own] = stack.enter_context(parquet_writer(own, ranked.schema))
                writers[own].write_table(ranked.filter(numbers == number))
    for own in stretches:
        yield pd.read_parquet(own).sort_values(RANK).drop(columns=RANK)
