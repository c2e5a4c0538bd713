"""Read the validated rows and divide them into their parts, batch by batch: all rows are in memory once."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from steps import batches
from steps.column_settings import Column
from steps.data_settings import DataSettings
from steps.failure import JobError
from steps.fitting import check_target
from steps.raw_data import typed
from steps.split import marked, needed
from steps.split_settings import SplitSettings
from steps.workers import meanwhile

if TYPE_CHECKING:
    import pyarrow


def divided_rows(path: Path, data: DataSettings, settings: SplitSettings) -> dict[str, pd.DataFrame]:
    """The typed rows of each part, see `steps.split`. Raises JobError for what is not validated data.

    A column of integers is one of floats in all parts where a value is missing in any.
    """
    with meanwhile([partial(_marks, path, data, settings)]) as (marks,):
        tables = list(_tables(path, data.identity, data.columns))
        masks = marks()
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in masks}
    end = 0
    while tables:
        table = tables.pop(0)
        begin, end = end, end + len(table)
        for name, mask in masks.items():
            found[name].append(table[mask[begin:end]])
    floats = {name for tables in found.values() for each in tables for name in each if each[name].dtype == float}
    return {name: _joined(found.pop(name), floats) for name in masks}


def _marks(path: Path, data: DataSettings, settings: SplitSettings) -> dict[str, np.ndarray]:
    deciding = {name: data.columns[name] for name in (*needed(data), data.target)}
    narrow = pd.concat(list(_tables(path, data.identity, deciding, list(deciding))), ignore_index=True)
    check_target(narrow, data)
    return marked(narrow, data, settings)


def _joined(tables: list[pd.DataFrame], floats: Collection[Hashable]) -> pd.DataFrame:
    table = pd.concat(tables, ignore_index=True)
    for name in floats:
        table[name] = table[name].astype(float)
    return table


def _tables(
    path: Path, identity: Collection[str], columns: dict[str, Column], only: list[str] | None = None
) -> Iterator[pd.DataFrame]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in batches.ahead(file.iter_batches(batches.ROWS, columns=only)):
                yield typed(_in_memory(batch, identity), columns, path.name)
    except MemoryError:  # Arrow's is one of its own faults, too
        raise
    except (OSError, pyarrow.ArrowException) as error:  # zstd's and snappy's faults are OSErrors
        raise JobError(f"The validated data {path} is not Parquet: run steps.validate first.") from error


def _in_memory(batch: pyarrow.RecordBatch, identity: Collection[str]) -> pd.DataFrame:
    """The rows; equal texts are one in memory, but for those that name a row: hardly any two of them are equal."""
    apart = [name for name in batch.schema.names if name in identity]
    texts = {name: batch.column(name).to_pandas(deduplicate_objects=False).to_numpy() for name in apart}
    table: pd.DataFrame = batch.drop_columns(apart).to_pandas()
    for name, values in texts.items():
        table[name] = values
    return table
