"""A small data set that is not about houses: rents, with missing values, a category and a date."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from steps.settings import JobSettings

DOCUMENT: dict[str, Any] = {
    "data": {
        "file": "rents.csv",
        "target": "rent",
        "identity": ["flat", "signed"],
        "group": ["flat"],
        "date": "signed",
        "columns": {
            "flat": {"type": "text", "width": 4, "feature": False},
            "signed": {"type": "date"},
            "rent": {"type": "number", "unit": "EUR", "range": [1, 100000]},
            "area": {"type": "number", "unit": "m2", "range": [5, 1000]},
            "rooms": {"type": "integer", "optional": True},
            "lift": {"type": "boolean"},
            "district": {"type": "category"},
        },
        "derived": {"area_per_room": "area / rooms", "month": "month(signed)"},
        "learned": {
            "level_of_district": {"kind": "target_encoding", "of": ["district"], "value": "log(rent / area)"},
            "rent_of_similar": {"kind": "neighbours", "of": ["area", "month"], "scale": [1, 5], "count": 5},
        },
    },
    "validation": {
        "max_rejected_share": 0.2,
        "rows": [
            {
                "expectation": "expect_compound_columns_to_be_unique",
                "arguments": {"column_list": ["flat", "signed"]},
                "reason": "the contract is in the file more than once",
            }
        ],
        "table": [
            {
                "expectation": "expect_table_row_count_to_be_between",
                "arguments": {"min_value": 50},
                "reason": "there must be at least 50 rows",
            }
        ],
    },
    "split": "hash",
}


@pytest.fixture
def document() -> dict[str, Any]:
    """The settings as they come from a YAML file; a test may change its copy."""
    return copy.deepcopy(DOCUMENT)


@pytest.fixture
def settings(document: dict[str, Any]) -> JobSettings:
    return JobSettings.from_json(document)


@pytest.fixture
def settings_file(settings: JobSettings, tmp_path: Path) -> Path:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(settings.to_json()), encoding="utf-8")
    return path


@pytest.fixture
def rents() -> pd.DataFrame:
    """600 raw rows as a CSV file holds them once typed by pandas."""
    random = np.random.default_rng(7)
    count = 600
    area = random.uniform(20, 150, count).round(1)
    district = random.choice(["north", "south", "old town"], count)
    factor = pd.Series(district).map({"north": 9.0, "south": 11.0, "old town": 16.0}).to_numpy()
    rooms = np.maximum(1, (area / 25).astype(int)).astype(float)
    rooms[random.random(count) < 0.05] = np.nan
    return pd.DataFrame(
        {
            "flat": [f"{number:04d}" for number in range(count)],
            "signed": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 360, count), unit="D"),
            "rent": (area * factor * random.lognormal(0, 0.05, count)).round(2),
            "area": area,
            "rooms": rooms,
            "lift": random.random(count) < 0.5,
            "district": district,
        }
    )


@pytest.fixture
def rents_folder(rents: pd.DataFrame, tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    rents.to_csv(folder / "rents.csv", index=False)
    return folder


@pytest.fixture
def typed_rents(rents: pd.DataFrame, settings: JobSettings) -> pd.DataFrame:
    from steps.raw_data import typed

    return typed(rents, settings.data.columns, "rents.csv")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """What is made once of the same settings, and copied for each test; by what it is called and is made of."""
    folders: dict[str, Path] = {}

    def folder(key: str, make: Callable[[Path], None]) -> Path:
        if key not in folders:
            new = tmp_path_factory.mktemp("made")
            make(new)
            folders[key] = new
        return folders[key]

    return folder


@pytest.fixture
def preprocessed(rents: pd.DataFrame, settings: JobSettings, tmp_path: Path, made: Any) -> Path:
    """The output folder of steps.preprocess."""
    from steps.preprocess import preprocess
    from steps.raw_data import typed

    def make(folder: Path) -> None:
        (folder / "validated").mkdir()
        rows = typed(rents, settings.data.columns, "rents.csv")
        rows.to_parquet(folder / "validated" / "data.parquet", index=False)
        preprocess(folder / "validated", folder / "preprocessed", settings)

    done = made(f"preprocessed {json.dumps(settings.to_json())}", make)
    return Path(shutil.copytree(done / "preprocessed", tmp_path / "preprocessed"))


@pytest.fixture
def model_folder(preprocessed: Path, settings: JobSettings, tmp_path: Path, made: Any) -> Path:
    """The model directory of a short training."""
    from steps.train import main

    def make(folder: Path) -> None:
        main([*channels(preprocessed), "--model_dir", str(folder / "model"), "--rounds", "30", "--max_depth", "3"])

    return Path(shutil.copytree(made(f"model {json.dumps(settings.to_json())}", make) / "model", tmp_path / "model"))


def channels(preprocessed: Path) -> list[str]:
    """The arguments that name the channels of steps.train."""
    return [text for name in ("train", "validation", "features") for text in (f"--{name}", str(preprocessed / name))]


def damage(path: Path) -> None:
    """Write over the first page of a Parquet file, whose footer still says what it should hold."""
    content = bytearray(path.read_bytes())
    content[4:36] = b"\xff" * 32
    path.write_bytes(content)
