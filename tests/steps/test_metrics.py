"""Metrics are what their formulas say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from steps.metrics import NAMES, regression_metrics


def test_values() -> None:
    metrics = regression_metrics(np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 2.0]))
    assert tuple(metrics) == NAMES
    assert metrics["mae"] == pytest.approx(1)
    assert metrics["mse"] == pytest.approx(5 / 3)
    assert metrics["rmse"] == pytest.approx(math.sqrt(5 / 3))
    assert metrics["r2"] == pytest.approx(1 - 5 / (14 / 3))
    assert metrics["mape"] == pytest.approx(0.5)


def test_undefined_is_nan_and_zeros_are_left_out_of_mape() -> None:
    assert math.isnan(regression_metrics(np.array([2.0, 2.0]), np.array([1.0, 2.0]))["r2"])
    assert math.isnan(regression_metrics(np.zeros(2), np.ones(2))["mape"])
    assert regression_metrics(np.array([0.0, 2.0]), np.array([9.0, 1.0]))["mape"] == pytest.approx(0.5)
