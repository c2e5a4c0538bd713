"""Write a job's outputs whole or not at all: to a temporary name first, then renamed."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


ROW_GROUP = 1 << 20  # rows of a Parquet file in one piece, as pyarrow divides them


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder, with the same ending; rename it to `path` when the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing.", suffix=path.name)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to `path`."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes to `path`."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, document: Any, indent: int | None = 2) -> None:
    """Write a JSON document, indented, or on one line. Raises ValueError for NaN and infinities, which JSON has not."""
    write_text(path, json.dumps(document, indent=indent, allow_nan=False) + "\n")


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet, without its index; a long one piece by piece, which Arrow holds a second time."""
    with replacing(path) as temporary:
        if len(table) <= ROW_GROUP:
            table.to_parquet(temporary, index=False)
        else:
            _write_groups(temporary, table)


def _write_groups(path: Path, table: pd.DataFrame) -> None:
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.Schema.from_pandas(table, preserve_index=False)
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        for start in range(0, len(table), ROW_GROUP):
            rows = table.iloc[start : start + ROW_GROUP]
            writer.write_table(pyarrow.Table.from_pandas(rows, schema=schema, preserve_index=False))


def write_with(path: Path, save: Callable[[str], object]) -> None:
    """Write `path` with a library's own save function, which decides the format by the file's ending."""
    with replacing(path) as temporary:
        save(str(temporary))
