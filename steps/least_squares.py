"""Least squares with a ridge penalty from sums over the rows, which are all that it needs to know of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steps.hosts import Hosts


@dataclass(frozen=True)
class Sums:
    """Sums over rows of 1, the target and each column, multiplied by each other: (2 + columns, 2 + columns)."""

    products: np.ndarray

    @classmethod
    def of(cls, block: np.ndarray) -> Sums:
        """Of rows whose 1, target and columns are `block` (2 + columns, rows)."""
        return cls(block @ block.T)

    def over(self, hosts: Hosts) -> Sums:
        """The sums over the rows of all hosts, of which these are one's."""
        return Sums(hosts.total(self.products))

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.products + other.products)

    def per(self, unit: np.ndarray) -> Sums:
        """The sums of the same rows when columns are counted in units of so much (columns,)."""
        every = np.r_[1.0, 1.0, unit]
        return Sums(self.products / every / every[:, None])

    @property
    def rows(self) -> float:
        """How many there are."""
        return float(self.products[0, 0])

    @property
    def middle(self) -> float:
        """The mean of the target."""
        return float(self.products[0, 1] / self.rows)

    @property
    def mean(self) -> np.ndarray:
        """Of each column."""
        return np.asarray(self.products[0, 2:] / self.rows)

    @property
    def spread(self) -> np.ndarray:
        """The standard deviation of each column."""
        return np.asarray(np.sqrt(np.maximum(np.diagonal(self._covariance)[1:], 0)))

    def error(self, intercept: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The mean squared error of each of some lines (lines,), whose weights are (columns, lines)."""
        residual = np.vstack([-intercept, np.ones_like(intercept), -weights])
        return np.asarray((residual * (self.products @ residual)).sum(axis=0) / self.rows)

    def weights(self, penalties: np.ndarray) -> np.ndarray:
        """The ridge coefficients (columns, penalties) around the means of the rows; penalties count per row."""
        values, vectors, along = self._solved()
        return np.asarray(vectors @ (along[:, None] / (values[:, None] + penalties)))

    def signed(self, penalty: float, signs: np.ndarray) -> np.ndarray:
        """The ridge coefficients (columns,) with the least error of those that do not go against their sign, if any."""
        free = self.weights(np.array([penalty]))[:, 0]
        if (free * signs >= 0).all():
            return np.asarray(free)
        from scipy.optimize import lsq_linear

        # With R'R = X'X / n + penalty, |R w - z| with R'z = X'y / n differs from the ridge's error by a constant.
        values, vectors, along = self._solved()
        roots = np.sqrt(values + penalty)
        low, high = np.where(signs > 0, 0.0, -np.inf), np.where(signs < 0, 0.0, np.inf)
        found = lsq_linear(roots[:, None] * vectors.T, along / roots, (low, high))
        return np.asarray(np.clip(found.x, low, high))

    @property
    def _covariance(self) -> np.ndarray:
        """Of the target and the columns."""
        mean = self.products[0, 1:] / self.rows
        return np.asarray(self.products[1:, 1:] / self.rows - np.outer(mean, mean))

    def _solved(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Eigenvalues and vectors of the columns' covariance, and their covariance with the target along these."""
        covariance = self._covariance
        values, vectors = np.linalg.eigh(covariance[1:, 1:])
        return np.maximum(values, 0), vectors, vectors.T @ covariance[0, 1:]
