"""The rows that one host trains on: its own parts of the training rows, and its share of the validation rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from steps import stored_table
from steps.batches import ahead
from steps.failure import JobError, listed
from steps.features import Features
from steps.hosts import Hosts
from steps.part_files import part_files, read_part, rows_of
from steps.shard import Shard
from steps.stored_table import StoredTable, Table


def training_rows(folder: Path, features: Features, hosts: Hosts, scratch: Path) -> tuple[Table, Shard]:
    """The features and the target of the parts that this host was given; of all hosts none has the same part.

    Many rows are kept in a file in the folder `scratch`.

    Raises JobError where a host has no part, two have the same, or a part does not fit features.json.
    """
    files = part_files(folder)
    sizes = [rows_of(path) for path in files]
    told = hosts.told([[path.name, count] for path, count in zip(files, sizes, strict=True)])
    _refuse_empty(told, hosts, folder)
    places, total = {}, 0
    for name, rows in sorted((name, rows) for parts in told for name, rows in parts):
        if name in places:
            raise JobError(
                f"Two hosts were given {name} of the channel train: it must be ShardedByS3Key, so that each part is "
                "on one host."
            )
        places[name] = (total, total + rows)
        total += rows
    table = _table(files, slice(0, sum(sizes)), features, scratch)
    return table, Shard(hosts, tuple(places[path.name] for path in files), total)


def validation_rows(folder: Path, features: Features, hosts: Hosts, scratch: Path) -> tuple[Table, Shard]:
    """This host's share of the validation rows, which every host was given; see `training_rows`."""
    files = part_files(folder)
    if not files:
        raise JobError(f"There is no Parquet file in {folder}: run steps.preprocess first.")
    total = sum(map(rows_of, files))
    start, end = (total * bound // hosts.count for bound in (hosts.number, hosts.number + 1))
    return _table(files, slice(start, end), features, scratch), Shard(hosts, ((start, end),), total)


def _table(files: Sequence[Path], share: slice, features: Features, scratch: Path) -> Table:
    """Some of the rows of all files as floats, read file by file: the features, and then the target.

    Up to MOST_HELD rows are in one piece of memory. Raises JobError if the columns of a file are not those of
    features.json.
    """
    names, rows = [*features.names, features.target], share.stop - share.start
    shared = ahead(_shared(files, share, names))
    if rows > stored_table.MOST_HELD:
        table = StoredTable(names, rows, scratch)
        for first, part in shared:
            table.put(first, part)
        return table
    block = np.empty((len(names), rows))
    for first, part in shared:
        for place, name in enumerate(names):
            block[place, first : first + len(part)] = part[name]
    return pd.DataFrame(block.T, columns=names, copy=False)


def _shared(files: Sequence[Path], share: slice, names: list[str]) -> Iterator[tuple[int, pa.Table]]:
    """The rows of each file that are in the share, and the place in the share of the first of them."""
    end = 0
    for path in files:
        part = read_part(path)
        if part.column_names != names:
            raise JobError(f"{path} and features.json come from different runs of steps.preprocess.")
        for name, kind in zip(names, part.schema.types, strict=True):
            if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
                raise JobError(f"{path} has what is no number in the column {name}: run steps.preprocess again.")
        begin, end = end, end + len(part)
        first, last = max(share.start - begin, 0), max(share.stop - begin, 0)
        yield max(begin - share.start, 0), part.slice(first, max(last - first, 0))


def _refuse_empty(told: list[list[tuple[str, int]]], hosts: Hosts, folder: Path) -> None:
    empty = [name for name, parts in zip(hosts.names, told, strict=True) if not sum(rows for _, rows in parts)]
    if not empty:
        return
    parts = sum(map(len, told))
    if hosts.count == 1:
        raise JobError(f"There is no Parquet file with rows in {folder}: run steps.preprocess first.")
    raise JobError(
        f"The {parts} parts of the training rows leave nothing for {listed(empty)} of {hosts.count} hosts: set "
        f"TrainingInstanceCount to {hosts.count - len(empty)} (jobs.training.instance_count in the YAML), or give "
        "more rows."
    )
