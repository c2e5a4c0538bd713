"""Batches become one file that reads as their table; one batch is written as any table is."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from steps.artifacts import write_parquet
from steps.long_table import write_long

TABLE = pd.DataFrame({"size": [1.5, 2.5, 3.5], "kind": [None, None, "a"]}, index=[4, 5, 6])


def test_batches_read_as_one_table_though_the_first_has_no_text(tmp_path: Path) -> None:
    write_long(tmp_path / "long.parquet", (TABLE.iloc[[row]] for row in range(3)))
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "long.parquet"), TABLE.reset_index(drop=True))


def test_one_batch_is_written_as_a_table_is(tmp_path: Path) -> None:
    write_long(tmp_path / "long.parquet", iter([TABLE]))
    write_parquet(tmp_path / "table.parquet", TABLE)
    assert (tmp_path / "long.parquet").read_bytes() == (tmp_path / "table.parquet").read_bytes()
