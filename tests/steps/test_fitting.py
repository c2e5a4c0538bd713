"""What is learned from the training rows depends on nothing but these rows."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from steps.data_settings import DataSettings
from steps.features import Features
from steps.fitting import learn
from steps.hosts import ALONE, Hosts
from steps.settings import JobSettings
from tests.steps.conftest import DOCUMENT

DATA: DataSettings = JobSettings.from_json(DOCUMENT).data
ROWS = 120


@dataclass(frozen=True)
class InThreads(Hosts):
    """Hosts that are threads of this process; what one tells another is pickled, as on its way through a socket."""

    exchange: Callable[[int, Any], list[Any]] = lambda _, told: [told]

    def gathered(self, values: np.ndarray) -> np.ndarray:
        return np.concatenate(self.exchange(self.number, values))

    def shared(self, thing: Any) -> Any:
        return self.exchange(self.number, thing)[0]

    def told(self, document: Any) -> list[Any]:
        return self.exchange(self.number, document)


def on_hosts(count: int, work: Callable[[Hosts], Any]) -> list[Any]:
    """What each of so many hosts gives."""
    barrier, told = Barrier(count, timeout=30), [b""] * count
    names = tuple(f"algo-{number + 1}" for number in range(count))

    def exchange(number: int, thing: Any) -> list[Any]:
        told[number] = pickle.dumps(thing)
        barrier.wait()
        found = [pickle.loads(each) for each in told]
        barrier.wait()
        return found

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, [InThreads(names, name, exchange) for name in names]))


def rents(seed: int) -> pd.DataFrame:
    """Typed rows; two of three flats are there more than once."""
    random = np.random.default_rng(seed)
    flats = random.integers(0, ROWS // 2, ROWS)
    area = random.uniform(20, 150, ROWS)
    rooms = np.where(random.random(ROWS) < 0.2, np.nan, 1 + area // 30)
    return pd.DataFrame(
        {
            "flat": [f"{flat:04d}" for flat in flats],
            "signed": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 360, ROWS), unit="D"),
            "rent": area * random.lognormal(2, 0.3, ROWS),
            "area": area,
            "rooms": rooms,
            "lift": random.random(ROWS) < 0.5,
            "district": random.choice(["north", "south", "old town", None], ROWS),
        }
    )


def as_sets(features: Features) -> dict[str, Any]:
    """The features as JSON; the places of neighbours, which are in the order of the rows, sorted."""
    document = features.to_json()
    near = document["learned"]["rent_of_similar"]
    near["points"] = sorted(zip(*near["points"], near.pop("values"), strict=True))
    return document


@pytest.mark.e2e
@given(
    seed=st.integers(0, 2**32 - 1),
    hosts=st.integers(1, 5),
    batch=st.sampled_from([1, 7, 50, 1 << 18]),
    most=st.sampled_from([20, 60, ROWS]),
)
@hypothesis_settings(max_examples=8, deadline=None, derandomize=True)
def test_no_number_of_hosts_no_order_and_no_size_of_batches_changes_what_is_learned(
    seed: int, hosts: int, batch: int, most: int
) -> None:
    """Neither the features nor the training rows' own numbers, to the last bit."""
    rows = rents(seed)
    order = np.random.default_rng(seed).permutation(ROWS)
    turned = rows.iloc[order].reset_index(drop=True)
    with patch("steps.fitting.MOST_ROWS", most):
        expected, own = learn(rows, DATA, ALONE)
        with patch("steps.batches.ROWS", batch):
            found = on_hosts(hosts, lambda host: learn(turned, DATA, host))
    assert len(found) == hosts
    for features, numbers in found:
        assert as_sets(features) == as_sets(expected)
        for name, values in own.items():
            np.testing.assert_array_equal(numbers[name], values[order])
