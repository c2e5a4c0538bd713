"""What the lessons of the break-it track break: data that are wrong in one way, and settings that ask for proof."""

from pathlib import Path

import pandas as pd

from lessons.errors import LessonError

MOVED, RISE = "2015-03-01", 0.08
CANARY = """  staging:
    instance_type: ml.m5.large
    instance_count: 2
    deployment:
      strategy: canary
      size_instances: 1
      wait_seconds: 60
      min_requests: 20
      alarms: {ALARMS}
"""
ALARMS = "max_error_rate: 0.01, period_seconds: 60"
IMPATIENT = f"{ALARMS}, max_latency_ms: 0.1"  # less than any answer takes
COLUMN = "    sqft_living: {"  # the new column goes before it


def corrupt(houses: Path, folder: Path) -> list[Path]:
    """One price in twenty is in thousands of dollars."""
    table = _read(houses)
    thousands = table["price"] / 1000
    return [
        _write(table.assign(price=table["price"].where(table.index % 20 != 0, thousands)), folder / "corrupt.parquet")
    ]


def leaky(houses: Path, folder: Path) -> list[Path]:
    """A column that is computed from the price, and settings that have it as a feature."""
    table = _read(houses)
    data = _write(table.assign(price_per_sqft=table["price"] / table["sqft_living"]), folder / "leaky.parquet")
    source = Path("my_houses.yaml")
    if not source.exists():
        raise LessonError("There is no my_houses.yaml: lesson 1 makes it.")
    text = source.read_text(encoding="utf-8")
    if text.count(f"\n{COLUMN}") != 1:
        raise LessonError("my_houses.yaml has no column sqft_living in a line of its own: make it as in lesson 1.")
    text = text.replace(f"\n{COLUMN}", f"\n    price_per_sqft: {{type: number}}\n{COLUMN}")
    settings = folder / "leaky.yaml"
    settings.write_text(text.replace("\nname: my-houses", "\nname: leaky-houses"), encoding="utf-8")
    return [data, settings]


def dearer(houses: Path, folder: Path) -> list[Path]:
    """Every house that was sold since MOVED costs more, and is otherwise the same."""
    table = _read(houses)
    sold = pd.to_datetime(table["date"]) >= pd.Timestamp(MOVED)
    dearer = (table["price"] * (1 + RISE)).round().astype(table["price"].dtype)
    return [_write(table.assign(price=table["price"].where(~sold, dearer)), folder / "dearer.parquet")]


def canary(_: Path, folder: Path) -> list[Path]:
    """Settings whose stage staging begins with a canary, which needs requests."""
    return [_staging_with(ALARMS, folder / "canary.yaml")]


def slow(_: Path, folder: Path) -> list[Path]:
    """The same, with an alarm on a latency that no answer keeps."""
    return [_staging_with(IMPATIENT, folder / "slow-canary.yaml")]


def _staging_with(alarms: str, settings: Path) -> Path:
    source = Path("pipelines/house_prices.yaml")
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if line.startswith("  staging: {")]
    if len(places) != 1:
        raise LessonError(f"{source} has no stage staging in a line of its own: take the file as it was.")
    lines[places[0]] = CANARY.replace("ALARMS", alarms)
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("".join(lines), encoding="utf-8")
    return settings


BREAKS = {"data": corrupt, "leak": leaky, "drift": dearer, "canary": canary, "slow": slow}


def _read(houses: Path) -> pd.DataFrame:
    if not houses.exists():
        raise LessonError(f"There is no {houses}: `make data` fetches it.")
    return pd.read_parquet(houses)


def _write(table: pd.DataFrame, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path, index=False)
    return path
