"""The error before the prices are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from monitoring.estimated_error import EstimatedError, estimated_error
from monitoring.sample import Sample

NAMES = ["size", "kind"]


def sample(count: int, seed: int, share_of_hard: float = 0.5, level: float = 1.0) -> Sample:
    """Houses of which the hard ones are judged three times as badly, with intervals that say so."""
    random = np.random.default_rng(seed)
    hard = random.random(count) < share_of_hard
    actual = random.uniform(1e5, 5e5, count)
    spread = np.where(hard, 0.3, 0.1)
    predicted = actual * np.exp(random.normal(0, spread))
    rows = pd.DataFrame({"size": random.uniform(30, 200, count), "kind": np.where(hard, "hard", "easy")})
    half = predicted * spread * 1.6
    return Sample(rows, actual * level, predicted, predicted - half, predicted + half)


def estimated(now: Sample, priced: Sample | None = None) -> EstimatedError:
    found = estimated_error(sample(2000, 1), now.rows[NAMES], now.predicted, now.upper - now.lower, priced)
    assert found is not None
    return found


def mape(now: Sample) -> float:
    return float(now.errors.mean())


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_other_houses_are_estimated_as_they_turn_out(share: float) -> None:
    now = sample(2000, 2, share)
    found = estimated(now)
    assert found.mape == pytest.approx(mape(now), rel=0.1)
    assert found.by_width == pytest.approx(mape(now), rel=0.1)
    assert found.interval[0] < found.mape < found.interval[1]
    assert (found.rows, found.actual, found.matured) == (2000, None, 0)


def test_a_market_that_moved_is_not_seen_and_the_actual_error_stands_beside() -> None:
    now = sample(2000, 2, 0.1, level=1.3)
    found = estimated(now, now)
    assert found.actual == mape(now)
    assert found.matured == 2000
    assert found.mape < found.actual / 1.5


def test_too_few_rows_are_not_estimated_and_rows_without_intervals_not_by_their_width() -> None:
    now, reference = sample(99, 2), sample(2000, 1)
    assert estimated_error(reference, now.rows[NAMES], now.predicted, now.upper - now.lower, None) is None
    now = sample(100, 2)
    found = estimated_error(reference, now.rows[NAMES], now.predicted, np.full(100, np.nan), None)
    assert found is not None
    assert found.by_width is None


def test_the_same_rows_have_the_same_estimate() -> None:
    assert estimated(sample(300, 5)) == estimated(sample(300, 5))
