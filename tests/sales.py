"""Some of the sales, for runs where any model will do: half the time of a run on all of them."""

from pathlib import Path

import pandas as pd

DATA = Path(__file__).parents[1] / "data" / "house_prices.parquet"
ROWS = 8000


def some_sales(folder: Path) -> Path:
    """A file with the name of the whole one; the rows are drawn evenly, and are always the same."""
    path = folder / DATA.name
    pd.read_parquet(DATA).sample(ROWS, random_state=0).sort_index().to_parquet(path, index=False)
    return path
