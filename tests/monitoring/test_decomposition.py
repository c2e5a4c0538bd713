from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evaluation.segments import Grouping
from monitoring.decomposition import decompose
from monitoring.sample import Sample


def sample(errors: np.ndarray) -> Sample:
    """Rows with these relative errors, above the price."""
    actual = np.full(len(errors), 100_000.0)
    nothing = np.full(len(errors), np.nan)
    return Sample(pd.DataFrame(index=range(len(errors))), actual, actual * (1 + errors), nothing, nothing)


def noise(rows: int, seed: int, spread: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, spread, rows)


def test_a_level_that_moved_is_what_correcting_it_takes_off() -> None:
    found = decompose(sample(noise(2000, 1)), sample((1 + noise(400, 2)) * 0.8 - 1), None)
    assert found.market == pytest.approx(0.12, abs=0.02)
    assert found.market_interval[0] < found.market < found.market_interval[1]
    assert abs(found.model) < 0.02
    assert found.model_interval[0] < 0 < found.model_interval[1]


def test_a_wider_error_is_what_a_retrain_could_take_off_at_most() -> None:
    found = decompose(sample(noise(2000, 1)), sample(noise(400, 2, 0.2)), None)
    assert found.model == pytest.approx(0.08, abs=0.015)
    assert 0.06 < found.model_interval[0] < found.model < found.model_interval[1] < 0.1
    assert "a retrain could take off at most" in found.sentence
    better = decompose(sample(noise(2000, 1)), sample(noise(400, 2, 0.05)), None)
    assert better.model < 0
    assert "a retrain promises no more than that" in better.sentence


def test_places_that_are_sold_more_often_are_the_mix() -> None:
    before = np.concatenate([noise(1000, 1, 0.05), noise(1000, 2, 0.2)])
    now = np.concatenate([noise(100, 3, 0.05), noise(300, 4, 0.2)])
    codes = np.concatenate([np.repeat([0, 1], 1000), np.repeat([0, 1], [100, 300])])
    places = Grouping("place", ("quiet", "wild"), codes)
    found = decompose(sample(before), sample(now), places)
    wild, quiet = (float(np.abs(each).mean()) for each in (before[1000:], before[:1000]))
    assert found.before + found.mix == pytest.approx(0.25 * quiet + 0.75 * wild)
    assert found.model_interval[0] < 0 < found.model_interval[1]
