"""The rows that one host trains on: its own parts of the training rows, and its share of the validation rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from steps.failure import JobError, listed
from steps.features import Features
from steps.hosts import Hosts
from steps.part_files import part_files, read_part, rows_of
from steps.shard import Shard


def training_rows(folder: Path, features: Features, hosts: Hosts) -> tuple[pd.DataFrame, Shard]:
    """The features and the target of the parts that this host was given; of all hosts none has the same part.

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
    return _table(files, sum(sizes), features), Shard(hosts, tuple(places[path.name] for path in files), total)


def validation_rows(folder: Path, features: Features, hosts: Hosts) -> tuple[pd.DataFrame, Shard]:
    """This host's share of the validation rows, which every host was given."""
    files = part_files(folder)
    if not files:
        raise JobError(f"There is no Parquet file in {folder}: run steps.preprocess first.")
    table = _table(files, sum(map(rows_of, files)), features)
    start, end = (len(table) * bound // hosts.count for bound in (hosts.number, hosts.number + 1))
    return table.iloc[start:end].reset_index(drop=True), Shard(hosts, ((start, end),), len(table))


def _table(files: Sequence[Path], rows: int, features: Features) -> pd.DataFrame:
    """The rows of all files as floats in one piece of memory, read file by file: the features, and then the target.

    Raises JobError if the columns of a file are not those of features.json.
    """
    names = [*features.names, features.target]
    block = np.empty((len(names), rows))
    end = 0
    for path in files:
        part = read_part(path)
        if list(part.columns) != names:
            raise JobError(f"{path} and features.json come from different runs of steps.preprocess.")
        begin, end = end, end + len(part)
        for place, name in enumerate(names):
            block[place, begin:end] = part[name]
    return pd.DataFrame(block.T, columns=names, copy=False)


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
