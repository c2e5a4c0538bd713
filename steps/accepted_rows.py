"""Write the accepted rows of a data set as one Parquet file, batch by batch: those of several files by their hashes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from steps.batches import batches
from steps.long_table import write_long
from steps.row_order import by_hash, content_hashes
from steps.validation import Validation


def accepted_places(validation: Validation) -> list[np.ndarray]:
    """The places of the rows that are not rejected in the order of the file, batch by batch."""
    accepted = ~validation.rejected
    if not validation.in_many_files:
        return [batch.start + np.flatnonzero(accepted[batch]) for batch in batches(len(accepted))]
    places = np.flatnonzero(accepted)
    order = places[by_hash(content_hashes(validation.rows, validation.names)[places])]
    return [order[batch] for batch in batches(len(order))]


def write_accepted(path: Path, validation: Validation, places: list[np.ndarray]) -> None:
    """Write the rows at these places, see `accepted_places`."""
    write_long(path, (validation.rows.take(some, validation.names) for some in places))
