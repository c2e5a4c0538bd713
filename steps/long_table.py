"""Write a long table as one Parquet file, batch by batch, so that it is never in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from steps.artifacts import replacing, write_parquet

if TYPE_CHECKING:
    import pyarrow


def write_long(path: Path, tables: Iterable[pd.DataFrame | pyarrow.Table]) -> None:
    """Write tables of the same columns one below the other; one table alone as `write_parquet` does.

    Those of Arrow have the types of the columns, without metadata, and are written as pandas' of the same values.
    """
    rest = iter(tables)
    first, second = next(rest, pd.DataFrame()), next(rest, None)
    if not isinstance(first, pd.DataFrame):
        first = first.to_pandas(deduplicate_objects=False)
    if second is None:
        write_parquet(path, first)
        return
    with replacing(path) as temporary, ExitStack() as stack:
        found = arrow_table(first)
        writer = stack.enter_context(parquet_writer(temporary, found.schema))
        writer.write_table(found)
        for table in chain([second], rest):
            writer.write_table(arrow_table(table) if isinstance(table, pd.DataFrame) else table.cast(found.schema))


def arrow_table(table: pd.DataFrame) -> pyarrow.Table:
    """The table with texts where a column of texts has no value: another batch may have some."""
    import pyarrow

    found = pyarrow.Table.from_pandas(table, preserve_index=False)
    fields = [each.with_type(pyarrow.string()) if pyarrow.types.is_null(each.type) else each for each in found.schema]
    return found.cast(pyarrow.schema(fields, found.schema.metadata))


def parquet_writer(path: Path, schema: pyarrow.Schema) -> pyarrow.parquet.ParquetWriter:
    """What appends tables to a Parquet file; a context."""
    import pyarrow.parquet

    return pyarrow.parquet.ParquetWriter(path, schema)
