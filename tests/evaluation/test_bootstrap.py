"""The spread of a metric is near what theory says, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.bootstrap import standard_deviations


def test_spread_of_the_mean_absolute_error_is_that_of_a_mean() -> None:
    random = np.random.default_rng(0)
    actual = random.uniform(100, 200, 2000)
    error = random.normal(0, 10, 2000)
    spread = standard_deviations(actual, {"xgboost": actual + error})["xgboost"]["mae"]
    assert spread == pytest.approx(np.std(np.abs(error)) / np.sqrt(2000), rel=0.2)


def test_same_rows_give_the_same_digits_and_candidates_share_their_resamples() -> None:
    actual = np.linspace(1, 2, 50)
    predictions = {"xgboost": actual * 1.1, "linear": actual * 1.2}
    first, second = (standard_deviations(actual, predictions) for _ in range(2))
    assert first == second
    # The errors are proportional on every resample, so their ratio does not vary at all.
    assert first["comparison"]["rmse_ratio"] == pytest.approx(0, abs=1e-12)
