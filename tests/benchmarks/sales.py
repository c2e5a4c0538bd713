"""Realistic sales in any number: `python tests/benchmarks/sales.py FOLDER ROWS` writes them as Parquet parts.

Each row is a sale of the default data whose size, place and price chance has moved, in a few zip codes far more often
than in the others. A part depends on its number alone, so 1,000,000 rows begin with the 100,000.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

SOURCE = Path(__file__).resolve().parents[2] / "data" / "house_prices.parquet"
ROWS_OF_A_PART = 100_000
SKEW = 0.8  # the zip code at rank r is drawn r ** -SKEW times as often as the first
IDS, STEP = 10**10, 2_654_435_761  # without a common factor: no id comes twice


def write(folder: Path, rows: int, rows_of_a_part: int = ROWS_OF_A_PART) -> Path:
    """Write part-00000.parquet, ... with that many rows in all; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    source = pd.read_parquet(SOURCE)
    chances = _chances(source["zipcode"])
    for number, first in enumerate(range(0, rows, rows_of_a_part)):
        table = _part(source, chances, number, first, min(rows_of_a_part, rows - first))
        table.to_parquet(folder / f"part-{number:05d}.parquet", index=False)
    return folder


def _chances(zip_codes: pd.Series) -> np.ndarray:
    """How likely each sale is to be drawn."""
    ranks = zip_codes.map({code: rank for rank, code in enumerate(zip_codes.value_counts().index, start=1)})
    weights = ranks.to_numpy(dtype=float) ** -SKEW
    return np.asarray(weights / weights.sum())


def _part(source: pd.DataFrame, chances: np.ndarray, number: int, first: int, rows: int) -> pd.DataFrame:
    random = np.random.default_rng(number)
    table = source.iloc[random.choice(len(source), rows, p=chances)].reset_index(drop=True)
    larger = random.lognormal(0, 0.08, rows)
    for name in ("sqft_above", "sqft_basement", "sqft_lot", "sqft_living15", "sqft_lot15"):
        table[name] = np.maximum(table[name] > 0, (table[name] * larger).round()).astype("int64")
    table["sqft_living"] = table["sqft_above"] + table["sqft_basement"]
    table["price"] = (table["price"] * larger**0.8 * random.lognormal(0, 0.1, rows)).round().astype("int64")
    table["lat"] += random.normal(0, 0.002, rows).round(4)
    table["long"] += random.normal(0, 0.003, rows).round(3)
    table["id"] = np.arange(first, first + rows, dtype=np.int64) * STEP % IDS
    return table


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2].replace("_", "").replace(",", "")))
