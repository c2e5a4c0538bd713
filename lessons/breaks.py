"""What the lessons of the break-it track break: data that are wrong in one way."""

from pathlib import Path

import pandas as pd

from lessons.errors import LessonError

MOVED, RISE = "2015-03-01", 0.08
COLUMN = "    sqft_living: "  # the new column goes before it


def corrupt(houses: Path, folder: Path) -> list[Path]:
    """One price in twenty is in thousands of dollars."""
    table = _read(houses)
    table.loc[table.index % 20 == 0, "price"] = table["price"] / 1000
    return [_write(table, folder / "corrupt.parquet")]


def leaky(houses: Path, folder: Path) -> list[Path]:
    """A column that is computed from the price, and settings that have it as a feature."""
    table = _read(houses)
    data = _write(table.assign(price_per_sqft=table["price"] / table["sqft_living"]), folder / "leaky.parquet")
    source = Path("my_houses.yaml")
    if not source.exists():
        raise LessonError("There is no my_houses.yaml: lesson 1 makes it.")
    text = source.read_text(encoding="utf-8")
    if text.count(f"\n{COLUMN}") != 1:
        raise LessonError("my_houses.yaml has no column sqft_living in a line of its own: make it anew by lesson 1.")
    text = text.replace(f"\n{COLUMN}", f"\n    price_per_sqft: {{type: number}}\n{COLUMN}")
    settings = folder / "leaky.yaml"
    settings.write_text(text.replace("\nname: my-houses", "\nname: leaky-houses"), encoding="utf-8")
    return [data, settings]


def dearer(houses: Path, folder: Path) -> list[Path]:
    """Every house that was sold since MOVED costs more, and is otherwise the same."""
    table = _read(houses)
    sold = pd.to_datetime(table["date"]) >= pd.Timestamp(MOVED)
    table.loc[sold, "price"] = table["price"] * (1 + RISE)
    return [_write(table, folder / "dearer.parquet")]


BREAKS = {"data": corrupt, "leak": leaky, "drift": dearer}


def _read(houses: Path) -> pd.DataFrame:
    if not houses.exists():
        raise LessonError(f"There is no {houses}: `make data` fetches it.")
    return pd.read_parquet(houses)


def _write(table: pd.DataFrame, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path, index=False)
    return path
