"""Sums over rows say all that least squares needs: what they say is what the rows themselves do."""

from __future__ import annotations

import numpy as np
import pytest

from steps.hosts import ALONE
from steps.least_squares import Sums

ROWS = 600


@pytest.fixture
def matrix() -> np.ndarray:
    return np.random.default_rng(5).normal([3, -1, 0], [1, 4, 0.1], size=(ROWS, 3))


@pytest.fixture
def target(matrix: np.ndarray) -> np.ndarray:
    return 7 + matrix @ [1, -2, 5] + np.random.default_rng(6).normal(size=ROWS)


@pytest.fixture
def sums(matrix: np.ndarray, target: np.ndarray) -> Sums:
    """Of two halves, one after the other."""
    block = np.vstack([np.ones(ROWS), target, matrix.T])
    return Sums.of(block[:, :250]) + Sums.of(block[:, 250:])


def test_means_and_spreads_are_those_of_the_rows(sums: Sums, matrix: np.ndarray, target: np.ndarray) -> None:
    assert sums.over(ALONE).rows == ROWS
    assert sums.middle == pytest.approx(target.mean())
    np.testing.assert_allclose(sums.mean, matrix.mean(axis=0))
    np.testing.assert_allclose(sums.spread, matrix.std(axis=0))
    np.testing.assert_allclose(sums.per(np.array([1.0, 4.0, 0.5])).spread, matrix.std(axis=0) / [1, 4, 0.5])


def test_the_error_of_a_line_is_the_mean_of_its_squared_residuals(
    sums: Sums, matrix: np.ndarray, target: np.ndarray
) -> None:
    intercepts, weights = np.array([2.0, 7.0]), np.array([[0.0, 1.0], [1.0, -2.0], [3.0, 4.0]])
    residuals = target[:, None] - intercepts - matrix @ weights
    np.testing.assert_allclose(sums.error(intercepts, weights), (residuals**2).mean(axis=0))


def test_weights_are_those_of_the_ridge_around_the_means(sums: Sums, matrix: np.ndarray, target: np.ndarray) -> None:
    centred = matrix - matrix.mean(axis=0)
    penalties = np.array([1e-8, 0.3])
    for place, penalty in enumerate(penalties):
        left = centred.T @ centred / ROWS + penalty * np.eye(3)
        expected = np.linalg.solve(left, centred.T @ target / ROWS)
        np.testing.assert_allclose(sums.weights(penalties)[:, place], expected)
        np.testing.assert_allclose(sums.signed(penalty, np.array([1, -1, 0])), expected)
