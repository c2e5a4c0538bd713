"""Tables as several Parquet files of one folder: as many as their rows ask for, however many hosts will read them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from steps.artifacts import write_parquet
from steps.failure import JobError
from steps.part_sizes import parts_of_rows
from steps.row_source import even_places, readable
from steps.workers import in_parallel

if TYPE_CHECKING:
    import pyarrow


def write_parts(
    folder: Path, rows: int, table_of: Callable[[slice], pd.DataFrame], chosen: Iterable[int] | None = None
) -> None:
    """Write so many rows as part-00000.parquet and so on, in their order, all of one size but for a row.

    `table_of` makes the rows of a part. With numbers `chosen`, these parts alone are written.
    """
    parts = parts_of_rows(rows)

    def write(number: int) -> None:
        start, end = (rows * bound // parts for bound in (number, number + 1))
        write_parquet(folder / f"part-{number:05d}.parquet", table_of(slice(start, end)))

    deque(in_parallel(write, range(parts) if chosen is None else chosen), maxlen=0)


def part_files(folder: Path) -> list[Path]:
    """The Parquet files of a folder by their names; none where there is no such folder."""
    return sorted(path for path in folder.glob("*.parquet") if not path.name.startswith((".", "_")))


def read_parts(folder: Path, most: int | None = None) -> pd.DataFrame:
    """The rows of all parts of a folder, or an even draw of `most` of them; one file at a time is read.

    Raises JobError where there is none, or one is not Parquet.
    """
    files = part_files(folder)
    if not files:
        raise JobError(f"There is no Parquet file in {folder}: run steps.preprocess first.")
    sizes = [rows_of(path) for path in files]
    places, first, tables = even_places(sum(sizes), most or sum(sizes)), 0, []
    for path, size in zip(files, sizes, strict=True):
        here = places[(places >= first) & (places < first + size)] - first
        part: pd.DataFrame = read_part(path).to_pandas()
        tables.append(part.iloc[here])
        first += size
    return pd.concat(tables, ignore_index=True)


def rows_of(path: Path) -> int:
    """How many rows one file has, by its footer. Raises JobError that names it where it is not Parquet."""
    import pyarrow.parquet

    with readable(path):
        return int(pyarrow.parquet.read_metadata(path).num_rows)


def read_part(path: Path) -> pyarrow.Table:
    """The rows of one file. Raises JobError that names it where it is not Parquet."""
    import pyarrow.parquet

    with readable(path):
        return pyarrow.parquet.read_table(path)
