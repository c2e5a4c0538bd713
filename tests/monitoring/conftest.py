"""A small model, its test rows as a reference, and new rows of the same town."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evaluation import bootstrap
from evaluation.reference import KEYS, ROWS, monitored
from monitoring import input_drift
from monitoring.sales import scored
from monitoring.sample import Sample
from monitoring.seen_before import code_of
from monitoring.truth import Prices
from monitoring.window import FILE, Window
from steps import features as feature_module
from steps import fitting
from steps.evaluation_settings import EvaluationSettings, MapSettings, Segment
from steps.hyperparameters import HYPERPARAMETERS
from steps.identity import identity
from steps.model import Model, save
from steps.settings import Column, DataSettings, JobSettings, MonitoringSettings, SplitSettings
from steps.split import row_keys
from steps.train import fit

DATA = DataSettings(
    file="x.csv",
    target="price",
    identity=("key", "sold"),
    date="sold",
    columns={
        "key": Column(type="text", feature=False),
        "sold": Column(type="date"),
        "owner": Column(type="text", feature=False),
        "price": Column(type="number", unit="EUR", range=(1000, 10_000_000)),
        "size": Column(type="number", range=(1, 1000)),
        "quarter": Column(type="category"),
        "x": Column(type="number"),
    },
    derived={"year_sold": "year(sold)"},
)
SETTINGS = JobSettings(
    data=DATA,
    split=SplitSettings(),
    evaluation=EvaluationSettings(
        segments={"quarter": Segment()}, map=MapSettings(latitude="x", longitude="size", group="quarter")
    ),
    monitoring=MonitoringSettings(),
)


def houses(count: int, seed: int, since: str = "2025-01-01", days: int = 360) -> pd.DataFrame:
    """Sales at prices that follow from size and quarter, with 12 % of chance."""
    random = np.random.default_rng(seed)
    size, quarter = random.uniform(30, 200, count), random.choice(list("abcde"), count)
    price = 3000 * size * (1 + 0.1 * (quarter == "a")) * np.exp(random.normal(0, 0.12, count))
    sold = pd.Timestamp(since) + pd.to_timedelta(random.integers(days, size=count), unit="D")
    return pd.DataFrame(
        {
            "key": [f"{seed}-{number}" for number in range(count)],
            "sold": sold,
            "owner": "Ada Lovelace",
            "price": price,
            "size": size,
            "quarter": quarter,
            "x": random.normal(0, 1, count),
        }
    )


def known_prices(prices: Mapping[str, float]) -> Prices:
    """As they are after they were read."""
    pairs = sorted((code_of(key), price) for key, price in prices.items())
    return Prices(np.array([code for code, _ in pairs], dtype=np.uint64), np.array([price for _, price in pairs]))


def moment(text: str) -> datetime:
    """A time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def window(**fields: Any) -> Window:
    """June 2026, judged for version 3."""
    given = {
        "stage": "production",
        "endpoint": "town-production",
        "since": moment("2026-06-01"),
        "until": moment("2026-07-01"),
        "live": 3,
        "captured_since": moment("2026-01-01"),
        "sampling": 100,
    }
    return Window(**{**given, **fields})


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals of a hundred resamples are as good here, and ten times as fast."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", 100)
    monkeypatch.setattr(input_drift, "FEWEST_DRAWS", 399)


@pytest.fixture(scope="session")
def train() -> pd.DataFrame:
    return houses(600, seed=1)


@pytest.fixture(scope="session")
def model(train: pd.DataFrame) -> Model:
    fitted = fitting.fit(train[:500], DATA)
    parts = [feature_module.transform(part, fitted).assign(price=part["price"]) for part in (train[:500], train[500:])]
    hyperparameters = {name: each.default for name, each in HYPERPARAMETERS.items()}
    return fit(parts[0], parts[1], fitted, {**hyperparameters, "start": "line", "rounds": 30, "learning_rate": 0.2})[0]


@pytest.fixture(scope="session")
def reference(model: Model) -> Sample:
    return scored(houses(1500, seed=2), model)


@pytest.fixture(scope="session")
def version(model: Model, train: pd.DataFrame, reference: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with model/model.tar.gz and the reference beside it, as a registered version has them."""
    folder = tmp_path_factory.mktemp("version")
    save(model, folder / "files")
    (folder / "model").mkdir()
    with tarfile.open(folder / "model" / "model.tar.gz", "w:gz") as tar:
        for path in sorted((folder / "files").iterdir()):
            tar.add(path, arcname=path.name)
    kept = folder / "reference" / "reference"
    kept.mkdir(parents=True)
    answers = {"prediction": reference.predicted, "lower": reference.lower, "upper": reference.upper}
    monitored(reference.rows, DATA).assign(**answers).to_parquet(kept / ROWS, index=False)
    pd.DataFrame({"key": row_keys(train, DATA)}).to_parquet(kept / KEYS, index=False)
    return folder


@pytest.fixture(scope="session")
def model_identity(version: Path) -> str:
    return identity(version / "files")


def write_window(folder: Path, **fields: Any) -> Path:
    """The folder that CollectWindow's manifest downloads to."""
    document = {
        "stage": "production",
        "endpoint": "town-production",
        "since": "2026-06-01T00:00:00+00:00",
        "until": "2026-07-01T00:00:00+00:00",
        "live": 3,
        "captured_since": "2026-01-01T00:00:00+00:00",
        "versions": {},
        "sampling": 100,
        "changed": None,
        "captured": "capture",
        "truth": "truth",
        "others": {},
        "notes": [],
        **fields,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(document))
    return folder


def event(
    request: str,
    answer: str,
    when: str = "2026-06-15T08:00:00Z",
    event_id: str = "1",
    inference_id: str | None = None,
    encoding: str = "JSON",
) -> str:
    """A line of a capture file."""
    metadata = {"eventId": event_id, "inferenceTime": when}
    if inference_id is not None:
        metadata["inferenceId"] = inference_id
    sides = {
        "endpointInput": {"mode": "INPUT", "data": request, "encoding": encoding},
        "endpointOutput": {"mode": "OUTPUT", "data": answer, "encoding": encoding},
    }
    return json.dumps({"captureData": sides, "eventMetadata": metadata, "eventVersion": "0"}) + "\n"
