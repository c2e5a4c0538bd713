"""The spread of a metric is near what theory says, and the same every time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluation.bootstrap import (
    FEWEST_RESAMPLES,
    RESAMPLES,
    confidence_interval,
    metric_draws,
    resampled_sums,
    resamples,
    standard_deviation,
)
from steps.metrics import regression_metrics

ROOT = Path(__file__).parents[2]


def test_spread_of_the_mean_absolute_error_is_that_of_a_mean() -> None:
    random = np.random.default_rng(0)
    actual = random.uniform(100, 200, 2000)
    error = random.normal(0, 10, 2000)
    draws = metric_draws(actual, {"xgboost": actual + error})["xgboost"]["mae"]
    expected = np.std(np.abs(error)) / np.sqrt(2000)
    assert standard_deviation(draws) == pytest.approx(expected, rel=0.1)
    low, high = confidence_interval(draws)
    assert low < np.mean(np.abs(error)) < high
    assert high - low == pytest.approx(2 * 1.96 * expected, rel=0.15)


def test_each_draw_is_the_metric_of_the_resampled_rows() -> None:
    random = np.random.default_rng(1)
    actual, predicted = random.uniform(1e6, 2e6, 60), random.uniform(1e6, 2e6, 60)
    actual[:5] = 0
    draws = metric_draws(actual, {"model": predicted})["model"]
    for index, counts in zip(range(3), resamples(60), strict=False):
        rows = np.repeat(np.arange(60), counts)
        measured = regression_metrics(actual[rows], predicted[rows])
        assert {name: draws[name][index] for name in draws} == pytest.approx(measured)


def test_same_rows_give_the_same_digits_and_models_share_their_resamples() -> None:
    actual = np.linspace(1, 2, 50)
    predictions = {"xgboost": actual * 1.1, "linear": actual * 1.2}
    first, second = (metric_draws(actual, predictions) for _ in range(2))
    assert np.array_equal(first["xgboost"]["rmse"], second["xgboost"]["rmse"])
    # The errors are proportional on every resample, so their ratio does not vary at all.
    assert first["xgboost"]["rmse"] / first["linear"]["rmse"] == pytest.approx(0.5)


@pytest.mark.e2e
def test_many_rows_are_resampled_less_often() -> None:
    assert sum(1 for _ in resamples(10)) == RESAMPLES
    assert sum(1 for _ in resamples(600_000)) == FEWEST_RESAMPLES


def test_many_rows_are_drawn_batch_by_batch_with_the_same_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poisson's counts know nothing of the other batches, and say the same of the mean as drawing with replacement."""
    random = np.random.default_rng(0)
    actual = random.uniform(100, 200, 4000)
    predicted = {"model": actual + random.normal(0, 10, 4000)}
    whole = metric_draws(actual, predicted)["model"]
    monkeypatch.setattr("steps.batches.ROWS", 1000)

    def of_batch(batch: slice) -> Callable[[np.ndarray], np.ndarray]:
        assert batch.stop - batch.start == 1000
        return lambda counts: counts.sum(axis=1)

    sizes = resampled_sums(len(actual), of_batch)
    assert len(set(sizes)) > 100
    assert np.std(sizes) == pytest.approx(np.sqrt(4000), rel=0.1)
    batched = metric_draws(actual, predicted)["model"]
    assert len(batched["mae"]) == RESAMPLES
    for name in ("mae", "rmse", "r2", "mape"):
        assert np.mean(batched[name]) == pytest.approx(np.mean(whole[name]), rel=0.01), name
        assert standard_deviation(batched[name]) == pytest.approx(standard_deviation(whole[name]), rel=0.15), name
    again = metric_draws(actual, predicted)["model"]
    np.testing.assert_array_equal(again["rmse"], batched["rmse"])


@pytest.mark.e2e
def test_the_digits_of_many_rows_do_not_depend_on_the_cores() -> None:
    code = """
import numpy as np
from evaluation.bootstrap import metric_draws
random = np.random.default_rng(0)
actual = random.uniform(100, 200, 150_000)
models = {name: actual + random.normal(0, 10, len(actual)) for name in "abc"}
print([values.tolist() for found in metric_draws(actual, models).values() for values in found.values()])
"""
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(said) == 1
