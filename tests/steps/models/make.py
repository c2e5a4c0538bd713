"""Make a model archive with the code of a commit: every column type, function and learned feature is in it.

In a checkout of that commit: python /path/to/make.py ARCHIVE. A fixture stays as it is: it stands for the models that
are in registries, which no later code can make again.
"""

from __future__ import annotations

import json
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

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
            "built": {"type": "date", "optional": True},
            "rent": {"type": "number", "unit": "EUR", "range": [1, 100000]},
            "area": {"type": "number", "unit": "m2", "range": [5, 1000]},
            "balcony": {"type": "number", "unit": "m2", "optional": True},
            "rooms": {"type": "integer", "optional": True},
            "floor": {"type": "integer"},
            "lift": {"type": "boolean"},
            "pets": {"type": "boolean", "optional": True},
            "district": {"type": "category"},
            "energy": {"type": "category", "optional": True, "width": 3},
            "note": {"type": "text", "optional": True},
        },
        "derived": {
            "area_per_room": "area / rooms",
            "month": "month(signed)",
            "weekday": "weekday(signed) + day(signed) / 100",
            "age": "year(signed) - year(built)",
            "days": "days(signed) - days('2024-01-01')",
            "high": "floor > 2 and (lift or not pets) and 1 < rooms <= 4",
            "quiet": "note == 'quiet'",
            "not_old_town": "district != 'old town'",
            "logs": "log(area) + log1p(balcony) - sqrt(rooms - 2)",
            "waves": "sin(area) * cos(area) + exp(-rooms / 3)",
            "rest": "area % 7 + area // 7 - abs(rooms - 3) ** 1.5",
            "bounds": "min(area, 90) + max(rooms, floor, 2) + floor(area / 10)",
            "known": "where(is_missing(balcony), -1, balcony * 2)",
            "far": "km(area / 10, rooms, 47.61, -122.335)",
            "again": "area_per_room * 2 + month",
            "always": "3 * 7",
        },
        "learned": {
            "level_of_district": {"kind": "target_encoding", "of": ["district"], "value": "log(rent / area)"},
            "level_of_both": {"kind": "target_encoding", "of": ["district", "energy"], "smoothing": 2.5},
            "rent_of_similar": {"kind": "neighbours", "of": ["area", "month"], "scale": [1, 5], "count": 5},
        },
    },
    "split": "hash",
}
ROWS = 900


def rents() -> pd.DataFrame:
    """Raw rows, typed as `steps.raw_data` types them."""
    random = np.random.default_rng(7)

    def with_gaps(values: np.ndarray, gap: Any) -> np.ndarray:
        return np.where(random.random(ROWS) < 0.1, gap, values)

    area = random.uniform(20, 150, ROWS).round(1)
    district = random.choice(["north", "south", "old town"], ROWS)
    factor = np.select([district == "north", district == "south"], [9.0, 11.0], 16.0)
    signed = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 360, ROWS), unit="D")
    built = pd.Series(pd.Timestamp("1900-06-15") + pd.to_timedelta(random.integers(0, 45000, ROWS), unit="D"))
    return pd.DataFrame(
        {
            "flat": [f"{number:04d}" for number in range(ROWS)],
            "signed": signed,
            "built": built.mask(random.random(ROWS) < 0.1),
            "rent": (area * factor * random.lognormal(0, 0.05, ROWS)).round(2),
            "area": area,
            "balcony": with_gaps(random.uniform(0, 20, ROWS).round(1), np.nan),
            "rooms": with_gaps(np.maximum(1, (area / 25).astype(int)).astype(float), np.nan),
            "floor": random.integers(-1, 8, ROWS),
            "lift": random.choice([0.0, 1.0], ROWS),
            "pets": with_gaps(random.choice([0.0, 1.0], ROWS), np.nan),
            "district": district.astype(object),
            "energy": with_gaps(random.choice(["00a", "00b", "012"], ROWS).astype(object), None),
            "note": with_gaps(random.choice(["quiet", "loud"], ROWS).astype(object), None),
        }
    )


def main(archive: Path) -> None:
    """Preprocess, train and pack."""
    sys.path.insert(0, str(Path.cwd()))
    from steps.preprocess import preprocess
    from steps.settings import JobSettings
    from steps.train import main as train

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "validated").mkdir()
        rents().to_parquet(folder / "validated" / "data.parquet", index=False)
        preprocess(folder / "validated", folder, JobSettings.from_json(json.loads(json.dumps(DOCUMENT))))
        channels = [word for part in ("train", "validation", "features") for word in (f"--{part}", str(folder / part))]
        train([*channels, "--model_dir", str(folder / "model"), "--rounds", "40", "--max_depth", "3"])
        with tarfile.open(archive, "w:gz") as packed:
            for path in sorted((folder / "model").rglob("*")):
                packed.add(path, path.relative_to(folder / "model"), recursive=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
