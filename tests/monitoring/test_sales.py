"""New sales of a window: which rows are taken, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from monitoring.sales import NewSales, new_sales
from tests.monitoring.conftest import SETTINGS, houses, window


def sold(folder: Path, rejected: int, rows: int) -> NewSales:
    """What is found of so many sales in June, of which some have a price that cannot be."""
    table = houses(rows, seed=3, since="2026-06-01", days=30)
    table.loc[: rejected - 1, "price"] = 1.0
    table.to_parquet(folder / "sales.parquet", index=False)
    return new_sales(folder, np.array([], dtype=np.uint64), window(), SETTINGS)


@pytest.mark.parametrize(
    ("rejected", "rows", "said"),
    [
        (1, 1, "1 of 1 row of the sales file in the window is not valid, 100.00% where"),
        (1, 4, "1 of 4 rows of the sales file in the window is not valid, 25.00% where"),
        (2, 4, "2 of 4 rows of the sales file in the window are not valid, 50.00% where"),
    ],
)
def test_rows_that_are_not_valid_are_counted_and_the_others_kept(
    tmp_path: Path, rejected: int, rows: int, said: str
) -> None:
    found = sold(tmp_path, rejected, rows)
    assert found.check.sentence.startswith(said)
    assert found.check.outcome(0.01) == "changed"
    assert found.rows is not None
    assert (found.rejected, len(found.rows)) == (rejected, rows - rejected)
